/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stays as the caller has it. Everything that immure does to a program without being asked can be left out here,
 * by name and in one place; the features that would do it ask spec_leaves().
 */
#include "feature/feature.h"

static const char *const words[] = {
	"terminal", "session", "signals", "descriptors", "umask", "groups", "capabilities", "bounding", "keyring", "personality",
	"limits", "propagation", "executable", "owners", NULL,
};

static const struct field fields[] = {
	{ .key = "leave", .type = FIELD_WORDS, FIELD(leave), .choices = words, .example = "session", .since = "0.1",
	  .help = "what stays as the caller has it, and so open: terminal, session, signals, descriptors, ...",
	  .detail = "terminal: the caller's own, into which the program may type, if session stays as well. session: no new one. "
		    "signals: the launcher catches and passes on none, dispositions and the mask are inherited. descriptors: all that "
		    "are inheritable. umask. groups: supplementary ones are kept. capabilities: no set is touched. bounding: that set "
		    "is not touched. keyring: the session's. personality. limits: none of immure's own resource limits. propagation: "
		    "mounts that the host makes later are seen. executable: the program may be immure's own file, by /proc/self/exe. "
		    "owners: what is shown keeps its owners, and is a stranger's to a jail with ids of its own. "
		    "Each of these makes the jail weaker; the front ends that speak other tools' languages use it." },
	{ 0 },
};

const struct feature feature_leave = { .name = "leave", .title = "What is left alone", .fields = fields };
