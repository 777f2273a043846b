/* SPDX-License-Identifier: Apache-2.0 */
/* Help, made from the rows. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static void print_option(const struct immure_option *option)
{
	char letter[8] = "    ", name[64];

	if (option->letter)
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	snprintf(name, sizeof(name), "--%s%s%s", option->key, option->metavar ? " " : "", option->metavar ? option->metavar : "");
	printf("  %s%-32s %s", letter, name, option->help);
	if (option->fallback)
		printf(" (default: %s)", option->fallback);
	putchar('\n');
}

static void print_options(void)
{
	const char *section = "";
	struct immure_option option;

	for (unsigned i = 0; immure_option_at(i, &option) == 0; i++) {
		if (strcmp(section, option.section) != 0)
			printf("\n%s\n", option.section);
		section = option.section;
		print_option(&option);
	}
}

int cli_help(int argc, char *argv[])
{
	if (argc > 0 && (strcmp(argv[0], "run") == 0 || strcmp(argv[0], "explain") == 0)) {
		printf("usage: immure %s [OPTION...] [--] PROGRAM [ARGUMENT...]\n", argv[0]);
		print_options();
		return 0;
	}
	printf("usage: immure VERB ...\n\n");
	for (const struct verb *verb = verbs; verb->name; verb++)
		printf("  %-46s %s\n", verb->synopsis, verb->help);
	return 0;
}

int cli_version(int argc, char *argv[])
{
	(void)argc;
	(void)argv;
	printf("immure %s\n", immure_version());
	return 0;
}
