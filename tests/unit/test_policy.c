/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy says is what is planned; what it says wrongly is refused by its place, for a misspelt wall is no wall. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"
#include "feature/feature.h"
#include "feature/preset.h"
#include "load/embedded.h"
#include "load/policy.h"
#include "sample.h"

static const struct origin command_line = { .layer = LAYER_COMMAND, .source = "--test" };

#define auto_spec __attribute__((cleanup(free_spec)))
static void free_spec(struct spec **spec)
{
	arena_free(&(*spec)->arena);
	free(*spec);
}

static struct spec *new_spec(void)
{
	struct spec *spec = calloc(1, sizeof(*spec));

	assert_non_null(spec);
	assert_int_equal(spec_default(spec, NULL), 0);
	return spec;
}

static void load_well(struct spec *spec, const char *text)
{
	struct error err = { 0 };
	char story[1024];

	if (policy_load_text(spec, "t.yaml", text, strlen(text), &err) == 0)
		return;
	error_print(&err, story, sizeof(story));
	fail_msg("%s", story);
}

static void refuse(const char *text, const char *expected)
{
	auto_spec struct spec *spec = new_spec();
	struct error err = { 0 };
	char story[1024];

	assert_true(policy_load_text(spec, "t.yaml", text, strlen(text), &err) < 0);
	error_print(&err, story, sizeof(story));
	assert_string_equal(story, expected);
}

static const char *shown(struct spec *spec, const char *key)
{
	const struct field *field = find_field(key);

	assert_non_null(field);
	return field_print(field, spec, &spec->arena);
}

static void a_key_that_does_not_exist_is_refused_with_its_place_and_the_nearest(void **state)
{
	(void)state;
	refuse("net: none\n  \nmemroy: 64M\n", "t.yaml:3:1: there is no setting \"memroy\"; did you mean \"memory\"?");
	refuse("{\"pids\": 3,\n \"extend\": \"x\"}", "t.yaml:2:2: there is no setting \"extend\"; did you mean \"extends\"?");
	refuse("zzzzzzzzzz: 1\n", "t.yaml:1:1: there is no setting \"zzzzzzzzzz\"");
}

static void a_bad_value_is_refused_with_its_place_and_what_was_wanted(void **state)
{
	(void)state;
	refuse("memory: lots\n", "t.yaml:1:9: memory: \"lots\" is not a size such as 512K, 64M, 1.5G, or none");
	refuse("pids: 0\n", "t.yaml:1:7: pids: \"0\" is out of range; it wants a whole number from 1, or none");
	refuse("tty: maybe\n", "t.yaml:1:6: tty: \"maybe\" is not auto, yes or no");
	refuse("ro:\n  - /usr\n  - {a: b}\n", "t.yaml:3:5: ro wants plain values in its list");
	refuse("memory: [1M, 2M]\n", "t.yaml:1:9: memory wants one value");
	refuse("memory:\n", "t.yaml:1:1: memory wants a value; here there is none");
	refuse("[a, b]\n", "t.yaml:1:1: a policy is a map of settings, such as \"memory: 64M\"");
	refuse("require: [seccomp, speed]\n", "t.yaml:1:20: require: \"speed\" is not a word that require knows");
}

static void what_is_only_for_the_command_line_is_refused_in_files(void **state)
{
	(void)state;
	refuse("result: out.json\n", "t.yaml:1:1: \"result\" belongs on the command line, not into a file");
	refuse("policy: b.yaml\n", "t.yaml:1:1: \"policy\" belongs on the command line, not into a file");
}

static void a_preset_that_does_not_exist_is_refused_with_the_nearest(void **state)
{
	(void)state;
	refuse("preset: jduge\n", "t.yaml:1:9: there is no preset \"jduge\"; did you mean \"judge\"?\n"
				  "  try: immure presets lists them  [E-PRESET-UNKNOWN]");
}

