/* SPDX-License-Identifier: Apache-2.0 */
/* The program's environment: empty but for a few variables and what is asked. environ(7) */
#include <string.h>

#include "feature/feature.h"
#include "feature/program.h"

static const char *const env_bases[] = { [ENV_SMALL] = "small", [ENV_NONE] = "none", [ENV_CALLER] = "caller", NULL };

static const struct field fields[] = {
	{ .key = "env", .letter = 'e', .type = FIELD_STRINGS, FIELD(env), .metavar = "NAME[=VALUE]", .example = "LANG=C", .since = "0.1",
	  .help = "NAME=VALUE for the program, or NAME to pass the caller's value" },
	{ .key = "env-base", .type = FIELD_ENUM, FIELD(env_base), .choices = env_bases, .fallback = "small", .since = "0.1",
	  .help = "what --env adds to: small (PATH, HOME, USER, TERM and LANG), none, or caller (all that the caller has)",
	  .detail = "With none and caller immure sets one variable, PWD, to where the program starts, and execvp(3) is followed to the letter: "
		    "an empty part of PATH is the current folder, without PATH /bin and /usr/bin are searched, and an executable "
		    "file that the kernel does not know is read by /bin/sh. The caller's variables may hold secrets." },
	{ .key = "unset-env", .type = FIELD_STRINGS, FIELD(unset_env), .metavar = "NAME", .example = "LD_PRELOAD", .since = "0.1",
	  .help = "take a variable away from what --env-base gives; --env has the last word; may be repeated" },
	{ .key = "argv0", .type = FIELD_NAME, FIELD(argv0), .metavar = "NAME", .example = "-sh", .may_be_empty = true, .since = "0.1",
	  .help = "what the program finds as its own name, argv[0] (default: as it was called)" },
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

enum { PERSONA_NO_ASLR = 0x0040000 }; /* ADDR_NO_RANDOMIZE; personality(2) */

static int check(const struct spec *spec, const struct host *host, struct error *err)
{
	char where[ORIGIN_TEXT];

	(void)host;
	for (const struct string_item *item = spec->env; item; item = item->next)
		if (item->text[0] == '=')
			return error_mistake(err, "%s: \"%s\": a name must come before \"=\"", origin_print(&item->origin, where), item->text);
	for (const struct string_item *item = spec->unset_env; item; item = item->next)
		if (!*item->text || strchr(item->text, '='))
			return error_mistake(err, "%s: \"%s\" is not the name of a variable", origin_print(&item->origin, where), item->text);
	for (const struct string_item *item = spec->keep_fds; item; item = item->next) {
		uint64_t number;

		if (number_parse(item->text, INT32_MAX, &number) < 0 || number < 3)
			return error_mistake(err, "--keep-fd %s: it wants the number of a descriptor from 3", item->text);
	}
	if (spec->workdir && spec->workdir[0] != '/')
		return error_mistake(err, "%s: \"%s\": the place inside must be an absolute path",
				     origin_print(SPEC_ORIGIN(spec, workdir), where), spec->workdir);
	return 0;
}

static const int32_t *kept(struct plan *plan, const struct spec *spec, size_t *count)
{
	const struct string_item *const lists[] = { spec->keep_fds, plan->has_no_init ? spec->hold_fds : NULL };
	int32_t *numbers;

	*count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (const struct string_item *item = lists[i]; item; item = item->next)
			(*count)++;
	numbers = arena_alloc(plan->arena, (*count + 1) * sizeof(*numbers));
	plan->is_short |= !numbers;
	*count = 0;
	for (size_t i = 0; numbers && i < ARRAY_SIZE(lists); i++) {
		for (const struct string_item *item = lists[i]; item; item = item->next) {
			uint64_t number = 0;

			number_parse(item->text, INT32_MAX, &number);
			numbers[(*count)++] = (int32_t)number;
		}
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

/*
 * The program leads its session, to control its terminal. Where the terminal is left there is none to control, and init leads: then the
 * program may begin another, setsid(2), as daemons do.
 */
static struct step new_session(const struct plan *plan, const struct spec *spec)
{
	struct step step = { .op = OP_SESSION, .side = PAYLOAD, .phase = PHASE_SESSION, .slot = SLOT_NONE };

	if (spec_leaves(spec, "terminal") && !plan->has_no_init) {
		step.side = INIT;
		step.phase = PHASE_NAMES;
		step.why = "the program may begin another";
	}
	return step;
}

static void plan_session(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const bool leaves_signals = spec_leaves(spec, "signals"), leaves_umask = spec_leaves(spec, "umask");
	struct step step = { .side = PAYLOAD, .phase = PHASE_SESSION, .slot = SLOT_NONE };

	if (!spec_leaves(spec, "session"))
		plan_add(plan, new_session(plan, spec));
	step.op = OP_SIGNALS;
	step.text = leaves_signals ? "signals as the caller has them" : "signals to their defaults, none blocked";
	step.how = leaves_signals ? STEP_LEFT : 0;
	step.origin = leaves_signals ? SPEC_ORIGIN(spec, leave) : NULL;
	plan_add(plan, step);
	step = (struct step){ .op = OP_UMASK, .side = PAYLOAD, .phase = PHASE_SESSION, .slot = SLOT_NONE,
		.number = leaves_umask ? host->caller.umask : spec->umask,
		.origin = leaves_umask ? SPEC_ORIGIN(spec, leave) : SPEC_ORIGIN(spec, umask), .why = leaves_umask ? "the caller's" : NULL };
	plan_add(plan, step);
	if (!spec_leaves(spec, "personality"))
		plan_add(plan, (struct step){ .op = OP_PERSONALITY, .side = PAYLOAD, .phase = PHASE_SESSION, .slot = SLOT_NONE,
			.flags = spec->no_aslr ? PERSONA_NO_ASLR : 0, .origin = SPEC_ORIGIN(spec, no_aslr) });
}

static void plan_environment(struct plan *plan, const struct spec *spec, const struct host *host)
{
	if (!spec->command)
		return;
	plan->home = host->found_home ? host->found_home : spec->root ? "/" : "/home/user";
	if (!spec->keep_keyring && !spec_leaves(spec, "keyring"))
		plan_add(plan, (struct step){ .op = OP_KEYRING, .side = INIT, .phase = PHASE_NAMES, .slot = SLOT_NONE,
			.origin = SPEC_ORIGIN(spec, keep_keyring), .why = "the caller's keys stay outside" });
	if (!plan->has_no_init)
		plan_add(plan, (struct step){ .op = OP_FORK, .side = INIT, .phase = PHASE_FORK, .slot = SLOT_NONE,
			.why = "init stays behind to reap" });
	plan_session(plan, spec, host);
	plan_program(plan, spec, host);
	plan_descriptors(plan, spec);
}

const struct feature feature_environment = {
	.name = "environment", .title = "Environment and descriptors", .fields = fields, .check = check, .plan = plan_environment,
};
