/* SPDX-License-Identifier: Apache-2.0 */
/* Commands in one text: what a user quotes arrives as it was meant, and what only a shell would understand is no silent word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/command.h"

static void words_are_parted_and_quoted_as_by_a_shell(void **state)
{
	static const struct {
		const char *text, *words; /* with "|" behind each */
	} rows[] = {
		{ "true", "true|" },
		{ "  test  -f\t/tmp/ok ", "test|-f|/tmp/ok|" },
		{ "sh -c 'a && b | c > \"d\" $e'", "sh|-c|a && b | c > \"d\" $e|" },
		{ "a \"b c\"'d e'f\\ g", "a|b cd ef g|" },
		{ "a \"\\\"\\\\ \\n \\$x\"", "a|\"\\ \\n $x|" },
		{ "a '' \"\" \\'", "a|||'|" },
		{ "curl -fs http://localhost:8080/a?b=*#c", "curl|-fs|http://localhost:8080/a?b=*#c|" },
		{ "a '\n'", "a|\n|" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena arena = { 0 };
		struct error err = { 0 };
		char joined[256] = "", **argv;

		if (command_split(&arena, rows[i].text, &argv, &err) < 0)
			fail_msg("%s: %s", rows[i].text, err.frame[0]);
		for (; *argv; argv++) {
			strcat(joined, *argv);
			strcat(joined, "|");
		}
		assert_string_equal(joined, rows[i].words);
		arena_free(&arena);
	}
}

static void what_only_a_shell_understands_is_refused(void **state)
{
	static const char *const texts[] = {
		"", "  ", "''", "a | b", "a && b", "a;b", "a > b", "a < b", "(a)", "a $b", "a `b`", "a \"$b\"", "a \"`b`\"", "a\nb", "a 'b", "a \"b", "a \"b\\\"", "a \\",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct arena arena = { 0 };
		struct error err = { 0 };
		char **argv = NULL;

		if (command_split(&arena, texts[i], &argv, &err) == 0)
			fail_msg("\"%s\" was taken", texts[i]);
		assert_true(err.is_mistake);
		assert_null(argv);
		arena_free(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_parted_and_quoted_as_by_a_shell), cmocka_unit_test(what_only_a_shell_understands_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
