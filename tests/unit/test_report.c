/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of strings, names of signals, and the table of exit codes. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/signal_name.h"
#include "run/result.h"

static void expect_json(const char *text, const char *json)
{
	auto_text struct text out = { 0 };

	json_add_string(&out, text);
	assert_string_equal(out.bytes, json);
}

static void strings_are_escaped(void **state)
{
	(void)state;
	expect_json(NULL, "null");
	expect_json("", "\"\"");
	expect_json("a\"b\\c", "\"a\\\"b\\\\c\"");
	expect_json("\n\t\x01\x1b[31m\x7f", "\"\\u000a\\u0009\\u0001\\u001b[31m\\u007f\"");
	expect_json("\xc2\x9b" "31m\xc2\x85\xc2\xa0", "\"\\u009b31m\\u0085\xc2\xa0\"");
	expect_json("zażółć 日本 🎉", "\"zażółć 日本 🎉\"");
}

static void what_was_escaped_is_read_back(void **state)
{
	const char *const text = "a\"\\\n\x1b\x7f\xc2\x9b\xc2\xa0z";
	auto_text struct text json = { 0 };
	auto_text struct text out = { 0 };

	(void)state;
	json_add_string(&json, text);
	assert_string_equal(json_take_string(json.bytes, &out), "");
	assert_string_equal(out.bytes, text);
}

static void broken_utf8_never_breaks_the_json(void **state)
{
	(void)state;
	expect_json("\xff", "\"\xef\xbf\xbd\"");
	expect_json("\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"");                 /* too long a form of '/' */
	expect_json("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* a surrogate */
	expect_json("ab\xe2\x82", "\"ab\xef\xbf\xbd\xef\xbf\xbd\"");             /* cut off */
	expect_json("\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void signals_have_names(void **state)
{
	char buffer[SIGNAL_TEXT];

	(void)state;
	assert_string_equal(signal_name(SIGKILL, buffer), "SIGKILL");
	assert_string_equal(signal_name(SIGSYS, buffer), "SIGSYS");
	assert_string_equal(signal_name(34, buffer), "SIGRTMIN");
	assert_string_equal(signal_name(64, buffer), "SIGRTMIN+30");
	assert_string_equal(signal_name(0, buffer), "signal 0");
	assert_string_equal(signal_name(-5, buffer), "signal -5");
}

static void exit_codes_are_those_of_the_manual(void **state)
{
	static struct plan plan = { .count = 2, .steps = { { .op = OP_CLONE }, { .op = OP_EXEC } } };
	static const struct { struct result result; int code; } rows[] = {
		{ { .reason = REASON_EXITED, .exit_code = 0 }, 0 },
		{ { .reason = REASON_EXITED, .exit_code = 77 }, 77 },
		{ { .reason = REASON_EXITED, .exit_code = 0, .output_errno = ENOSPC }, 125 },
		{ { .reason = REASON_SIGNALED, .signal = SIGKILL }, 137 },
		{ { .reason = REASON_SIGNALED, .signal = SIGSEGV }, 139 },
		{ { .reason = REASON_WALL_TIME, .signal = SIGKILL }, 124 },
		{ { .reason = REASON_CPU_TIME, .signal = SIGKILL }, 124 },
		{ { .reason = REASON_MEMORY, .signal = SIGKILL }, 137 },
		{ { .reason = REASON_OUTPUT, .signal = SIGKILL }, 137 },
		{ { .reason = REASON_BLOCKED_CALL, .signal = SIGSYS }, 159 },
		{ { .reason = REASON_SETUP, .failed_step = -1 }, 125 },
		{ { .reason = REASON_SETUP, .failed_step = 0, .failed_errno = ENOENT }, 125 },
		{ { .reason = REASON_SETUP, .failed_step = 1, .failed_errno = ENOENT }, 127 },
		{ { .reason = REASON_SETUP, .failed_step = 1, .failed_errno = ENOTDIR }, 127 },
		{ { .reason = REASON_SETUP, .failed_step = 1, .failed_errno = EACCES }, 126 },
		{ { .reason = REASON_SETUP, .failed_step = 1, .failed_errno = ENOEXEC }, 126 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(result_exit_code(&rows[i].result, &plan), rows[i].code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(what_was_escaped_is_read_back),
		cmocka_unit_test(broken_utf8_never_breaks_the_json),
		cmocka_unit_test(signals_have_names),
		cmocka_unit_test(exit_codes_are_those_of_the_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
