/* SPDX-License-Identifier: Apache-2.0 */
/* Each of bubblewrap's sentences is said of a step that there is, and is the one that is said of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "compat/bwrap.h"
#include "plan/plan.h"

static bool is_op(const char *name)
{
	for (int op = 0; op < OPS; op++)
		if (strcmp(op_name((enum op)op), name) == 0)
			return true;
	return false;
}

static void each_is_about_an_op_that_there_is(void **state)
{
	(void)state;
	assert_false(is_op("no-such-op"));
	for (const struct bwrap_sentence *sentence = bwrap_sentences; sentence->op; sentence++)
		if (!is_op(sentence->op))
			fail_msg("there is no op %s: \"%s\"", sentence->op, sentence->said);
}

/* A step for which SENTENCE should be said. */
static struct immure_step step_for(const struct bwrap_sentence *sentence)
{
	const char *place = sentence->about == BWRAP_SOURCE ? "/the source" : "/the place";

	return (struct immure_step){ .op = sentence->op, .flags = sentence->flags, .is_file = sentence->is_file,
		.subject = sentence->subject ? sentence->subject : place,
		.origin = sentence->origin ? sentence->origin : sentence->about ? "--bind" : "--other",
		.errnum = sentence->errnum == BWRAP_PLACE_ERRNUM ? EROFS : sentence->errnum ? sentence->errnum : EMFILE };
}

static void fill_in(const char *pattern, const struct immure_step *step, char *text, size_t room)
{
	const char *words[128] = { ['s'] = step->subject, ['o'] = "/the source", ['t'] = "/the place", ['e'] = strerror(step->errnum),
				   ['l'] = "destination exists and is not a symlink" };
	size_t used = 0;

	for (; *pattern; pattern++) {
		if (*pattern == '%')
			used += (size_t)snprintf(text + used, room - used, "%s", words[(unsigned char)*++pattern]);
		else
			used += (size_t)snprintf(text + used, room - used, "%c", *pattern);
	}
}

static void no_other_is_said_in_its_place(void **state)
{
	struct bwrap_operation operations[] = {
		{ .mount = { .key = "rw", .source = "/another source", .target = "/another place" }, .where = "--ro-bind" },
		{ .mount = { .key = "rw", .source = "/the source", .target = "/the place" }, .where = "--bind" },
	};
	const struct bwrap bwrap = { .operations = operations, .operation_count = ARRAY_SIZE(operations) };

	(void)state;
	for (const struct bwrap_sentence *sentence = bwrap_sentences; sentence->op; sentence++) {
		const struct immure_step step = step_for(sentence);
		char said[1024], expected[1024] = "";

		fill_in(sentence->said, &step, expected, sizeof(expected));
		assert_true(bwrap_print_sentence(&bwrap, &step, said, sizeof(said)));
		assert_string_equal(said, expected);
	}
}

static void of_other_steps_none_is_said(void **state)
{
	const struct bwrap bwrap = { 0 };
	char said[64];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const char *const ops[] = { "keyring", "write", "put" };
		const struct immure_step step = { .op = ops[i], .subject = "/elsewhere", .origin = "--bind", .errnum = EPERM };

		assert_false(bwrap_print_sentence(&bwrap, &step, said, sizeof(said)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_about_an_op_that_there_is),
		cmocka_unit_test(no_other_is_said_in_its_place),
		cmocka_unit_test(of_other_steps_none_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
