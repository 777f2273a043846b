/* SPDX-License-Identifier: Apache-2.0 */
/* Things for the tree that are said in members: whatever cannot be meant is refused, and never lost silently. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "immure.h"

#define MOUNT(...) (struct immure_mount){ .descriptor = -1, .mode = -1, __VA_ARGS__ }

static const char *const one[] = { "/a", NULL }, *const two[] = { "/a", "/b", NULL };

static int add(struct immure_spec *spec, struct immure_mount mount, struct immure_error *err)
{
	*err = (struct immure_error){ 0 };
	return immure_spec_mount(spec, &mount, "--here", err);
}

/* With its control: the same but for what is wrong. */
static void expect_refused(struct immure_mount wrong, struct immure_mount right, const char *says)
{
	struct immure_spec *spec = immure_spec_new();
	struct immure_error err;
	const char *key = right.key;

	assert_non_null(spec);
	assert_true(add(spec, wrong, &err) < 0);
	if (!strstr(err.text, says) || !strstr(err.text, "--here"))
		fail_msg("\"%s\" does not say \"%s\" of --here", err.text, says);
	assert_int_equal(err.exit_code, 125);
	assert_string_equal(immure_spec_get(spec, key), "");
	if (add(spec, right, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_not_equal(immure_spec_get(spec, key), "");
	immure_spec_free(spec);
}

static void a_key_must_be_that_of_a_mount(void **state)
{
	const char *const wrong[] = { "bind", "memory", "", NULL };
	struct immure_spec *spec = immure_spec_new();
	struct immure_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_true(add(spec, MOUNT(.key = wrong[i], .source = "/a", .target = "/b"), &err) < 0);
		assert_non_null(strstr(err.text, "no kind of mount"));
	}
	assert_int_equal(add(spec, MOUNT(.key = "ro", .source = "/a", .target = "/b"), &err), 0);
	immure_spec_free(spec);
}

static void a_place_is_wanted_and_absolute(void **state)
{
	(void)state;
	expect_refused(MOUNT(.key = "tmpfs"), MOUNT(.key = "tmpfs", .target = "/t"), "wants a place");
	expect_refused(MOUNT(.key = "rw", .descriptor = 3), MOUNT(.key = "rw", .descriptor = 3, .target = "/t"), "wants a place");
	expect_refused(MOUNT(.key = "dir", .target = "t"), MOUNT(.key = "dir", .target = "/t"), "absolute");
	expect_refused(MOUNT(.key = "ro", .source = "/a", .target = ""), MOUNT(.key = "ro", .source = "/a"), "absolute");
}

static void a_source_is_wanted_where_there_is_one(void **state)
{
	(void)state;
	expect_refused(MOUNT(.key = "ro", .target = "/t"), MOUNT(.key = "ro", .source = "/a", .target = "/t"), "wants a source");
	expect_refused(MOUNT(.key = "ro", .source = "", .target = "/t"), MOUNT(.key = "ro", .source = "/a", .target = "/t"), "not empty");
	expect_refused(MOUNT(.key = "file", .target = "/t"), MOUNT(.key = "file", .descriptor = 4, .target = "/t"), "wants a source");
	expect_refused(MOUNT(.key = "symlink", .target = "/t"), MOUNT(.key = "symlink", .source = "to", .target = "/t"), "wants a source");
}

static void what_a_kind_does_not_take_is_refused(void **state)
{
	(void)state;
	expect_refused(MOUNT(.key = "tmpfs", .target = "/t", .source = "/a"), MOUNT(.key = "tmpfs", .target = "/t"), "no source");
	expect_refused(MOUNT(.key = "dir", .target = "/t", .descriptor = 0), MOUNT(.key = "dir", .target = "/t"), "no descriptor");
	expect_refused(MOUNT(.key = "symlink", .source = "to", .target = "/t", .descriptor = 3),
		       MOUNT(.key = "symlink", .source = "to", .target = "/t"), "no descriptor");
	expect_refused(MOUNT(.key = "ro", .source = "/a", .mode = 0), MOUNT(.key = "ro", .source = "/a"), "no mode");
	expect_refused(MOUNT(.key = "dir", .target = "/t", .size = 1), MOUNT(.key = "tmpfs", .target = "/t", .size = 1), "no size");
	expect_refused(MOUNT(.key = "tmpfs", .target = "/t", .is_optional = 1), MOUNT(.key = "tmpfs", .target = "/t"), "no is_optional");
	expect_refused(MOUNT(.key = "ro", .source = "/a", .lowers = one), MOUNT(.key = "ro", .source = "/a"), "no lowers");
	expect_refused(MOUNT(.key = "layers-ro", .target = "/t", .lowers = two, .upper = "/u", .work = "/w"),
		       MOUNT(.key = "layers", .target = "/t", .lowers = two, .upper = "/u", .work = "/w"), "no upper");
	expect_refused(MOUNT(.key = "data", .target = "/t", .source = "x", .descriptor = 3), MOUNT(.key = "data", .target = "/t", .source = "x"), "not both");
}

static void modes_and_layers_have_their_bounds(void **state)
{
	(void)state;
	expect_refused(MOUNT(.key = "dir", .target = "/t", .mode = 010000), MOUNT(.key = "dir", .target = "/t", .mode = 07777), "07777");
	expect_refused(MOUNT(.key = "chmod", .target = "/t"), MOUNT(.key = "chmod", .target = "/t", .mode = 0), "chmod wants");
	expect_refused(MOUNT(.key = "layers", .target = "/t"), MOUNT(.key = "layers", .target = "/t", .lowers = one), "at least once");
	expect_refused(MOUNT(.key = "layers-ro", .target = "/t", .lowers = one), MOUNT(.key = "layers-ro", .target = "/t", .lowers = two), "twice");
	expect_refused(MOUNT(.key = "layers", .target = "/t", .lowers = one, .upper = "/u"),
		       MOUNT(.key = "layers", .target = "/t", .lowers = one, .upper = "/u", .work = "/w"), "go together");
}

static void paths_are_literal(void **state)
{
	struct immure_spec *spec = immure_spec_new();
	struct immure_error err;

	(void)state;
	assert_int_equal(add(spec, MOUNT(.key = "ro", .source = "/a:b\\c", .target = "/d:e"), &err), 0);
	assert_string_equal(immure_spec_get(spec, "ro"), "/a\\:b\\\\c:/d:e");
	immure_spec_free(spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_must_be_that_of_a_mount),
		cmocka_unit_test(a_place_is_wanted_and_absolute),
		cmocka_unit_test(a_source_is_wanted_where_there_is_one),
		cmocka_unit_test(what_a_kind_does_not_take_is_refused),
		cmocka_unit_test(modes_and_layers_have_their_bounds),
		cmocka_unit_test(paths_are_literal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
