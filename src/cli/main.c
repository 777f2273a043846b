/* SPDX-License-Identifier: Apache-2.0 */
/* The full executable: finds the verb. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

const struct verb verbs[] = {
	{ "run", cli_run, "run [OPTION...] [--] PROGRAM [ARGUMENT...]", "run a program, walled in" },
	{ "explain", cli_explain, "explain [OPTION...] [--] PROGRAM [ARGUMENT...]", "say what run would do, step by step; nothing is run" },
	{ "doctor", cli_doctor, "doctor [--json | --facts]", "what this machine allows, and what to do where it does not" },
	{ "gc", cli_gc, "gc", "undo what runs that were killed have left on the host" },
	{ "help", cli_help, "help [TOPIC]", "this help, a verb's options, or what an error identifier means" },
	{ "version", cli_version, "version", "the version" },
	{ 0 },
};

static const struct verb *find_verb(const char *name)
{
	for (const struct verb *verb = verbs; verb->name; verb++)
		if (strcmp(verb->name, name) == 0)
			return verb;
	return NULL;
}

int main(int argc, char *argv[])
{
	const struct verb *verb;

	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return cli_help(0, NULL);
	if (strcmp(argv[1], "--version") == 0)
		return cli_version(0, NULL);
	verb = find_verb(argv[1]);
	if (!verb) {
		fprintf(stderr, "immure: there is no verb \"%s\"; immure help lists them\n", argv[1]);
		return 125;
	}
	if (argc > 2 && strcmp(argv[2], "--help") == 0)
		return cli_help(1, argv + 1);
	return verb->run(argc - 2, argv + 2);
}
