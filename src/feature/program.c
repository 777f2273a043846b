/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program: its words, its variables, where it is looked for, and where it starts. Where that is found out only inside,
 * there is one environment for each place that may serve, for PWD names it. environ(7), execvp(3)
 */
#include "feature/program.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/path.h"

static const char *const path_value = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
static const char *const path_of_none = "/bin:/usr/bin"; /* where nobody says; execvp(3) */
enum { PLACES = 3 };

/* ---- variables ---- */

static bool same_name(const char *left, const char *right)
{
	size_t length = strcspn(left, "=");

	return strncmp(left, right, length) == 0 && right[length] == '=';
}

static void set(const char **list, size_t *count, const char *pair)
{
	for (size_t i = 0; i < *count; i++) {
		if (!same_name(list[i], pair))
			continue;
		list[i] = pair;
		return;
	}
	list[(*count)++] = pair;
}

static void unset(const char **list, size_t *count, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++)
		if (!same_name(name, list[i]))
			list[kept++] = list[i];
	*count = kept;
}

static void add_small_base(struct plan *plan, const struct spec *spec, const struct host *host, const char **list, size_t *count)
{
	set(list, count, plan_format(plan, "PATH=%s", path_value));
	set(list, count, plan_format(plan, "HOME=%s", plan->home));
	set(list, count, plan_format(plan, "USER=%s", spec->user && *spec->user > '9' ? spec->user : plan->uid ? "user" : "root"));
	if (host->caller.term)
		set(list, count, plan_format(plan, "TERM=%s", host->caller.term));
	if (host->caller.lang)
		set(list, count, plan_format(plan, "LANG=%s", host->caller.lang));
}

static size_t room_for(const struct spec *spec)
{
	size_t room = 8; /* the small base, PWD, and the end */

	for (const struct string_item *item = spec->env; item; item = item->next)
		room++;
	for (const char *const *pair = spec->caller_environment; pair && *pair; pair++)
		room++;
	return room;
}

/* ENV holds NAME=VALUE only: the caller's values have been filled in where the environment is known. PWD: NULL: not set. */
static const char **make_environment(struct plan *plan, const struct spec *spec, const struct host *host, const char *pwd)
{
	const char **list = arena_alloc(plan->arena, room_for(spec) * sizeof(*list));
	size_t count = 0;

	plan->is_short |= !list;
	if (!list)
		return NULL;
	if (spec->env_base == ENV_SMALL)
		add_small_base(plan, spec, host, list, &count);
	for (const char *const *pair = spec->caller_environment; spec->env_base == ENV_CALLER && pair && *pair; pair++)
		list[count++] = *pair;
	for (const struct string_item *item = spec->unset_env; item; item = item->next)
		unset(list, &count, item->text);
	for (const struct string_item *item = spec->env; item; item = item->next)
		if (strchr(item->text, '='))
			set(list, &count, item->text);
	if (pwd)
		set(list, &count, plan_format(plan, "PWD=%s", pwd));
	list[count] = NULL;
	return list;
}

static const char *value_of(const char *const *environment, const char *name)
{
	for (; environment && *environment; environment++)
		if (same_name(name, *environment))
			return *environment + strlen(name) + 1;
	return NULL;
}

/* ---- where it starts ---- */

/* The current folder, wherever it is shown; else the home, if there is one. */
static const char *start_directory(const struct plan *plan, const struct spec *spec, const struct host *host)
{
	const char *inside = host->caller.cwd && plan->has_mountns ? tree_inside(plan->tree, plan->arena, host->caller.cwd) : host->caller.cwd;

	if (spec->workdir)
		return spec->workdir;
	if (inside && !plan->joins_mountns)
		return inside;
	return plan->has_mountns && (host->found_home || tree_find(plan->tree, plan->home)) ? plan->home : "/";
}

/*
 * A tree that is built in order is known to the kernel alone: what is there is seen by trying. The current folder goes by the
 * links that led there where the program's own variables tell of them: get_current_dir_name(3)
 */
