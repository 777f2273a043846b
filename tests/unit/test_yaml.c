/* SPDX-License-Identifier: Apache-2.0 */
/* A policy file that is misread confines less than its author meant; so each text is read exactly, or refused by place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "load/yaml.h"

/* The tree as one line: maps {k: v}, lists [a b], quoted scalars 'a', others as they are. */
static void show(const struct node *node, struct text *text)
{
	const bool is_map = node->kind == NODE_MAP;

	if (node->kind == NODE_SCALAR) {
		text_add(text, node->is_quoted ? "'%s'" : "%s", node->text);
		return;
	}
	text_add(text, is_map ? "{" : "[");
	for (const struct node *child = node->child; child; child = child->next) {
		if (is_map)
			text_add(text, "%s: ", child->key);
		show(child, text);
		if (child->next)
			text_add(text, " ");
	}
	text_add(text, is_map ? "}" : "]");
}

static void expect_tree_of(const char *input, size_t size, const char *expected)
{
	auto_arena struct arena arena = { 0 };
	auto_text struct text text = { 0 };
	struct error err = { 0 };
	struct node *root = NULL;
	int rc = load_text(&arena, "t.yaml", input, size, &root, &err);

	if (rc < 0)
		fail_msg("%s", err.frame[0]);
	show(root, &text);
	assert_string_equal(text.bytes ? text.bytes : "", expected);
}

static void expect_tree(const char *input, const char *expected)
{
	expect_tree_of(input, strlen(input), expected);
}

static void expect_refusal(const char *input, size_t size, const char *expected)
{
	auto_arena struct arena arena = { 0 };
	struct error err = { 0 };
	struct node *root = NULL;

	assert_int_not_equal(load_text(&arena, "t.yaml", input, size, &root, &err), 0);
	assert_null(root);
	if (!strstr(err.frame[0], expected))
		fail_msg("expected \"%s\" in \"%s\"", expected, err.frame[0]);
}
#define REFUSE(input, expected) expect_refusal(input, strlen(input), expected)

static void maps_lists_and_scalars_are_read(void **state)
{
	(void)state;
	expect_tree("a: 1\nb: [x, \"y z\"]\nc:\n  d: 'e'\n  f:\n  - g\n  - h: i\n",
		    "{a: 1 b: [x 'y z'] c: {d: 'e' f: [g {h: i}]}}");
	expect_tree("text: |\n  two\n  lines\n", "{text: 'two\nlines\n'}");
	expect_tree("# only a comment\na: b # and one more\n", "{a: b}");
	expect_tree("--- \njust text\n", "just text");
}

static void json_is_read_with_its_tabs(void **state)
{
	(void)state;
	expect_tree("{\n\t\"a\": [1, true, null, \"n\\u00e4\"],\n\t\"b\": {\n\t\t\"c\": -1.5e3\n\t}\n}\n",
		    "{a: [1 true  'n\303\244'] b: {c: -1.5e3}}");
	expect_tree("{\"a\":{\"b\":[]},\"c\":{}}", "{a: {b: []} c: {}}");
}

static void nothing_is_an_empty_scalar(void **state)
{
	(void)state;
	expect_tree("", "");
	expect_tree("\n# nothing\n", "");
	expect_tree("a:\nb: ~\nc: null\nd: 'null'\ne: ''\n", "{a:  b:  c:  d: 'null' e: ''}");
}

static void each_value_knows_its_place(void **state)
{
	static const char input[] = "a: 1\nbb:\n  - x\n  -   y\nempty:\nq: \"z\"\n";
	auto_arena struct arena arena = { 0 };
	struct error err = { 0 };
	struct node *root = NULL;
	const struct node *list, *empty;
	char place[ORIGIN_TEXT];

	(void)state;
	assert_int_equal(load_text(&arena, "web.yaml", input, strlen(input), &root, &err), 0);
	assert_string_equal(origin_print(&node_member(root, "a")->origin, place), "web.yaml:1:4");
	assert_string_equal(origin_print(&node_member(root, "a")->key_origin, place), "web.yaml:1:1");
	list = node_member(root, "bb");
	assert_string_equal(origin_print(&list->key_origin, place), "web.yaml:2:1");
	assert_string_equal(origin_print(&list->child->next->origin, place), "web.yaml:4:7");
	assert_int_equal(list->origin.layer, LAYER_FILE);
	assert_string_equal(origin_print(&node_member(root, "q")->origin, place), "web.yaml:6:4");
	empty = node_member(root, "empty");
	assert_int_equal(empty->origin.line, 5);
}

