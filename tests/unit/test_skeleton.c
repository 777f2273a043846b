/* SPDX-License-Identifier: Apache-2.0 */
/* The skeleton is used for the common jail, and for none that it would show wrongly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feature/feature.h"
#include "feature/skeleton.h"

static struct host_path paths[] = {
	{ .path = "/usr", .kind = PATH_DIRECTORY }, { .path = "/bin", .kind = PATH_LINK, .link = "usr/bin" },
	{ .path = "/sbin", .kind = PATH_LINK, .link = "usr/sbin" }, { .path = "/lib", .kind = PATH_LINK, .link = "usr/lib" },
	{ .path = "/etc/ld.so.cache", .kind = PATH_FILE }, { .path = "/etc/localtime", .kind = PATH_LINK, .link = "/usr/share/zoneinfo/Europe/Oslo" },
	{ .path = "/dev/null", .kind = PATH_OTHER }, { .path = "/dev/zero", .kind = PATH_OTHER }, { .path = "/dev/full", .kind = PATH_OTHER },
	{ .path = "/dev/random", .kind = PATH_OTHER }, { .path = "/dev/urandom", .kind = PATH_OTHER }, { .path = "/dev/tty", .kind = PATH_OTHER },
};

/* Of the plan with one option: whether the root is the skeleton, and whether a step has these words. */
static bool uses_skeleton(const char *key, const char *value, const char *words)
{
	auto_arena struct arena arena = { 0 };
	struct host host = { .uid = 1234, .gid = 1234, .kernel_major = 6, .kernel_minor = 18, .has_mount_api = true, .has_proc = true,
			     .has_seccomp = true, .landlock_abi = 6, .caller.cwd = "/", .skeleton = "/installed/skeleton", .run_id = "x" };
	static const struct origin origin = { .layer = LAYER_COMMAND, .source = "test" };
	char *command[] = { (char *)"/bin/true", NULL };
	struct plan *plan = calloc(1, sizeof(*plan));
	struct spec spec = { 0 };
	struct error err = { 0 };
	bool is_used = false, has_words = !words;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		paths[i].next = i + 1 < ARRAY_SIZE(paths) ? &paths[i + 1] : NULL;
	host.paths = paths;
	assert_non_null(plan);
	assert_int_equal(spec_default(&spec, &err), 0);
	spec.command = command;
	assert_int_equal(field_set(find_field("landlock"), &spec, "off", &origin, &err), 0);
	if (key)
		assert_int_equal(field_set(find_field(key), &spec, value, &origin, &err), 0);
	assert_int_equal(spec_make_absolute(&spec, "/", &err), 0);
	assert_int_equal(plan_make(plan, &arena, &spec, &host, &err), 0);
	for (int i = 0; i < plan->count; i++) {
		is_used |= plan->steps[i].op == OP_SOURCE && strcmp(plan->steps[i].subject, host.skeleton) == 0;
		has_words |= words && strstr(step_words(&plan->steps[i], &arena), words);
	}
	free(plan);
	arena_free(&spec.arena);
	assert_true(has_words);
	return is_used;
}

static void the_common_jail_stands_on_the_skeleton(void **state)
{
	(void)state;
	assert_true(uses_skeleton(NULL, NULL, NULL));
	assert_true(uses_skeleton("tmpfs", "/tmp/inner", "make directory /tmp/inner"));
	assert_true(uses_skeleton("ro", "/usr:/home/user/usr", "attach it on /home/user/usr"));
}

static void a_time_zone_is_mounted(void **state)
{
	(void)state;
	assert_true(uses_skeleton(NULL, NULL, "attach it on /etc/localtime"));
}

static void what_it_does_not_hold_is_made_piece_by_piece(void **state)
{
	static const struct { const char *key, *value; } rows[] = {
		{ "tmpfs", "/work" }, { "file", "/etc/hosts=other" }, { "file", "/etc/more=x" }, { "symlink", "/bin=usr/other" }, { "dir", "/home" },
		{ "dev", "none" }, { "proc", "none" }, { "hostname", "other" }, { "user", "4321" }, { "mask", "/etc/passwd" }, { "ro", "/usr:/etc/passwd" },
		{ "sys", "ro" }, { "root", "empty" }, { "ro", "/usr:/home/other" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (uses_skeleton(rows[i].key, rows[i].value, NULL))
			fail_msg("--%s %s stands on the skeleton", rows[i].key, rows[i].value);
}

static void a_directory_comes_before_what_lies_in_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < skeleton_count; i++) {
		char parent[64];

		strcpy(parent, skeleton_entries[i].path);
		*strrchr(parent, '/') = '\0';
		if (*parent)
			assert_true(skeleton_find(parent) < &skeleton_entries[i] && skeleton_find(parent)->kind == SKELETON_DIRECTORY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_common_jail_stands_on_the_skeleton),
		cmocka_unit_test(a_time_zone_is_mounted),
		cmocka_unit_test(what_it_does_not_hold_is_made_piece_by_piece),
		cmocka_unit_test(a_directory_comes_before_what_lies_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