static size_t find_places(struct plan *plan, const struct spec *spec, const struct host *host, const char **places)
{
	const char *const *environment;
	const char *pwd, *home;
	size_t count = 0;

	if (spec->workdir || !spec->is_ordered) {
		places[0] = start_directory(plan, spec, host);
		return 1;
	}
	environment = (const char *const *)make_environment(plan, spec, host, NULL);
	pwd = value_of(environment, "PWD");
	home = value_of(environment, "HOME");
	if (pwd && host->caller.logical_cwd && strcmp(pwd, host->caller.logical_cwd) == 0)
		places[count++] = pwd;
	else if (host->caller.cwd)
		places[count++] = host->caller.cwd;
	if (home && *home == '/')
		places[count++] = home;
	places[count++] = "/";
	return count;
}

static void plan_start(struct plan *plan, const struct spec *spec, const char *const *places, size_t count)
{
	const char *words = places[0];

	for (size_t i = 1; i < count; i++)
		words = plan_format(plan, i + 1 < count ? "%s, else %s" : "%s, or else %s", words, places[i]);
	plan_add(plan, (struct step){ .op = OP_CHDIR, .side = PAYLOAD, .phase = PHASE_PRIVILEGE, .slot = SLOT_NONE,
		.subject = words, .data = places, .size = count, .origin = SPEC_ORIGIN(spec, workdir) });
}

/* ---- what is executed ---- */

/* A program given by its path on the host is executed where the jail shows it. */
static const char *program_inside(struct plan *plan, const struct spec *spec, const char *name, const struct host *host)
{
	const bool is_of_jail = !plan->has_mountns || spec->is_ordered || !host->caller.cwd || (spec->root && name[0] == '/');
	const char *path = is_of_jail ? NULL : path_clean(plan->arena, host->caller.cwd, name);
	const char *inside = path ? tree_inside(plan->tree, plan->arena, path) : NULL;

	return inside ? inside : name;
}

/* An empty part of PATH means the current folder. That is left to who brings an environment of their own. */
static const char **search(struct plan *plan, const struct spec *spec, const char *name, const char *path)
{
	size_t room = 2, count = 0;
	const char **list;

	for (const char *at = path; *at; at++)
		room += *at == ':';
	list = arena_alloc(plan->arena, (room + 1) * sizeof(*list));
	plan->is_short |= !list;
	for (bool is_over = !list; !is_over; path++) {
		const size_t length = strcspn(path, ":");

		if (length && length < PATH_MAX)
			list[count++] = plan_format(plan, "%.*s/%s", (int)length, path, name);
		else if (!length && spec->env_base != ENV_SMALL)
			list[count++] = plan_format(plan, "./%s", name);
		path += length;
		is_over = !*path;
	}
	return list;
}

/* What execvp(3) would try, in order. */
static const char *const *make_candidates(struct plan *plan, const struct spec *spec, const struct host *host, const char *path)
{
	const char *name = spec->command[0];
	const char **list;

	if (!strchr(name, '/'))
		return search(plan, spec, name, path ? path : spec->env_base == ENV_SMALL ? path_value : path_of_none);
	list = arena_alloc(plan->arena, 2 * sizeof(*list));
	plan->is_short |= !list;
	if (list)
		list[0] = program_inside(plan, spec, name, host);
	return list;
}

/* FIRST words, and then those of the command after its name; NULL-terminated. */
static char **words_after(struct plan *plan, const struct spec *spec, size_t first)
{
	size_t count = 1;
	char **words;

	while (spec->command[count])
		count++;
	words = arena_alloc(plan->arena, (first + count) * sizeof(*words));
	plan->is_short |= !words;
	if (words)
		memcpy(words + first, spec->command + 1, count * sizeof(*words));
	return words;
}

static char *const *make_words(struct plan *plan, const struct spec *spec)
{
	char **words = spec->argv0 ? words_after(plan, spec, 1) : NULL;

	if (words)
		words[0] = (char *)spec->argv0;
	return words ? words : spec->command;
}