static void mistakes_are_named_with_their_place(void **state)
{
	(void)state;
	REFUSE("a: 1\nb: 2\na: 3\n", "t.yaml:3:1: a is given twice; first in line 1");
	REFUSE("{\"x\": {\"k\": 1,\n \"k\": 2}}", "t.yaml:2:2: k is given twice; first in line 1");
	REFUSE("a: [1, 2\nb: 3\n", "t.yaml:");
	REFUSE("a: 1\n  b: 2\n", "t.yaml:1:4: invalid multiline plain key");
	REFUSE("a: 1\n---\nb: 2\n", "t.yaml:2:1: a second document");
	REFUSE("a: !!str 1\n", "t.yaml:1:10: tags are not read here");
	REFUSE("%YAML 1.2\n---\na: 1\n", "t.yaml:1:1: directives are not read here");
	REFUSE("a: 1\n...\n%", "t.yaml:3:1: directives are not read here");
	REFUSE("[a, b]: 1\n", "a key must be a plain word");
	REFUSE("? {a: b}\n: 1\n", "a key must be a plain word");
	REFUSE("a: *nowhere\n", "t.yaml:1:5: an alias to an anchor");
	expect_refusal("a: \0b\n", 6, "NUL byte");
	REFUSE("a: \"x\\0y\"\n", "t.yaml:1:4: a NUL character");
}

static void aliases_are_copies(void **state)
{
	(void)state;
	expect_tree("a: &x [1, {b: 2}]\nc: *x\nd: &y z\ne: *y\n", "{a: [1 {b: 2}] c: [1 {b: 2}] d: z e: z}");
	expect_tree("a: &x 1\nb: &x 2\nc: *x\n", "{a: 1 b: 2 c: 2}");
	REFUSE("a: &x [1, *x]\n", "an alias to an anchor that is not defined before it");
}

static void a_billion_laughs_are_cut_short(void **state)
{
	auto_text struct text bomb = { 0 };

	(void)state;
	text_add(&bomb, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 10; i++) {
		text_add(&bomb, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++)
			text_add(&bomb, "%s*a%d", j ? ", " : "", i - 1);
		text_add(&bomb, "]\n");
	}
	REFUSE(bomb.bytes, "too many values");
}

static void depth_is_bounded(void **state)
{
	auto_text struct text good = { 0 }, bad = { 0 }, block = { 0 }, shared = { 0 };

	(void)state;
	for (int i = 0; i < LOAD_MOST_DEPTH - 1; i++)
		text_add(&block, "%*s-\n", i, "");
	for (int i = 0; i < LOAD_MOST_DEPTH / 2; i++)
		text_add(&good, "[");
	for (int i = 0; i < LOAD_MOST_DEPTH / 2; i++)
		text_add(&good, "]");
	expect_tree(good.bytes, good.bytes);
	for (int i = 0; i < 100000; i++)
		text_add(&bad, "[");
	REFUSE(bad.bytes, "t.yaml:1:");
	text_add(&shared, "a0: &a0 [x]\n");
	for (int i = 1; i < LOAD_MOST_DEPTH; i++)
		text_add(&shared, "a%d: &a%d [*a%d]\n", i, i, i - 1);
	REFUSE(shared.bytes, "nested too deeply");
}

static void size_and_numbers_are_bounded(void **state)
{
	auto_text struct text large = { 0 }, members = { 0 }, anchors = { 0 };

	(void)state;
	while (large.used <= LOAD_MOST_BYTES)
		text_add(&large, "# a comment that says nothing\n");
	REFUSE(large.bytes, "t.yaml: larger than 1048576 bytes");
	for (int i = 0; i <= LOAD_MOST_MEMBERS; i++)
		text_add(&members, "k%d: 1\n", i);
	REFUSE(members.bytes, "t.yaml:2049:1: too many keys in one mapping");
	for (int i = 0; i <= LOAD_MOST_ANCHORS; i++)
		text_add(&anchors, "- &a%d x\n", i);
	REFUSE(anchors.bytes, "too many anchors");
}

static void a_file_is_read_or_its_failure_told(void **state)
{
	auto_arena struct arena arena = { 0 };
	struct error err = { 0 };
	struct node *root = NULL;
	char path[] = "/tmp/immure-test-yaml-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	(void)state;
	fputs("a: b\n", file);
	fclose(file);
	assert_int_equal(load_file(&arena, path, &root, &err), 0);
	assert_string_equal(node_member(root, "a")->text, "b");
	remove(path);
	assert_int_equal(load_file(&arena, path, &root, &err), -2);
	assert_non_null(strstr(err.frame[0], path));
	assert_true(load_file(&arena, "/", &root, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_lists_and_scalars_are_read),
		cmocka_unit_test(json_is_read_with_its_tabs),
		cmocka_unit_test(nothing_is_an_empty_scalar),
		cmocka_unit_test(each_value_knows_its_place),
		cmocka_unit_test(mistakes_are_named_with_their_place),
		cmocka_unit_test(aliases_are_copies),
		cmocka_unit_test(a_billion_laughs_are_cut_short),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(size_and_numbers_are_bounded),
		cmocka_unit_test(a_file_is_read_or_its_failure_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
