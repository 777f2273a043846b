/* SPDX-License-Identifier: Apache-2.0 */
/* Help: verbs and options from their rows, topics from the embedded texts. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/words.h"

enum { OPTION_COLUMN = 30 };

/* The synopsis of an option; returns its length. */
static int print_synopsis(const struct immure_option *option)
{
	int length = option->letter ? printf("  -%c, --%s", option->letter, option->key) : printf("      --%s", option->key);

	return length + (option->metavar ? printf(" %s", option->metavar) : 0);
}

static void print_option(const struct immure_option *option)
{
	const int length = print_synopsis(option);
	char text[512];

	snprintf(text, sizeof(text), option->fallback ? "%s (default: %s)" : "%s", option->help, option->fallback);
	if (length + 2 > OPTION_COLUMN)
		printf("\n%*s", OPTION_COLUMN, "");
	else
		printf("%*s", OPTION_COLUMN - length, "");
	print_wrapped(stdout, text, OPTION_COLUMN, OPTION_COLUMN);
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

static void print_own_options(const struct verb *verb)
{
	putchar('\n');
	for (const struct verb_option *option = verb->options; option->name; option++)
		print_option(&(struct immure_option){ .key = option->name, .letter = option->letter, .metavar = option->metavar,
						      .help = option->help });
}

static void print_part(const char *name, const char *text)
{
	if (!text)
		return;
	printf("  %-9s ", name);
	print_wrapped(stdout, text, 12, 12);
}

static void explain_option(const struct immure_option *option)
{
	print_synopsis(option);
	printf("\n\n  ");
	print_wrapped(stdout, option->help, 2, 2);
	if (option->detail) {
		printf("\n  ");
		print_wrapped(stdout, option->detail, 2, 2);
	}
	putchar('\n');
	if (option->choices) {
		printf("  %-9s", option->is_list ? "any of" : "one of");
		for (const char *const *choice = option->choices; *choice; choice++)
			printf(" %s", *choice);
		putchar('\n');
	}
	print_part("default", option->fallback);
	if (option->example)
		printf("  %-9s --%s=%s\n", "example", option->key, option->example);
	if (option->is_list)
		print_part("list", "given again, it adds; in a policy file it may be a list");
	if (option->is_for_words_only)
		print_part("files", "it has no meaning in a policy file");
	print_part("since", option->since);
}

static int help_option(const char *name, struct nearest *nearest)
{
	const char letter = name[0] == '-' && name[1] && !name[2] ? name[1] : '\0';
	struct immure_option option;

	name += strspn(name, "-");
	for (unsigned i = 0; immure_option_at(i, &option) == 0; i++) {
		nearest_offer(nearest, option.key);
		if (strcmp(option.key, name) != 0 && (!letter || option.letter != letter))
			continue;
		explain_option(&option);
		return 0;
	}
	return -1;
}

static int help_topic(const char *name, struct nearest *nearest)
{
	struct immure_text topic;

	for (unsigned i = 0; immure_topic_at(i, &topic) == 0; i++) {
		nearest_offer(nearest, topic.name);
		if (strcmp(topic.name, name) != 0)
			continue;
		fputs(topic.text, stdout);
		return 0;
	}
	return -1;
}

static int help_verb(const char *name, struct nearest *nearest)
{
	for (const struct verb *verb = verbs; verb->name; verb++) {
		nearest_offer(nearest, verb->name);
		if (strcmp(verb->name, name) != 0)
			continue;
		printf("usage: immure %s\n\n  ", verb->synopsis);
		print_wrapped(stdout, verb->help, 2, 2);
		if (verb->options)
			print_own_options(verb);
		else if (strstr(verb->synopsis, "OPTION"))
			print_options();
		return 0;
	}
	return -1;
}

static void list_topics(void)
{
	struct immure_text topic;

	printf("\nimmure help VERB, OPTION or TOPIC tells more. Topics are:\n ");
	for (unsigned i = 0; immure_topic_at(i, &topic) == 0; i++)
		if (strncmp(topic.name, "E-", 2) != 0)
			printf(" %s", topic.name);
	printf("\nand the identifiers of errors, such as E-PROC-MASKED.\n");
}

static void help_all(void)
{
	printf("usage: immure VERB ...\n\n");
	for (const struct verb *verb = verbs; verb->name; verb++) {
		printf("  %s\n%*s", verb->synopsis, 8, "");
		print_wrapped(stdout, verb->help, 8, 8);
	}
	list_topics();
}

int cli_help(int argc, char *argv[])
{
	struct nearest nearest;

	if (argc == 0) {
		help_all();
		return 0;
	}
	nearest = nearest_to(argv[0]);
	if (help_verb(argv[0], &nearest) == 0) {
		putchar('\n');
		(void)help_topic(argv[0], &nearest); /* a verb may have one of its name, with more than its row says */
		return 0;
	}
	if (help_topic(argv[0], &nearest) == 0 || help_option(argv[0], &nearest) == 0)
		return 0;
	return complain_unknown("verb, option or topic", &nearest, "immure help");
}

int cli_version(int argc, char *argv[])
{
	(void)argc;
	(void)argv;
	printf("immure %s\n", immure_version());
	return 0;
}