/* What is neither a program nor names an interpreter is read by the shell, where the environment is not immure's: execvp(3) */
static char **make_script(struct plan *plan, const struct spec *spec)
{
	char **words = spec->env_base == ENV_SMALL ? NULL : words_after(plan, spec, 2);

	if (words)
		words[0] = (char *)"/bin/sh";
	return words;
}

static const char *execution_words(struct plan *plan, const struct spec *spec)
{
	static const char *const bases[] = { [ENV_SMALL] = "", [ENV_NONE] = ", without immure's variables", [ENV_CALLER] = ", with the caller's variables" };

	return plan_format(plan, "%s%.200s%s", spec->argv0 ? " as " : "", spec->argv0 ? spec->argv0 : "", bases[spec->env_base]);
}

void plan_program(struct plan *plan, const struct spec *spec, const struct host *host)
{
	struct program *program = arena_alloc(plan->arena, sizeof(*program));
	const char **places = arena_alloc(plan->arena, PLACES * sizeof(*places));
	char *const **environments = arena_alloc(plan->arena, PLACES * sizeof(*environments));
	size_t count;

	plan->is_short |= !program || !places || !environments;
	if (!program || !places || !environments)
		return;
	count = find_places(plan, spec, host, places);
	for (size_t i = 0; i < count; i++)
		environments[i] = (char *const *)make_environment(plan, spec, host, spec->env_base == ENV_SMALL ? NULL : places[i]);
	program->argv = make_words(plan, spec);
	program->script = make_script(plan, spec);
	program->environments = environments;
	program->candidates = make_candidates(plan, spec, host, value_of((const char *const *)environments[0], "PATH"));
	plan_start(plan, spec, places, count);
	plan_add(plan, (struct step){ .op = OP_EXEC, .side = PAYLOAD, .phase = PHASE_EXEC, .slot = SLOT_NONE,
		.subject = spec->command[0], .text = execution_words(plan, spec), .data = program });
	if ((!host->landlock_abi || spec->landlock == LANDLOCK_OFF || spec->is_ordered) && !spec_leaves(spec, "executable"))
		plan_add(plan, (struct step){ .op = OP_CHECK_PROGRAM, .side = PAYLOAD, .phase = PHASE_CHECK, .slot = SLOT_NONE,
			.subject = spec->command[0], .data = program, .why = "Landlock would forbid it" });
}

static size_t count_words(const char *const *words)
{
	size_t count = 0;

	while (words[count])
		count++;
	return count;
}

static char **copy_words(struct arena *room, const char *const *words)
{
	const size_t count = count_words(words);
	char **copy = arena_alloc(room, (count + 1) * sizeof(*copy));

	for (size_t i = 0; copy && i < count; i++) {
		copy[i] = arena_copy(room, words[i]);
		if (!copy[i])
			return NULL;
	}
	return copy;
}

/* The shell's words of FROM are those of ARGV behind its own name and the place for the script's. */
static char **copy_script(struct arena *room, const struct program *from, char *const *argv)
{
	const size_t count = count_words((const char *const *)argv);
	char **copy = arena_alloc(room, (count + 2) * sizeof(*copy));

	if (!copy)
		return NULL;
	memcpy(copy + 2, argv + 1, count * sizeof(*copy)); /* the end as well */
	copy[0] = arena_copy(room, from->script[0]);
	return copy[0] ? copy : NULL;
}

int program_copy(struct program *to, const struct program *from, size_t places, struct arena *room)
{
	char *const **environments = arena_alloc(room, places * sizeof(*environments));
	bool is_whole = environments;

	for (size_t i = 0; is_whole && i < places; i++) {
		environments[i] = copy_words(room, (const char *const *)from->environments[i]);
		is_whole = environments[i];
	}
	to->environments = environments;
	to->argv = copy_words(room, (const char *const *)from->argv);
	to->candidates = (const char *const *)copy_words(room, from->candidates);
	to->script = from->script && to->argv ? copy_script(room, from, to->argv) : NULL;
	return is_whole && to->argv && to->candidates && !from->script == !to->script ? 0 : -ENOMEM;
}
