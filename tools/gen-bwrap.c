/* SPDX-License-Identifier: Apache-2.0 */
/* The bash completion of immure-bwrap, from its table of options. */
#include <string.h>

#include "compat/bwrap.h"

static void print_case(const char *argument, const char *action)
{
	const char *gap = "\t";

	for (const struct bwrap_option *option = bwrap_options; option->name; option++) {
		if (strcmp(option->arguments, argument) != 0)
			continue;
		printf("%s%s", gap, option->name);
		gap = "|";
	}
	printf(") COMPREPLY=(%s); return;;\n", action);
}

/* Options with two places: the word two back decides as well. */
static void print_pairs(void)
{
	const char *gap = "\t";

	for (const struct bwrap_option *option = bwrap_options; option->name; option++) {
		if (strncmp(option->arguments, "SRC ", 4) != 0 && strncmp(option->arguments, "FD ", 3) != 0 &&
		    strcmp(option->arguments, "OCTAL PATH") != 0)
			continue;
		printf("%s%s", gap, option->name);
		gap = "|";
	}
	printf(") COMPREPLY=($(compgen -f -- \"$word\")); return;;\n");
}

int main(void)
{
	static const char *const files[] = { "SRC", "SRC DEST", "DEST", "DIR", "RWSRC WORKDIR DEST" };
	static const char *const numbers[] = { "FD", "UID", "GID", "OCTAL", "BYTES", "NAME", "VALUE", "FD DEST", "OCTAL PATH" };

	printf("# bash completion of immure-bwrap; made from its options\n_immure_bwrap() {\n"
	       "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} two=${COMP_WORDS[COMP_CWORD-2]} i\n"
	       "\tCOMPREPLY=()\n\tfor ((i = 1; i < COMP_CWORD; i++)); do\n\t\tif [ \"${COMP_WORDS[i]}\" = -- ]; then\n"
	       "\t\t\tCOMPREPLY=($(compgen -f -c -- \"$word\")); return\n\t\tfi\n\tdone\n\tcase $before in\n");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		print_case(files[i], "$(compgen -f -- \"$word\")");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		print_case(numbers[i], "");
	print_case("CAP", "$(compgen -W 'ALL CAP_' -- \"$word\")");
	printf("\tesac\n\tcase $two in\n");
	print_pairs();
	printf("\tesac\n\tcase $word in\n\t-*) COMPREPLY=($(compgen -W '--");
	for (const struct bwrap_option *option = bwrap_options; option->name; option++)
		printf(" %s", option->name);
	printf("' -- \"$word\"));;\n\t*) COMPREPLY=($(compgen -f -c -- \"$word\"));;\n\tesac\n}\n"
	       "complete -o filenames -F _immure_bwrap immure-bwrap\n");
	return 0;
}
