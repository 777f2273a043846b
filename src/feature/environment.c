/* SPDX-License-Identifier: Apache-2.0 */
/* The program's environment: empty but for a few variables and what is asked. environ(7) */
#include <string.h>

#include "base/path.h"
#include "feature/feature.h"

static const struct field fields[] = {
	{ .key = "env", .letter = 'e', .type = FIELD_STRINGS, FIELD(env), .metavar = "NAME[=VALUE]", .example = "LANG=C", .since = "0.1",
	  .help = "NAME=VALUE for the program, or NAME to pass the caller's value" },
	{ .key = "workdir", .letter = 'C', .type = FIELD_PATH, FIELD(workdir), .example = "/tmp", .since = "0.1",
	  .help = "start here (default: the current folder where it is visible, else the home)" },
	{ .key = "keep-fd", .type = FIELD_WORDS, FIELD(keep_fds), .example = "3", .since = "0.1",
	  .help = "descriptors to pass besides 0, 1 and 2" },
	{ .key = "no-aslr", .type = FIELD_FLAG, FIELD(no_aslr), .since = "0.1",
	  .help = "the same addresses at each run; personality(2)" },
	{ .key = "keep-keyring", .type = FIELD_FLAG, FIELD(keep_keyring), .since = "0.1",
	  .help = "share the caller's session keyring; keyrings(7)" },
	{ 0 },
};

static const char *const path_value = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
enum { PERSONA_NO_ASLR = 0x0040000 }; /* ADDR_NO_RANDOMIZE; personality(2) */

static int check(const struct spec *spec, const struct host *host, struct error *err)
{
	(void)host;
	for (const struct string_item *item = spec->env; item; item = item->next)
		if (item->text[0] == '=')
			return error_mistake(err, "--env %s: a name must come before \"=\"", item->text);
	for (const struct string_item *item = spec->keep_fds; item; item = item->next) {
		uint64_t number;

		if (number_parse(item->text, INT32_MAX, &number) < 0 || number < 3)
			return error_mistake(err, "--keep-fd %s: it wants the number of a descriptor from 3", item->text);
	}
	if (spec->workdir && spec->workdir[0] != '/')
		return error_mistake(err, "--workdir %s: the place inside must be an absolute path", spec->workdir);
	return 0;
}

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

/* ENV holds NAME=VALUE only: the caller's values have been filled in where the environment is known. */
static const char *const *make_environment(struct plan *plan, const struct spec *spec, const struct host *host)
{
	size_t count = 0, room = 8;
	const char **list;

	for (const struct string_item *item = spec->env; item; item = item->next)
		room++;
	list = arena_alloc(plan->arena, room * sizeof(*list));
	plan->is_short |= !list;
	if (!list)
		return NULL;
	set(list, &count, plan_format(plan, "PATH=%s", path_value));
	set(list, &count, plan_format(plan, "HOME=%s", plan->home));
	set(list, &count, plan_format(plan, "USER=%s", spec->user && *spec->user > '9' ? spec->user : plan->uid ? "user" : "root"));
	if (host->term)
		set(list, &count, plan_format(plan, "TERM=%s", host->term));
	if (host->lang)
		set(list, &count, plan_format(plan, "LANG=%s", host->lang));
	for (const struct string_item *item = spec->env; item; item = item->next)
		if (strchr(item->text, '='))
			set(list, &count, item->text);
	return list;
}

static const char *value_of(const char *const *environment, const char *name)
{
	for (; environment && *environment; environment++)
		if (same_name(name, *environment))
			return *environment + strlen(name);
	return path_value;
}

/* A program given by its path on the host is executed where the jail shows it. */
static const char *program_inside(struct plan *plan, const struct spec *spec, const char *name, const struct host *host)
{
	const bool is_of_jail = !plan->has_mountns || spec->is_ordered || !host->cwd || (spec->root && name[0] == '/');
	const char *path = is_of_jail ? NULL : path_clean(plan->arena, host->cwd, name);
	const char *inside = path ? tree_inside(plan->tree, plan->arena, path) : NULL;

	return inside ? inside : name;
}

/* What execvp(3) would try, in order. */
static const char *const *make_candidates(struct plan *plan, const struct spec *spec, const char *name, const char *path, const struct host *host)
{
	const char **list = arena_alloc(plan->arena, 66 * sizeof(*list));
	size_t count = 0;

	plan->is_short |= !list;
	if (!list)
		return NULL;
	if (strchr(name, '/')) {
		list[count++] = program_inside(plan, spec, name, host);
		return list;
	}
	while (*path && count < 64) {
		size_t length = strcspn(path, ":");

		if (length)
			list[count++] = plan_format(plan, "%.*s/%s", (int)length, path, name);
		path += length + (path[length] == ':');
	}
	return list;
}

/* The current folder, wherever it is shown; else the home, if there is one. */
static const char *start_directory(const struct plan *plan, const struct spec *spec, const struct host *host)
{
	const char *inside = host->cwd && plan->has_mountns ? tree_inside(plan->tree, plan->arena, host->cwd) : host->cwd;

	if (spec->workdir)
		return spec->workdir;
	if (inside && !plan->joins_mountns)
		return inside;
	return plan->has_mountns && (host->found_home || tree_find(plan->tree, plan->home)) ? plan->home : "/";
}