static void a_command_of_a_file_is_used_unless_one_is_given(void **state)
{
	auto_spec struct spec *spec = new_spec();

	(void)state;
	load_well(spec, "command: [python3, \"-c\", \"\"]\n");
	assert_string_equal(spec->command[0], "python3");
	assert_string_equal(spec->command[2], "");
	assert_null(spec->command[3]);
	spec_set_origin(spec, offsetof(struct spec, command), &command_line);
	load_well(spec, "command: [other]\n");
	assert_string_equal(spec->command[0], "python3");
	refuse("command: python3 -c x\n", "t.yaml:1:10: command wants a list: the program and its arguments");
	refuse("command: []\n", "t.yaml:1:10: command wants a list: the program and its arguments");
	refuse("command: [sh, [c]]\n", "t.yaml:1:15: command wants plain words in its list");
}

/* Whatever is read first, command line > file > preset > default, and lists are in that order from below. */
static void layers_win_in_their_order_whatever_is_read_first(void **state)
{
	(void)state;
	for (int order = 0; order < 3; order++) {
		auto_spec struct spec *spec = new_spec();

		for (int i = 0; i < 3; i++) {
			switch ((order + i) % 3) {
			case 0:
				assert_int_equal(preset_load(spec, "judge", NULL), 0);
				break;
			case 1:
				load_well(spec, "memory: 1G\npids: 7\nrlimit: nofile=10\nenv: [A=file]\n");
				break;
			default:
				assert_int_equal(field_set(find_field("pids"), spec, "5", &command_line, NULL), 0);
				assert_int_equal(field_set(find_field("env"), spec, "A=words", &command_line, NULL), 0);
			}
		}
		assert_string_equal(shown(spec, "pids"), "5");
		assert_string_equal(shown(spec, "memory"), "1G");
		assert_string_equal(shown(spec, "cpus"), "1");
		assert_string_equal(shown(spec, "env"), "LANG=C.UTF-8, A=file, A=words");
		assert_int_equal(SPEC_ORIGIN(spec, memory_bytes)->layer, LAYER_FILE);
		assert_int_equal(SPEC_ORIGIN(spec, cpus_thousandths)->layer, LAYER_PRESET);
	}
}

static void a_value_that_is_overruled_must_be_right_all_the_same(void **state)
{
	auto_spec struct spec *spec = new_spec();
	struct error err = { 0 };

	(void)state;
	assert_int_equal(field_set(find_field("memory"), spec, "5M", &command_line, NULL), 0);
	assert_true(policy_load_text(spec, "t.yaml", "memory: much\n", 13, &err) < 0);
	assert_string_equal(shown(spec, "memory"), "5M");
}

