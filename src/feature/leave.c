/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stays as the caller has it. Everything that immure does to a program without being asked can be left out here,
 * by name and in one place; the features that would do it ask spec_leaves().
 */
#include <errno.h>
#include <string.h>

#include "feature/capability.h"
#include "feature/feature.h"

static const char *const words[] = {
	"terminal", "session", "signals", "descriptors", "umask", "groups", "capabilities", "bounding", "keyring", "personality",
	"limits", "propagation", "executable", "owners", "hostname", "ids", "dumpable", "teardown", NULL,
};

static const struct field fields[] = {
	{ .key = "leave", .type = FIELD_WORDS, FIELD(leave), .choices = words, .example = "session", .since = "0.1",
	  .help = "what stays as the caller has it, and so open: terminal, session, signals, descriptors, ...",
	  .detail = "terminal: standard descriptors as they are, a terminal too, into which the program may type if session stays as "
		    "well. session: no new one. signals: the launcher catches and passes on none, dispositions and the mask are "
		    "inherited. descriptors: all that are inheritable. umask. groups: supplementary ones are kept. capabilities: no "
		    "set is touched, nor the securebits; in a new user namespace root's bounding set is cut to what it has outside. bounding: only that set is not touched. keyring: the session's. personality. "
		    "limits: none of immure's own resource limits, --pids included. propagation: mounts that the host makes later are "
		    "seen. executable: the program may be immure's own file, by /proc/self/exe. owners: what is shown keeps its owners, "
		    "and is a stranger's to a jail with ids of its own. hostname: the host's, in a UTS namespace of its own. "
		    "ids: whoever a joined user namespace makes of the caller, but for the one that --user or --group names. "
		    "dumpable: whoever has init's rights may look into it, and join its namespaces. "
		    "teardown: when the program and all its processes have ended, the launcher leaves it to the kernel to take an empty PID "
		    "namespace apart, and does not count what was used; it waits where something on the host depends on it. no_new_privs is always set. Each of these makes the jail "
		    "weaker; the front ends that speak other tools' languages use it." },
	{ 0 },
};

static bool is_given(const struct spec *spec, size_t offset)
{
	return spec_origin(spec, offset)->layer != LAYER_DEFAULT;
}

/* Nothing can be left as it is and set. */
static int check(const struct spec *spec, const struct host *host, struct error *err)
{
	const struct { const char *word, *key; bool is_set; } rows[] = {
		{ "terminal", "tty", spec->tty != TTY_AUTO },
		{ "umask", "umask", is_given(spec, offsetof(struct spec, umask)) },
		{ "groups", "groups", spec->groups != NULL },
		{ "groups", "require groups", spec_requires(spec, "groups") },
		{ "capabilities", "cap-add", spec->cap_add != NULL },
		{ "capabilities", "securebits", securebits_are_locked(spec) && is_given(spec, offsetof(struct spec, securebits)) },
		{ "personality", "no-aslr", spec->no_aslr },
		{ "ids", "user, with --group,", spec->user && spec->group },
		{ "hostname", "hostname", is_given(spec, offsetof(struct spec, host_name)) },
	};

	(void)host;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!rows[i].is_set || !spec_leaves(spec, rows[i].word))
			continue;
		error_mistake(err, "--leave %s and --%s contradict each other", rows[i].word, rows[i].key);
		error_remedy(err, "E-LEAVE", "leave it as the caller has it, or set it");
		return -EINVAL;
	}
	return 0;
}

/* What the reader of a plan would otherwise have to know. */
static void note(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const bool has_terminal = host->caller.stdin_is_tty || host->caller.stdout_is_tty || host->caller.stderr_is_tty;

	if (spec_leaves(spec, "terminal") && spec_leaves(spec, "session"))
		plan_note(plan, "%sthe program may type into the caller's terminal (TIOCSTI, TIOCLINUX): terminal and session are left",
			  has_terminal ? "" : "where there is one, ");
	if (spec_leaves(spec, "session") && !plan->owns_pids)
		plan_note(plan, "the program may signal the caller's session: session is left, and there is no PID namespace");
	if (spec_leaves(spec, "descriptors"))
		plan_note(plan, "whatever the caller has open and inheritable is open inside, folders of the host included: descriptors are left");
	if (spec_leaves(spec, "capabilities") && !plan->has_userns && host->capabilities)
		plan_note(plan, "the program keeps the caller's capabilities over the host: capabilities are left, and there is no user namespace");
	if (spec_leaves(spec, "keyring"))
		plan_note(plan, "the program may read the keys of the caller's session: keyring is left");
	if (spec_leaves(spec, "executable") && host->landlock_abi && spec->landlock != LANDLOCK_OFF)
		plan_note(plan, "Landlock forbids to execute immure's own file all the same: executable is left, --landlock is not off");
}

static void plan_leave(struct plan *plan, const struct spec *spec, const struct host *host)
{
	for (const char *const *word = words; *word; word++)
		if (spec_leaves(spec, *word) && plan->left_count < ARRAY_SIZE(plan->left))
			plan->left[plan->left_count++] = *word;
	note(plan, spec, host);
}

const struct feature feature_leave = {
	.name = "leave", .title = "What is left alone", .fields = fields, .check = check, .plan = plan_leave,
};
