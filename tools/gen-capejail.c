/* SPDX-License-Identifier: Apache-2.0 */
/* The bash completion of immure-capejail, from its table of options. */
#include <stdio.h>
#include <string.h>

#include "compat/capejail.h"

/* How a value is completed, by its name; what is not here is the user's to know. */
static const struct {
	const char *metavar, *action;
} actions[] = {
	{ "ROOT", "$(compgen -d -- \"$word\")" },
	{ "DIR", "" }, /* a place inside */
	{ "USER", "$(compgen -u -- \"$word\")" },
	{ "KEY=VALUE", "" },
};

static const char *find_action(const char *metavar)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i].metavar, metavar) == 0)
			return actions[i].action;
	return "";
}

static void print_letters(const char *before, bool has_value, const char *behind)
{
	printf("%s", before);
	for (const struct capejail_option *option = capejail_options; option->letter; option++)
		if ((option->metavar != NULL) == has_value)
			putchar(option->letter);
	printf("%s", behind);
}

/* A pattern of words that end with an option whose value is the next word: "-r", "-nr", "-nIr". */
static void print_words(const char *letter)
{
	for (int flags = 0; flags <= 2; flags++) {
		printf("%s-", flags ? "|" : "");
		for (int i = 0; i < flags; i++)
			print_letters("[", false, "]");
		if (letter)
			printf("%s", letter);
		else
			print_letters("[", true, "]");
	}
}

/* From the first word that is no option and no option's value the words are the program's own. */
static void print_program(void)
{
	printf("\tfor ((i = 1; i < COMP_CWORD; i++)); do\n\t\tcase ${COMP_WORDS[i]} in\n\t\t");
	print_words(NULL);
	printf(") ((i++));;\n\t\t-?*) [ \"${COMP_WORDS[i]}\" != -- ] || { COMPREPLY=($(compgen -f -c -- \"$word\")); return; };;\n"
	       "\t\t*) COMPREPLY=($(compgen -f -- \"$word\")); return;;\n\t\tesac\n\tdone\n");
}

int main(void)
{
	printf("# bash completion of immure-capejail; made from its options\n"
	       "_immure_capejail() {\n\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} i\n\tCOMPREPLY=()\n");
	print_program();
	printf("\tcase $before in\n");
	for (const struct capejail_option *option = capejail_options; option->letter; option++) {
		if (!option->metavar)
			continue;
		putchar('\t');
		print_words((const char[]){ option->letter, '\0' });
		printf(") COMPREPLY=(%s); return;;\n", find_action(option->metavar));
	}
	printf("\tesac\n\tcase $word in\n\t-*) COMPREPLY=($(compgen -W '--");
	for (const struct capejail_option *option = capejail_options; option->letter; option++)
		printf(" -%c", option->letter);
	printf("' -- \"$word\"));;\n\t*) COMPREPLY=($(compgen -f -c -- \"$word\"));;\n\tesac\n}\n"
	       "complete -o filenames -F _immure_capejail immure-capejail\n");
	return 0;
}
