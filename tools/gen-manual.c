/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills a template of a manual page, from standard input to standard output: a line "@OPTIONS@" becomes the options, "@KEYS@" the
 * keys of policy files, "@ERRORS@", "@TOPICS@", "@PRESETS@", "@PROFILES@" what there is of each. It knows nothing but immure.h,
 * so the manual cannot say other things than the program.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "immure.h"

/* scdoc(5) gives meaning to these. */
static void print_escaped(const char *text)
{
	for (; *text; text++) {
		if (strchr("\\_*#`<>[]|~+", *text))
			putchar('\\');
		putchar(*text);
	}
}

static void print_paragraph(const char *indent, const char *text)
{
	if (!text)
		return;
	printf("%s%s", indent, *text == '-' || *text == '.' ? "\\" : ""); /* would begin a list */
	print_escaped(text);
	putchar('\n');
}

static void print_notes(const struct immure_option *option)
{
	print_paragraph("\t", option->help);
	if (option->detail)
		printf("\n");
	print_paragraph("\t", option->detail);
	if (option->choices) {
		printf("\n\tOne of:");
		for (const char *const *choice = option->choices; *choice; choice++) {
			putchar(' ');
			print_escaped(*choice);
		}
		putchar('\n');
	}
	if (option->fallback) {
		printf("\n\tDefault: ");
		print_escaped(option->fallback);
		putchar('\n');
	}
	if (option->example) {
		printf("\n\tExample: \\-\\-%s=", option->key);
		print_escaped(option->example);
		putchar('\n');
	}
	printf("\n\tSince %s.\n\n", option->since);
}

static void print_options(void)
{
	const char *section = "";
	struct immure_option option;

	for (unsigned i = 0; immure_option_at(i, &option) == 0; i++) {
		if (strcmp(section, option.section) != 0)
			printf("## %s\n\n", option.section);
		section = option.section;
		if (option.letter)
			printf("*-%c*, ", option.letter);
		printf("*--%s*", option.key);
		if (option.metavar) {
			putchar(' ');
			print_escaped(option.metavar);
		}
		putchar('\n');
		print_notes(&option);
	}
}

static void print_keys(void)
{
	struct immure_option option;

	for (unsigned i = 0; immure_option_at(i, &option) == 0; i++) {
		if (option.is_for_words_only)
			continue;
		printf("*%s*: ", option.key);
		print_escaped(option.metavar ? option.metavar : "yes|no");
		printf("%s\n", option.is_list ? ", or a list" : "");
		print_paragraph("\t", option.help);
		putchar('\n');
	}
}

/* Markdown of docs/help: paragraphs, and blocks that are indented by four spaces. */
static void print_body(const char *text)
{
	bool is_literal = false, is_first = true;

	while (*text) {
		const size_t size = strcspn(text, "\n");
		const bool is_block = strncmp(text, "    ", 4) == 0;
		char line[256];

		snprintf(line, sizeof(line), "%.*s", (int)size, is_block ? text + 4 : text);
		if (is_block)
			line[size - 4] = '\0';
		if (is_block != is_literal && (is_block || size))
			puts("```");
		if (is_block || size)
			is_literal = is_block;
		if (is_literal && size)
			puts(line);
		else if (!is_literal && size)
			print_paragraph("", line);
		else if (!is_first)
			putchar('\n');
		is_first = false;
		text += size + (text[size] == '\n');
	}
	puts(is_literal ? "```\n" : "");
}

static void print_topics(bool is_for_errors)
{
	struct immure_text topic;

	for (unsigned i = 0; immure_topic_at(i, &topic) == 0; i++) {
		if ((strncmp(topic.name, "E-", 2) == 0) != is_for_errors)
			continue;
		printf("# %s\n\n", topic.name);
		print_body(topic.text);
	}
}

static void print_names(int (*source)(unsigned index, struct immure_text *text))
{
	struct immure_text text;

	for (unsigned i = 0; source(i, &text) == 0; i++) {
		printf("*%s*\n", text.name);
		print_paragraph("\t", text.summary);
		putchar('\n');
	}
}

static void fill(const char *line)
{
	if (strcmp(line, "@OPTIONS@\n") == 0)
		print_options();
	else if (strcmp(line, "@KEYS@\n") == 0)
		print_keys();
	else if (strcmp(line, "@ERRORS@\n") == 0)
		print_topics(true);
	else if (strcmp(line, "@TOPICS@\n") == 0)
		print_topics(false);
	else if (strcmp(line, "@PRESETS@\n") == 0)
		print_names(immure_preset_at);
	else if (strcmp(line, "@PROFILES@\n") == 0)
		print_names(immure_profile_at);
	else
		fputs(line, stdout);
}

int main(void)
{
	char line[4096];

	while (fgets(line, sizeof(line), stdin))
		fill(line);
	return ferror(stdin) || fflush(stdout) != 0;
}
