/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a jail: who wins, what lies where, and what may be made there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "feature/feature.h"

static struct tree make(const struct tree_item *items, struct arena *arena)
{
	struct tree tree = { 0 };

	for (; items->target; items++)
		tree_add(&tree, *items);
	tree_settle(&tree, arena);
	return tree;
}

#define TREE(...) make((const struct tree_item[]){ __VA_ARGS__, { 0 } }, &arena)
#define ROOT { .kind = TREE_SCRATCH, .target = "/" }

static void a_directory_comes_before_what_lies_in_it(void **state)
{
	auto_arena struct arena arena = { 0 };
	struct tree tree = TREE({ .target = "/a/b/c" }, { .target = "/a-b" }, { .target = "/a/b" }, { .target = "/ab" }, { .target = "/a" }, ROOT);
	static const char *const order[] = { "/", "/a", "/a/b", "/a/b/c", "/a-b", "/ab" };

	(void)state;
	assert_int_equal(tree.count, 6);
	for (int i = 0; i < 6; i++)
		assert_string_equal(tree.items[i].target, order[i]);
}

static void of_two_on_one_place_the_later_wins(void **state)
{
	auto_arena struct arena arena = { 0 };
	struct tree tree = TREE(ROOT, { .target = "/a", .source = "first" }, { .target = "/a", .source = "second" });

	(void)state;
	assert_int_equal(tree.count, 2);
	assert_string_equal(tree_find(&tree, "/a")->source, "second");
}

static void a_place_below_a_link_is_where_the_link_leads(void **state)
{
	auto_arena struct arena arena = { 0 };
	struct tree tree = TREE(ROOT, { .kind = TREE_BIND, .target = "/usr", .source = "/usr" },
				{ .kind = TREE_SYMLINK, .target = "/bin", .source = "usr/bin" },
				{ .kind = TREE_TMPFS, .target = "/bin/x" });

	(void)state;
	assert_null(tree_find(&tree, "/bin/x"));
	assert_int_equal(tree_find(&tree, "/usr/bin/x")->place, PLACE_FOREIGN);
	assert_string_equal(tree_follow(&tree, &arena, "/bin/true"), "/usr/bin/true");
}

static void two_names_of_one_place_are_one_place(void **state)
{
	auto_arena struct arena arena = { 0 };
	struct tree tree = TREE(ROOT, { .kind = TREE_SYMLINK, .target = "/l", .source = "/d" },
				{ .kind = TREE_TMPFS, .target = "/d/x", .source = "first" }, { .kind = TREE_TMPFS, .target = "/l/x", .source = "second" });

	(void)state;
	assert_int_equal(tree.count, 3);
	assert_string_equal(tree_find(&tree, "/d/x")->source, "second");
}

static void links_in_a_circle_end(void **state)
{
	auto_arena struct arena arena = { 0 };
	struct tree tree = TREE(ROOT, { .kind = TREE_SYMLINK, .target = "/a", .source = "/b" }, { .kind = TREE_SYMLINK, .target = "/b", .source = "/a" },
				{ .kind = TREE_TMPFS, .target = "/a/x" });

	(void)state;
	assert_null(tree_follow(&tree, &arena, "/a/x"));
	assert_int_equal(tree.count, 4);
}

static void nothing_is_made_in_what_is_foreign(void **state)
{
	auto_arena struct arena arena = { 0 };
	struct tree tree = TREE(ROOT, { .kind = TREE_BIND, .target = "/w" }, { .kind = TREE_TMPFS, .target = "/w/t" }, { .kind = TREE_FILE, .target = "/w/t/f" },
				{ .kind = TREE_DIRECTORY, .target = "/w/d" }, { .kind = TREE_FILE, .target = "/w/d/f" },
				{ .kind = TREE_OVERLAY, .target = "/o" }, { .kind = TREE_FILE, .target = "/o/f" });

	(void)state;
	assert_int_equal(tree_find(&tree, "/w")->place, PLACE_FRESH);
	assert_int_equal(tree_find(&tree, "/w/t")->place, PLACE_FOREIGN);
	assert_int_equal(tree_find(&tree, "/w/t/f")->place, PLACE_FRESH);
	assert_int_equal(tree_find(&tree, "/w/d/f")->place, PLACE_FOREIGN);
	assert_int_equal(tree_find(&tree, "/o/f")->place, PLACE_LAYER);
	assert_true(tree_find(&tree, "/w")->has_inner);
	assert_false(tree_find(&tree, "/o/f")->has_inner);
}

/* A path that is used as it stands must not lead through what others may have filled with links. */
static void only_what_immure_made_itself_is_direct(void **state)
{
	auto_arena struct arena arena = { 0 };
	struct tree tree = TREE(ROOT, { .kind = TREE_BIND, .target = "/w" }, { .kind = TREE_TMPFS, .target = "/w/t" }, { .kind = TREE_FILE, .target = "/w/t/f" },
				{ .kind = TREE_OVERLAY, .target = "/o" }, { .kind = TREE_FILE, .target = "/o/f" }, { .kind = TREE_FILE, .target = "/d/f" },
				{ .kind = TREE_PROC, .target = "/proc" }, { .kind = TREE_MASK, .target = "/proc/keys", .is_optional = true },
				{ .kind = TREE_MASK, .target = "/proc/self/root/x" });
	static const struct { const char *target; bool is_direct; } rows[] = {
		{ "/w", true }, { "/w/t", false }, { "/w/t/f", false }, { "/o", true }, { "/o/f", false }, { "/d/f", true }, { "/proc", true },
		{ "/proc/keys", true }, { "/proc/self/root/x", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(tree_find(&tree, rows[i].target)->is_direct, rows[i].is_direct);
}

static void a_path_of_the_hosts_is_found_inside(void **state)
{
	auto_arena struct arena arena = { 0 };
	struct tree tree = TREE(ROOT, { .kind = TREE_BIND, .target = "/w", .source = "/home/me/work" }, { .kind = TREE_TMPFS, .target = "/w/hidden" },
				{ .kind = TREE_BIND, .target = "/usr", .source = "/usr" });

	(void)state;
	assert_string_equal(tree_inside(&tree, &arena, "/home/me/work/a/b"), "/w/a/b");
	assert_string_equal(tree_inside(&tree, &arena, "/home/me/work"), "/w");
	assert_string_equal(tree_inside(&tree, &arena, "/usr/bin/true"), "/usr/bin/true");
	assert_null(tree_inside(&tree, &arena, "/home/me/work/hidden/x"));
	assert_null(tree_inside(&tree, &arena, "/home/me"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_comes_before_what_lies_in_it),
		cmocka_unit_test(of_two_on_one_place_the_later_wins),
		cmocka_unit_test(a_place_below_a_link_is_where_the_link_leads),
		cmocka_unit_test(two_names_of_one_place_are_one_place),
		cmocka_unit_test(links_in_a_circle_end),
		cmocka_unit_test(nothing_is_made_in_what_is_foreign),
		cmocka_unit_test(only_what_immure_made_itself_is_direct),
		cmocka_unit_test(a_path_of_the_hosts_is_found_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
