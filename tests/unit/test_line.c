/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the console: their words are those that a shell would make of them, and what it would do more is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/line.h"

/* Words between brackets: "[a][b c]". */
static void must_be(const char *text, const char *expected)
{
	struct line line;
	char said[256] = "";
	size_t used = 0;

	assert_int_equal(line_split(text, &line), 0);
	assert_int_equal(line.open, 0);
	for (size_t i = 0; i < line.count; i++)
		used += (size_t)snprintf(said + used, sizeof(said) - used, "[%s]", line.words[i]);
	assert_string_equal(said, expected);
	assert_null(line.words[line.count]);
	line_free(&line);
}

static void quotes_backslashes_and_comments_are_those_of_a_shell(void **state)
{
	(void)state;
	must_be("", "");
	must_be("  \t ", "");
	must_be("ps", "[ps]");
	must_be("  exec  -it web\tsh ", "[exec][-it][web][sh]");
	must_be("a'b c'd \"e f\"g", "[ab cd][e fg]");
	must_be("'' \"\"", "[][]");
	must_be("'a\\' \"a\\\\b\" \"a\\\"b\" \"a\\b\"", "[a\\][a\\b][a\"b][a\\b]");
	must_be("a\\ b \\'c \\# \\\\", "[a b]['c][#][\\]");
	must_be("a # b 'c", "[a]");
	must_be("a#b '# c' #", "[a#b][# c]");
	must_be("a\\\nb c\\\n d \\\n\\\n", "[ab][c][d]");
	must_be("\"a\\\nb\" 'a\\\nb'", "[ab][a\\\nb]");
	must_be("# one\nps", "[ps]");
	must_be("za\xc5\xbc '\xf0\x9f\xa6\x86'", "[za\xc5\xbc][\xf0\x9f\xa6\x86]");
	must_be("* ? ~ {a,b} ! = [x]", "[*][?][~][{a,b}][!][=][[x]]");
}

static void what_means_more_to_a_shell_is_refused_where_it_stands_and_its_letter_can_be_meant(void **state)
{
	char text[32];
	struct line line;

	(void)state;
	for (const char *sign = "|&;<>()$`"; *sign; sign++) {
		assert_non_null(line_refusal(*sign));
		snprintf(text, sizeof(text), "ps a%cb", *sign);
		assert_int_equal(line_split(text, &line), -EINVAL);
		assert_int_equal(line.fault, 4);
		assert_null(line.words);
		snprintf(text, sizeof(text), "ps %c", *sign);
		assert_int_equal(line_split(text, &line), -EINVAL);
		assert_int_equal(line.fault, 3);
		snprintf(text, sizeof(text), "ps \"%c\"", *sign);
		assert_int_equal(line_split(text, &line), *sign == '$' || *sign == '`' ? -EINVAL : 0);
		assert_true(line.words ? line.words[1][0] == *sign : line.fault == 4);
		line_free(&line);
		snprintf(text, sizeof(text), "'%c' \"%s%c\" \\%c#. # %c", *sign, strchr("$`", *sign) ? "\\" : "", *sign, *sign, *sign);
		assert_int_equal(line_split(text, &line), 0);
		assert_int_equal(line.count, 3);
		assert_true(line.words[0][0] == *sign && line.words[1][0] == *sign && line.words[2][0] == *sign);
		line_free(&line);
	}
	assert_null(line_refusal('a'));
	assert_null(line_refusal('\0'));
}

static void must_be_open(const char *text, char open, const char *last)
{
	struct line line;

	assert_int_equal(line_split(text, &line), 0);
	assert_int_equal(line.open, open);
	assert_true(line.ends_inside);
	assert_string_equal(line.words[line.count - 1], last);
	line_free(&line);
}

static void what_is_not_ended_is_told_and_can_be_completed(void **state)
{
	struct line line;

	(void)state;
	must_be_open("exec 'we", '\'', "we");
	must_be_open("exec \"we", '"', "we");
	must_be_open("exec \"we\\", '"', "we\\");
	must_be_open("exec we\\", '\\', "we");
	must_be_open("exec we", 0, "we");
	assert_int_equal(line_split("exec we ", &line), 0);
	assert_false(line.ends_inside);
	line_free(&line);
}

enum { LINES = 20000, LINE_MOST = 24 };

/* The same for the same NUMBER; without a NUL, a sign that is refused, or an expansion. */
static void make_line(unsigned number, char *text)
{
	static const char letters[] = "ab'\"\\  \t#";
	uint32_t dice = number;
	unsigned length = 0;

	while (length < number % (LINE_MOST - 1)) {
		dice = dice * 1664525 + 1013904223;
		text[length++] = letters[(dice >> 16) % (sizeof(letters) - 1)];
		if (dice % 29 == 0 && length < LINE_MOST - 2)
			text[length++] = '\n';
	}
	text[length] = '\0';
}

/* A newline that is not quoted ends a command for the shell: such lines are not for it. A ";" in its place is refused then. */
static int is_one_command(const char *text)
{
	char other[LINE_MOST];
	struct line line;
	int rc;

	for (unsigned i = 0; i == 0 || text[i - 1]; i++)
		other[i] = text[i] == '\n' ? ';' : text[i];
	rc = line_split(other, &line);
	line_free(&line);
	return rc == 0 && !(strchr(text, '#') && strchr(text, '\n'));
}

/* The words in brackets, and the line's number. */
static void must_be_as_replied(const char *reply)
{
	const char *end = strrchr(reply, '>'), *number = end ? end + 1 : reply;
	char text[LINE_MOST], said[256];
	size_t used = 0;
	struct line line;

	make_line((unsigned)strtoul(number, NULL, 10), text);
	assert_int_equal(line_split(text, &line), 0);
	for (size_t i = 0; i < line.count; i++)
		used += (size_t)snprintf(said + used, sizeof(said) - used, "<%s>", line.words[i]);
	snprintf(said + used, sizeof(said) - used, "%s", number);
	assert_string_equal(said, reply);
	line_free(&line);
}

static void random_lines_are_split_as_sh_does(void **state)
{
	FILE *script = tmpfile(), *shell;
	char command[64], text[LINE_MOST], *reply = NULL;
	size_t room = 0;
	unsigned compared = 0, open = 0;

	(void)state;
	assert_non_null(script);
	for (unsigned i = 0; i < LINES; i++) {
		struct line line;

		make_line(i, text);
		assert_int_equal(line_split(text, &line), 0);
		if (line.open || !is_one_command(text))
			open += line.open != 0;
		else
			fprintf(script, "set -- %s\nfor word in \"$@\"; do printf '<%%s>' \"$word\"; done; printf '%%u\\0' %u\n", text, i);
		line_free(&line);
	}
	rewind(script);
	snprintf(command, sizeof(command), "sh <&%d", fileno(script));
	shell = popen(command, "r");
	assert_non_null(shell);
	while (getdelim(&reply, &room, '\0', shell) > 0) {
		must_be_as_replied(reply);
		compared++;
	}
	free(reply);
	assert_int_equal(pclose(shell), 0);
	assert_true(compared > LINES / 8 && open > LINES / 8);
	fclose(script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotes_backslashes_and_comments_are_those_of_a_shell),
		cmocka_unit_test(what_means_more_to_a_shell_is_refused_where_it_stands_and_its_letter_can_be_meant),
		cmocka_unit_test(what_is_not_ended_is_told_and_can_be_completed),
		cmocka_unit_test(random_lines_are_split_as_sh_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
