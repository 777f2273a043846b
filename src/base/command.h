/* SPDX-License-Identifier: Apache-2.0 */
/* A command in one text: words with a shell's quotes, and nothing else of a shell. */
#ifndef IMMURE_BASE_COMMAND_H
#define IMMURE_BASE_COMMAND_H

#include "base/arena.h"
#include "base/error.h"

/*
 * Words are parted by blanks. '...' is literal; in "..." a backslash stands before a quote or another backslash; outside it takes
 * the meaning of whatever follows. Nothing is expanded: what only a shell would understand (| & ; < > ( ) $ ` and line ends,
 * unquoted; $ and ` between double quotes) is refused and not passed on as a word. *ARGV is NULL-terminated, in ARENA, and has a word. -EINVAL, -ENOMEM.
 */
int command_split(struct arena *arena, const char *text, char ***argv, struct error *err) MUST_CHECK;

#endif