static const int32_t *kept(struct plan *plan, const struct spec *spec, size_t *count)
{
	int32_t *numbers;

	*count = 0;
	for (const struct string_item *item = spec->keep_fds; item; item = item->next)
		(*count)++;
	numbers = arena_alloc(plan->arena, (*count + 1) * sizeof(*numbers));
	plan->is_short |= !numbers;
	*count = 0;
	for (const struct string_item *item = spec->keep_fds; numbers && item; item = item->next) {
		uint64_t number = 0;

		number_parse(item->text, INT32_MAX, &number);
		numbers[(*count)++] = (int32_t)number;
	}
	return numbers;
}

static void plan_descriptors(struct plan *plan, const struct spec *spec)
{
	const bool is_left = spec_leaves(spec, "descriptors");
	struct step step = { .op = OP_DESCRIPTORS, .side = PAYLOAD, .phase = PHASE_PRIVILEGE, .slot = SLOT_NONE,
			     .origin = SPEC_ORIGIN(spec, keep_fds), .how = is_left ? STEP_LEFT : 0 };

	if (is_left && !spec->keep_fds)
		return;
	step.data = kept(plan, spec, &step.size);
	step.text = plan_format(plan, is_left ? "let %zu named descriptors through exec" : "close descriptors from 3 but %zu named ones at exec",
				step.size);
	step.why = is_left ? "others stay as they are" : "all but these close at exec";
	plan_add(plan, step);
}

static void plan_session(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const bool leaves_signals = spec_leaves(spec, "signals"), leaves_umask = spec_leaves(spec, "umask");
	struct step step = { .side = PAYLOAD, .phase = PHASE_SESSION, .slot = SLOT_NONE };

	step.op = OP_SESSION;
	if (!spec_leaves(spec, "session"))
		plan_add(plan, step);
	step.op = OP_SIGNALS;
	step.text = leaves_signals ? "signals as the caller has them" : "signals to their defaults, none blocked";
	step.how = leaves_signals ? STEP_LEFT : 0;
	step.origin = leaves_signals ? SPEC_ORIGIN(spec, leave) : NULL;
	plan_add(plan, step);
	step = (struct step){ .op = OP_UMASK, .side = PAYLOAD, .phase = PHASE_SESSION, .slot = SLOT_NONE,
		.number = leaves_umask ? host->umask : spec->umask,
		.origin = leaves_umask ? SPEC_ORIGIN(spec, leave) : SPEC_ORIGIN(spec, umask), .why = leaves_umask ? "the caller's" : NULL };
	plan_add(plan, step);
	if (!spec_leaves(spec, "personality"))
		plan_add(plan, (struct step){ .op = OP_PERSONALITY, .side = PAYLOAD, .phase = PHASE_SESSION, .slot = SLOT_NONE,
			.flags = spec->no_aslr ? PERSONA_NO_ASLR : 0, .origin = SPEC_ORIGIN(spec, no_aslr) });
}

static void plan_environment(struct plan *plan, const struct spec *spec, const struct host *host)
{
	struct program *program = arena_alloc(plan->arena, sizeof(*program));

	plan->is_short |= !program;
	if (!program || !spec->command)
		return;
	plan->home = host->found_home ? host->found_home : spec->root ? "/" : "/home/user";
	program->argv = spec->command;
	program->environment = (char *const *)make_environment(plan, spec, host);
	program->candidates = make_candidates(plan, spec, spec->command[0],
					      value_of((const char *const *)program->environment, "PATH") + 1, host);
	if (!spec->keep_keyring && !spec_leaves(spec, "keyring"))
		plan_add(plan, (struct step){ .op = OP_KEYRING, .side = INIT, .phase = PHASE_NAMES, .slot = SLOT_NONE,
			.origin = SPEC_ORIGIN(spec, keep_keyring), .why = "the caller's keys stay outside" });
	if (!plan->has_no_init)
		plan_add(plan, (struct step){ .op = OP_FORK, .side = INIT, .phase = PHASE_FORK, .slot = SLOT_NONE,
			.why = "init stays behind to reap" });
	plan_session(plan, spec, host);
	plan_add(plan, (struct step){ .op = OP_CHDIR, .side = PAYLOAD, .phase = PHASE_PRIVILEGE, .slot = SLOT_NONE,
		.subject = start_directory(plan, spec, host), .origin = SPEC_ORIGIN(spec, workdir) });
	plan_descriptors(plan, spec);
	plan_add(plan, (struct step){ .op = OP_EXEC, .side = PAYLOAD, .phase = PHASE_EXEC, .slot = SLOT_NONE,
		.subject = spec->command[0], .data = program });
	if ((!host->landlock_abi || spec->landlock == LANDLOCK_OFF || spec->is_ordered) && !spec_leaves(spec, "executable"))
		plan_add(plan, (struct step){ .op = OP_CHECK_PROGRAM, .side = PAYLOAD, .phase = PHASE_CHECK, .slot = SLOT_NONE,
			.subject = spec->command[0], .data = program, .why = "Landlock would forbid it" });
}

const struct feature feature_environment = {
	.name = "environment", .title = "Environment and descriptors", .fields = fields, .check = check, .plan = plan_environment,
};
