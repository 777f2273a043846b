/* SPDX-License-Identifier: Apache-2.0 */
/* immure exec: a program in a jail that stays. In the quick executable as well, since it is used often. */
#include <stdio.h>
#include <string.h>

#include "cli/options.h"

const struct verb_option exec_options[] = {
	{ "interactive", 'i', NULL, "the program reads standard input; otherwise it has none" },
	{ "tty", 't', NULL, "the program gets a terminal of the jail's" },
	{ "env", 'e', "NAME[=VALUE]", "a variable, beside those of the jail; without a value it is the caller's" },
	{ "workdir", 'C', "PATH", "where it starts, inside" },
	{ "detach-keys", 0, "KEYS", "with -it: leave by these, which ends the program, or none (default: none)" },
	{ 0 },
};
const struct verb exec_verb = {
	"exec", cli_exec, "exec [-it] [-e NAME=VALUE] [-C PATH] JAIL [--] PROGRAM [ARGUMENT...]",
	"run another program in a jail, confined as the jail's own", exec_options, 1,
};

enum { INTERACTIVE, TTY, ENV, WORKDIR, DETACH_KEYS };

static int execute(const char *name, const struct immure_exec *exec)
{
	struct immure_jail *jail = NULL;
	struct immure_error err;
	struct immure_end end;
	int exit_code;

	if (immure_jail_open(name, &jail, &err) < 0 || immure_jail_exec(jail, exec, &end, &err) < 0)
		exit_code = complain(&err);
	else
		exit_code = report_end(name, &end);
	immure_jail_close(jail);
	return exit_code;
}

int cli_exec(int argc, char *argv[])
{
	struct words words;
	const char *env[VALUES_MOST + 1];
	struct immure_exec exec = { .env = env };
	unsigned count = 0;
	int at = 1, rc = take_words(&exec_verb, argc, argv, &(struct bounds){ 2, -1, 0 }, &words);

	if (rc)
		return rc;
	for (unsigned i = 0; i < words.value_count; i++)
		if (words.value_of[i] == ENV)
			env[count++] = words.values[i];
	env[count] = NULL;
	exec.has_input = words.chosen[INTERACTIVE].count > 0;
	exec.has_terminal = words.chosen[TTY].count > 0;
	exec.workdir = words.chosen[WORKDIR].value;
	exec.detach_keys = words.chosen[DETACH_KEYS].value;
	at += strcmp(words.argv[at], "--") == 0;
	if (at == words.argc) {
		fprintf(stderr, "immure: exec: there is no program to run\n");
		return 125;
	}
	words.argv[words.argc] = NULL;
	exec.argv = words.argv + at;
	return execute(words.argv[0], &exec);
}