/* Files for what extends what, in a folder of their own. */

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int enter_folder(void **state)
{
	static const char *const files[][2] = {
		{ "base.yaml", "memory: 1M\npids: 9\nenv: A=base\n" },
		{ "sub/web.yaml", "extends: ../base.yaml\npids: 8\nenv: A=web\n" },
		{ "both.json", "{\"pids\": 4, \"extends\": [\"base.yaml\", \"sub/web.yaml\"]}" },
		{ "a.yaml", "extends: b.yaml\n" }, { "b.yaml", "extends: ./a.yaml\n" },
		{ "bad.yaml", "extends: wrong.yaml\n" }, { "wrong.yaml", "\nmemory: x\n" }, { "gone.yaml", "extends: nothing.yaml\n" },
		{ "judge.yaml", "preset: judge\n" }, { "ctf.yaml", "preset: ctf\nextends: judge.yaml\n" },
		{ "two.yaml", "extends: [judge.yaml, ctf.yaml]\n" },
	};
	char *path = strdup("/tmp/immure-policy-XXXXXX");

	if (!path || !mkdtemp(path) || chdir(path) < 0 || system("mkdir sub") != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		write_file(files[i][0], files[i][1]);
	*state = path;
	return 0;
}

static int leave_folder(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", (char *)*state);
	free(*state);
	return chdir("/") < 0 || system(command) != 0 ? -1 : 0;
}

static void load_file_well(struct spec *spec, const char *path)
{
	struct error err = { 0 };
	char story[1024];

	if (policy_load(spec, path, &err) == 0)
		return;
	error_print(&err, story, sizeof(story));
	fail_msg("%s", story);
}

static void refuse_file(const char *path, const char *expected)
{
	auto_spec struct spec *spec = new_spec();
	struct error err = { 0 };
	char story[1024];

	assert_true(policy_load(spec, path, &err) < 0);
	error_print(&err, story, sizeof(story));
	assert_string_equal(story, expected);
}

static void a_file_extends_others_relative_to_itself(void **state)
{
	auto_spec struct spec *one = new_spec(), *both = new_spec();

	(void)state;
	load_file_well(one, "sub/web.yaml");
	assert_string_equal(shown(one, "memory"), "1M");
	assert_string_equal(shown(one, "pids"), "8");
	assert_string_equal(shown(one, "env"), "A=base, A=web");
	load_file_well(both, "both.json");
	assert_string_equal(shown(both, "pids"), "4");
	assert_string_equal(shown(both, "env"), "A=base, A=base, A=web");
}

static void files_that_extend_each_other_are_refused_with_the_chain(void **state)
{
	(void)state;
	refuse_file("a.yaml", "a.yaml:1:10: extends: b.yaml:1:10: it extends itself: a.yaml > b.yaml > ./a.yaml");
	refuse_file("bad.yaml", "bad.yaml:1:10: extends: wrong.yaml:2:9: memory: \"x\" is not a size such as 512K, 64M, 1.5G, or none");
	refuse_file("gone.yaml", "gone.yaml:1:10: extends: open nothing.yaml: No such file or directory");
}

static void too_long_a_chain_is_refused(void **state)
{
	auto_spec struct spec *spec = new_spec();
	struct error err = { 0 };
	char name[32], text[64], story[2048];

	(void)state;
	for (int i = 0; i < POLICY_MOST_DEPTH + 1; i++) {
		snprintf(name, sizeof(name), "n%d.yaml", i);
		snprintf(text, sizeof(text), "extends: n%d.yaml\n", i + 1);
		write_file(name, text);
	}
	write_file("n17.yaml", "pids: 1\n");
	assert_true(policy_load(spec, "n0.yaml", &err) < 0);
	error_print(&err, story, sizeof(story));
	assert_non_null(strstr(story, "too many files extend each other: n0.yaml > n1.yaml > "));
	load_file_well(spec, "n2.yaml");
	assert_string_equal(shown(spec, "pids"), "1");
}

static void the_preset_nearest_to_the_command_line_counts(void **state)
{
	auto_spec struct spec *spec = new_spec(), *chosen = new_spec();

	(void)state;
	load_file_well(spec, "ctf.yaml");
	assert_string_equal(shown(spec, "memory"), "64M");
	assert_int_equal(preset_load(chosen, "enclave", NULL), 0);
	assert_int_equal(field_set(find_field("preset"), chosen, "enclave", &command_line, NULL), 0);
	load_file_well(chosen, "judge.yaml");
	assert_string_equal(shown(chosen, "seccomp"), "strict");
	assert_string_equal(shown(chosen, "memory"), "none");
	refuse_file("two.yaml", "two.yaml:1:23: extends: ctf.yaml:1:9: preset: judge.yaml:1:9 chose judge already");
}

/* As YAML in double quotes, which is JSON as well: the same escapes. */
static void expect_same(const struct field *field, const char *printed, bool is_list, bool is_json)
{
	auto_spec struct spec *spec = new_spec();
	auto_text struct text text = { 0 };

	text_add(&text, is_json ? "{\"%s\": %s" : "%s: %s", field->key, is_list ? "[" : "");
	json_add_string(&text, printed);
	text_add(&text, "%s%s\n", is_list ? "]" : "", is_json ? "}" : "");
	load_well(spec, text.bytes);
	assert_string_equal(field_print(field, spec, &spec->arena), printed);
}

static void every_option_can_be_set_from_yaml_and_json_to_what_it_prints(void **state)
{
	unsigned count = 0;

	(void)state;
	for (const struct feature *const *f = features; *f; f++) {
		for (const struct field *row = (*f)->fields; row && row->key; row++) {
			auto_spec struct spec *spec = new_spec();
			const char *printed;

			count++;
			if (row->is_hidden_in_files || strcmp(row->key, "preset") == 0)
				continue;
			if (field_set(row, spec, sample(row), &command_line, NULL) < 0)
				fail_msg("%s does not take its sample %s", row->key, sample(row));
			printed = field_print(row, spec, &spec->arena);
			assert_string_not_equal(printed, "");
			if (row->fallback && row->type != FIELD_ENUM)
				assert_string_not_equal(printed, row->fallback);
			expect_same(row, printed, false, false);
			expect_same(row, printed, false, true);
			if (field_is_list(row))
				expect_same(row, printed, true, true);
		}
	}
	assert_true(count > 40);
}

static void every_preset_is_a_policy_with_a_reason_for_each_setting(void **state)
{
	(void)state;
	for (const struct embedded_text *preset = preset_texts; preset->name; preset++) {
		auto_spec struct spec *spec = new_spec();
		struct error err = { 0 };
		char *copy = strdup(preset->text), *save = NULL, story[1024];

		if (preset_load(spec, preset->name, &err) < 0) {
			error_print(&err, story, sizeof(story));
			fail_msg("%s", story);
		}
		for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
			if (!strchr(line, '#') && line[strlen(line) - 1] != ':')
				fail_msg("%s: no reason is given for: %s", preset->name, line);
		free(copy);
	}
}

static int add_value(void *argument, const char *text, const struct origin *origin)
{
	struct text *all = argument;
	char where[ORIGIN_TEXT];

	text_add(all, "%s from %s, ", text, origin_print(origin, where));
	return 0;
}

/* All that SPEC holds, with where it came from; lists item by item. */
static char *values(struct spec *spec)
{
	struct text all = { 0 };

	for (const struct feature *const *f = features; *f; f++) {
		for (const struct field *row = (*f)->fields; row && row->key; row++) {
			text_add(&all, "\n%s: ", row->key);
			assert_int_equal(field_each(row, spec, &spec->arena, add_value, &all), 0);
		}
	}
	assert_non_null(all.bytes);
	return all.bytes;
}

/* Settings are tabled when immure is built, for a build without a reader of YAML; the text is what people read. */
static void a_preset_sets_what_its_text_says(void **state)
{
	unsigned count = 0;

	(void)state;
	for (const struct embedded_text *preset = preset_texts; preset->name; preset++, count++) {
		auto_spec struct spec *shipped = new_spec(), *read = new_spec(), *unset = new_spec();
		char name[64], *is, *should, *without;

		snprintf(name, sizeof(name), "preset %s", preset->name);
		assert_int_equal(preset_load(shipped, preset->name, NULL), 0);
		assert_int_equal(policy_load_text(read, name, preset->text, strlen(preset->text), NULL), 0);
		is = values(shipped);
		should = values(read);
		without = values(unset);
		assert_string_equal(is, should);
		assert_string_not_equal(is, without);
		free(is);
		free(should);
		free(without);
		assert_string_equal(shipped_presets[count].name, preset->name);
	}
	assert_true(count >= 6);
	assert_null(shipped_presets[count].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_that_does_not_exist_is_refused_with_its_place_and_the_nearest),
		cmocka_unit_test(a_bad_value_is_refused_with_its_place_and_what_was_wanted),
		cmocka_unit_test(what_is_only_for_the_command_line_is_refused_in_files),
		cmocka_unit_test(a_preset_that_does_not_exist_is_refused_with_the_nearest),
		cmocka_unit_test(a_command_of_a_file_is_used_unless_one_is_given),
		cmocka_unit_test(layers_win_in_their_order_whatever_is_read_first),
		cmocka_unit_test(a_value_that_is_overruled_must_be_right_all_the_same),
		cmocka_unit_test_setup_teardown(a_file_extends_others_relative_to_itself, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(files_that_extend_each_other_are_refused_with_the_chain, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(too_long_a_chain_is_refused, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(the_preset_nearest_to_the_command_line_counts, enter_folder, leave_folder),
		cmocka_unit_test(every_option_can_be_set_from_yaml_and_json_to_what_it_prints),
		cmocka_unit_test(every_preset_is_a_policy_with_a_reason_for_each_setting),
		cmocka_unit_test(a_preset_sets_what_its_text_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
