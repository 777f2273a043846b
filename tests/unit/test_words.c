/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is handed to another process is what was asked: every option, every mount, the filter, and where each came from. A setting
 * that is lost on the way would be a wall less.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "api/api.h"
#include "base/text.h"
#include "feature/feature.h"
#include "feature/words.h"
#include "filter/filter.h"
#include "sample.h"
#include "spec/mount.h"

enum { MOST_WORDS = 64 };

#define auto_spec __attribute__((cleanup(free_spec)))
static void free_spec(struct immure_spec **spec)
{
	immure_spec_free(*spec);
}

static struct immure_spec *new_spec(void)
{
	struct immure_spec *spec = immure_spec_new();

	assert_non_null(spec);
	return spec;
}

/* SPEC as it arrives elsewhere; what was written is gone by then. */
static struct immure_spec *hand_over(const struct immure_spec *spec)
{
	struct immure_spec *other = calloc(1, sizeof(*other));
	auto_text struct text words = { 0 };
	struct error err = { 0 };
	char story[1024];

	assert_non_null(other);
	if (spec_write_words(&spec->spec, &words, &err) < 0 || spec_read_words(&other->spec, words.bytes, words.used, &err) < 0) {
		error_print(&err, story, sizeof(story));
		fail_msg("%s", story);
	}
	memset(words.bytes, 0x5a, words.used);
	other->is_resolved = true;
	return other;
}

static bool same_origin(const struct origin *left, const struct origin *right)
{
	return left->layer == right->layer && text_same(left->source, right->source) && left->line == right->line &&
	       left->column == right->column;
}

static int add_with_origin(void *argument, const char *text, const struct origin *origin)
{
	char where[ORIGIN_TEXT];

	text_add(argument, "%s (%s, layer %d)\n", text, origin_print(origin, where), origin->layer);
	return 0;
}

/* Every row prints as before, item by item, each with its origin. */
static void assert_same_settings(struct immure_spec *left, struct immure_spec *right)
{
	for (const struct feature *const *f = features; *f; f++) {
		for (const struct field *row = (*f)->fields; row && row->key; row++) {
			auto_text struct text one = { 0 }, other = { 0 };

			assert_int_equal(field_each(row, &left->spec, &left->spec.arena, add_with_origin, &one), 0);
			assert_int_equal(field_each(row, &right->spec, &right->spec.arena, add_with_origin, &other), 0);
			if (!text_same(one.bytes, other.bytes))
				fail_msg("%s: %s became %s", row->key, one.bytes, other.bytes);
			if (!same_origin(spec_origin(&left->spec, row->offset), spec_origin(&right->spec, row->offset)))
				fail_msg("%s has another origin", row->key);
		}
	}
	assert_true(same_origin(spec_origin(&left->spec, offsetof(struct spec, command)),
				spec_origin(&right->spec, offsetof(struct spec, command))));
}

/* The explanation as JSON, or the story of its refusal. */
static char *explain(struct immure_spec *spec)
{
	struct immure_error err = { 0 };
	char *text = NULL;

	return immure_explain(spec, IMMURE_JSON, &text, &err) == 0 ? text : strdup(err.text);
}

static void set_host(struct immure_spec *spec, const char *name)
{
	const bool was_resolved = spec->is_resolved;
	struct immure_error err;
	char path[4096];

	snprintf(path, sizeof(path), "%s/hosts/%s", getenv("TESTS"), name);
	if (immure_spec_host(spec, path, &err) < 0)
		fail_msg("%s", err.text);
	spec->is_resolved = was_resolved;
}

/* Whether there was anything to compare. */
static bool compare_plans(struct immure_spec *left, const char *host)
{
	auto_free char *here = NULL, *there = NULL;
	auto_spec struct immure_spec *right = NULL;

	set_host(left, host);
	here = explain(left);
	if (!left->is_resolved) /* refused before anything would be handed over */
		return false;
	right = hand_over(left);
	set_host(right, host);
	there = explain(right);
	assert_non_null(here);
	assert_string_equal(here, there);
	return true;
}

static unsigned each_host(struct immure_spec *(*make)(const void *argument), const void *argument)
{
	char path[4096];
	struct dirent *entry;
	unsigned count = 0;
	DIR *hosts;

	snprintf(path, sizeof(path), "%s/hosts", getenv("TESTS"));
	hosts = opendir(path);
	assert_non_null(hosts);
	while ((entry = readdir(hosts))) {
		auto_spec struct immure_spec *spec = NULL;

		if (!strstr(entry->d_name, ".json"))
			continue;
		spec = make(argument);
		count += compare_plans(spec, entry->d_name);
	}
	closedir(hosts);
	return count;
}

/* Content is read where the caller is; here it is given, with a NUL in it. */
static void give_contents(struct spec *spec)
{
	for (struct mount *mount = spec->mounts; mount; mount = mount->next) {
		if (!mount_has_content(mount->kind))
			continue;
		mount->bytes = "a\0b\n";
		mount->content_size = 4;
	}
}

static void set_sample(struct immure_spec *spec, const struct field *row, enum layer layer)
{
	const struct origin origin = { .layer = layer, .source = layer == LAYER_FILE ? "web.yaml" : "--test", .line = 3, .column = 7 };
	struct error err = { 0 };
	const char *text = sample(row);

	if (!text)
		fail_msg("%s: its type has no sample", row->key);
	if (field_set(row, &spec->spec, text, &origin, &err) < 0)
		fail_msg("%s does not take its sample %s", row->key, text);
}

static void all_options_arrive(void **state)
{
	auto_spec struct immure_spec *spec = new_spec(), *other = NULL;
	unsigned count = 0;
	char *const command[] = { "a program", "", "-x", NULL };

	(void)state;
	for (const struct feature *const *f = features; *f; f++)
		for (const struct field *row = (*f)->fields; row && row->key; row++, count++)
			set_sample(spec, row, count % 2 ? LAYER_FILE : LAYER_COMMAND);
	assert_true(count > 60);
	assert_int_equal(immure_spec_command(spec, command, NULL), 0);
	assert_int_equal(spec_make_absolute(&spec->spec, "/some/where", NULL), 0);
	give_contents(&spec->spec);
	other = hand_over(spec);
	assert_same_settings(spec, other);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(other->spec.command[i], command[i]);
	assert_null(other->spec.command[3]);
}

static struct immure_spec *with_one_row(const void *argument)
{
	struct immure_spec *spec = new_spec();
	char *const command[] = { "/bin/true", NULL };

	set_sample(spec, argument, LAYER_FILE);
	assert_int_equal(spec_make_absolute(&spec->spec, "/some/where", NULL), 0);
	give_contents(&spec->spec);
	assert_int_equal(immure_spec_command(spec, command, NULL), 0);
	return spec;
}

/* Each alone, because together they would contradict each other: then a story would be compared, and no plan. */
static void each_option_alone_plans_the_same_on_every_machine(void **state)
{
	unsigned count = 0, refused = 0;

	(void)state;
	for (const struct feature *const *f = features; *f; f++)
		for (const struct field *row = (*f)->fields; row && row->key; row++, count++)
			refused += each_host(with_one_row, row) < 12;
	assert_true(count > 60 && refused <= 4); /* samples that name no profile, no call */
}

static struct immure_spec *from_line(const void *argument)
{
	struct immure_spec *spec = new_spec();
	char *words[MOST_WORDS], *copy = strdup(argument), *save = NULL;
	struct immure_error err;
	int count = 0, used;

	for (char *word = strtok_r(copy, " \n", &save); word && count < MOST_WORDS - 1; word = strtok_r(NULL, " \n", &save))
		words[count++] = word;
	words[count] = NULL;
	used = immure_spec_arguments(spec, count - 1, words + 1, &err);
	if (used < 0 || immure_spec_command(spec, words + 1 + used, &err) < 0)
		fail_msg("%s: %s", words[0], err.text);
	free(copy);
	return spec;
}

static void every_golden_spec_plans_the_same(void **state)
{
	char path[4096], *line = NULL;
	size_t size = 0;
	unsigned count = 0;
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/golden/specs.txt", getenv("TESTS"));
	file = fopen(path, "r");
	assert_non_null(file);
	while (getline(&line, &size, file) > 0)
		if (line[0] != '#' && line[0] != '\n' && !strpbrk(line, "'\"\\") && ++count)
			assert_true(each_host(from_line, line) >= 12);
	free(line);
	fclose(file);
	assert_true(count >= 20);
}

/* ---- members ---- */

#if defined(__has_builtin)
#if __has_builtin(__builtin_clear_padding)
#define HAS_CLEAR_PADDING
#endif
#endif

#ifdef HAS_CLEAR_PADDING
static void cover(unsigned char *bytes, size_t offset, size_t size)
{
	memset(bytes + offset, 0, size);
}

/* Where a byte is left that is neither padding nor covered; -1: nowhere. */
static long first_left(const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return (long)i;
	return -1;
}
#endif

static void no_member_of_a_mount_is_forgotten(void **state)
{
	(void)state;
#ifdef HAS_CLEAR_PADDING
	struct mount mount;
	unsigned char *bytes = (unsigned char *)&mount;

	memset(bytes, 0xff, sizeof(mount));
	__builtin_clear_padding(&mount);
	assert_true(bytes[offsetof(struct mount, is_optional)] != 0); /* the test bites */
	for (size_t i = 0; i < ARRAY_SIZE(mount_members); i++)
		cover(bytes, mount_members[i].offset, mount_members[i].size);
	cover(bytes, offsetof(struct mount, content_size), sizeof(mount.content_size));
	cover(bytes, offsetof(struct mount, lower_count), sizeof(mount.lower_count));
	cover(bytes, offsetof(struct mount, origin), sizeof(mount.origin));
	cover(bytes, offsetof(struct mount, next), sizeof(mount.next));
	assert_int_equal(first_left(bytes, sizeof(mount)), -1);
#else
	skip();
#endif
}

static void no_member_of_a_spec_is_forgotten(void **state)
{
	(void)state;
#ifdef HAS_CLEAR_PADDING
	static const size_t sizes[FIELD_TYPES] = {
		[FIELD_FLAG] = sizeof(bool), [FIELD_OCTAL] = sizeof(unsigned), [FIELD_ENUM] = sizeof(unsigned),
		[FIELD_NAMESPACE] = sizeof(struct namespace_choice), /* all others have eight bytes: a number or a pointer */
	};
	struct spec *spec = malloc(sizeof(*spec));
	unsigned char *bytes = (unsigned char *)spec;

	memset(bytes, 0xff, sizeof(*spec));
	__builtin_clear_padding(spec);
	for (const struct feature *const *f = features; *f; f++)
		for (const struct field *row = (*f)->fields; row && row->key; row++)
			cover(bytes, row->offset, sizes[row->type] ? sizes[row->type] : 8);
	assert_true(bytes[offsetof(struct spec, custom_filter)] != 0); /* the test bites */
	cover(bytes, 0, offsetof(struct spec, userns)); /* arena, caller, command: the other tests */
	cover(bytes, offsetof(struct spec, origin_count), sizeof(*spec) - offsetof(struct spec, origin_count));
	cover(bytes, offsetof(struct spec, custom_profile), sizeof(spec->custom_profile));
	cover(bytes, offsetof(struct spec, caller_environment), sizeof(spec->caller_environment));
	cover(bytes, offsetof(struct spec, custom_filter), sizeof(spec->custom_filter));
	cover(bytes, offsetof(struct spec, compiled_filters), sizeof(spec->compiled_filters)); /* refused */
	cover(bytes, offsetof(struct spec, is_kept), sizeof(spec->is_kept)); /* the keeper's own word */
	cover(bytes, offsetof(struct spec, is_holder), sizeof(spec->is_holder)); /* and more of them */
	cover(bytes, offsetof(struct spec, pod_mounts), sizeof(spec->pod_mounts));
	cover(bytes, offsetof(struct spec, borrows_proc), sizeof(spec->borrows_proc));
	cover(bytes, offsetof(struct spec, borrows_shm), sizeof(spec->borrows_shm));
	cover(bytes, offsetof(struct spec, has_common_group), sizeof(spec->has_common_group));
	if (first_left(bytes, sizeof(*spec)) >= 0)
		fail_msg("the member at byte %ld of struct spec has neither a row nor words of its own", first_left(bytes, sizeof(*spec)));
	free(spec);
#else
	skip();
#endif
}

static void every_member_of_a_mount_arrives(void **state)
{
	static const char *lowers[] = { "/a", "/b,c", NULL };
	struct mount second = { .kind = MOUNT_FILE, .target = "/e", .bytes = "", .content_size = 0, .descriptor = -1, .content = CONTENT_PATH,
				.source = "/x", .origin = { .layer = LAYER_COMMAND, .source = "--file" } };
	struct mount first = { .kind = MOUNT_LAYERS, .source = "/s", .target = "/t", .content = CONTENT_DESCRIPTOR, .bytes = "x\0\xff\n",
			       .content_size = 4, .descriptor = 17, .device = UINT64_MAX - 1, .inode = 1ULL << 40, .size_bytes = 12345, .inodes = 6,
			       .mode = 06751, .has_mode = true, .is_optional = true, .lowers = lowers, .lower_count = 2, .upper = "/u", .work = "/w",
			       .origin = { .layer = LAYER_PRESET, .source = "preset judge", .line = 8, .column = 9 }, .next = &second };
	auto_spec struct immure_spec *spec = new_spec(), *other = NULL;
	const struct mount *at;

	(void)state;
	spec->spec.mounts = &first;
	other = hand_over(spec);
	at = other->spec.mounts;
	assert_non_null(at);
	for (size_t i = 0; i < ARRAY_SIZE(mount_members); i++) {
		const struct mount_member *row = &mount_members[i];
		const void *left = (const char *)&first + row->offset, *right = (const char *)at + row->offset;

		if (row->type == MEMBER_NUMBER)
			assert_memory_equal(left, right, row->size);
		else if (row->type == MEMBER_TEXT)
			assert_string_equal(*(const char *const *)left, *(const char *const *)right);
	}
	assert_int_equal(at->content_size, 4);
	assert_memory_equal(at->bytes, "x\0\xff\n", 4);
	assert_int_equal(at->lower_count, 2);
	assert_string_equal(at->lowers[1], "/b,c");
	assert_null(at->lowers[2]);
	assert_true(same_origin(&at->origin, &first.origin));
	at = at->next;
	assert_non_null(at);
	assert_non_null(at->bytes); /* an empty file is not one that is still to be read */
	assert_int_equal(at->content_size, 0);
	assert_int_equal(at->descriptor, -1);
	assert_null(at->upper);
	assert_null(at->lowers);
	assert_null(at->next);
}

static void what_the_caller_lends_arrives(void **state)
{
	static const char *const variables[] = { "A=1", "B=", NULL };
	const struct caller caller = { .cwd = "/here", .logical_cwd = "/there", .term = "vt100", .lang = NULL, .runtime = "/run/user/7",
				       .stdout_path = "/dev/pts/9", .stdin_is_tty = true, .stderr_is_stdout = true, .umask = 027 };
	auto_spec struct immure_spec *spec = new_spec(), *other = NULL;
	const struct caller *at;

	(void)state;
	spec->spec.caller = caller;
	spec->spec.caller_environment = variables;
	other = hand_over(spec);
	at = &other->spec.caller;
	assert_string_equal(at->cwd, "/here");
	assert_string_equal(at->logical_cwd, "/there");
	assert_string_equal(at->term, "vt100");
	assert_null(at->lang);
	assert_string_equal(at->runtime, "/run/user/7");
	assert_string_equal(at->stdout_path, "/dev/pts/9");
	assert_true(at->stdin_is_tty && at->stderr_is_stdout);
	assert_false(at->stdout_is_tty || at->stderr_is_tty);
	assert_int_equal(at->umask, 027);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(other->spec.caller_environment[i], variables[i]);
	assert_null(other->spec.caller_environment[2]);
}

static void no_member_of_the_caller_is_forgotten(void **state)
{
	(void)state;
#ifdef HAS_CLEAR_PADDING
	/* Each of them is in the test above: one that is added here must be added there. */
	static const size_t eight[] = { offsetof(struct caller, cwd), offsetof(struct caller, logical_cwd), offsetof(struct caller, term),
		offsetof(struct caller, lang), offsetof(struct caller, runtime), offsetof(struct caller, stdout_path) };
	static const size_t one[] = { offsetof(struct caller, stdin_is_tty), offsetof(struct caller, stdout_is_tty),
		offsetof(struct caller, stderr_is_tty), offsetof(struct caller, stderr_is_stdout) };
	struct caller caller;
	unsigned char *bytes = (unsigned char *)&caller;

	memset(bytes, 0xff, sizeof(caller));
	__builtin_clear_padding(&caller);
	for (size_t i = 0; i < ARRAY_SIZE(eight); i++)
		cover(bytes, eight[i], 8);
	for (size_t i = 0; i < ARRAY_SIZE(one); i++)
		cover(bytes, one[i], 1);
	cover(bytes, offsetof(struct caller, umask), sizeof(caller.umask));
	assert_int_equal(first_left(bytes, sizeof(caller)), -1);
#else
	skip();
#endif
}

/* ---- filters ---- */

static void the_same_filter_is_loaded_and_denials_have_the_same_names(void **state)
{
	char line[] = "x --seccomp-deny socket(arg0==16) --seccomp-allow ptrace --nested-userns /bin/true";
	auto_spec struct immure_spec *spec = from_line(line), *other = NULL;
	const struct filter *left, *right;
	auto_free char *here = NULL;

	(void)state;
	set_host(spec, "debian12-root.json");
	here = explain(spec);
	assert_non_null(strstr(here, "load the filter"));
	left = spec->spec.custom_filter;
	assert_non_null(left);
	other = hand_over(spec);
	right = other->spec.custom_filter;
	assert_string_equal(left->name, right->name);
	assert_int_equal(left->count, right->count);
	assert_memory_equal(left->program, right->program, left->count * sizeof(*left->program));
	assert_int_equal(left->denied_count, right->denied_count);
	assert_memory_equal(left->denied, right->denied, left->denied_count * sizeof(*left->denied));
	assert_int_equal(left->denied_return, right->denied_return);
	assert_int_equal(spec->spec.custom_profile->rule_count, other->spec.custom_profile->rule_count);
	for (int call = 0; call < 500; call++) {
		const uint64_t args[FILTER_ARGS] = { 16 };

		assert_int_equal(filter_run(left, call, args), filter_run(right, call, args));
		assert_string_equal(profile_explain(spec->spec.custom_profile, call, args),
				    profile_explain(other->spec.custom_profile, call, args));
	}
}

/* ---- refusals ---- */

static void refuse(const void *bytes, size_t size, const char *expected)
{
	struct spec spec = { 0 };
	struct error err = { 0 };
	char story[1024];

	assert_true(spec_read_words(&spec, bytes, size, &err) < 0);
	error_print(&err, story, sizeof(story));
	if (!strstr(story, expected))
		fail_msg("%s", story);
	assert_null(spec.arena.chunks);
}

static void bytes_that_are_cut_or_go_on_are_refused(void **state)
{
	char line[] = "x --ro /usr --file /f=text --seccomp-deny socket /bin/true";
	auto_spec struct immure_spec *spec = from_line(line);
	auto_free char *here = NULL;
	auto_text struct text words = { 0 };

	(void)state;
	set_host(spec, "debian12-root.json");
	here = explain(spec);
	assert_int_equal(spec_write_words(&spec->spec, &words, NULL), 0);
	for (size_t size = 0; size < words.used; size += size < 4000 || size > words.used - 400 ? 1 : 97) {
		auto_free char *exact = malloc(size + 1); /* a sanitizer sees what is read behind it */

		memcpy(exact, words.bytes, size);
		refuse(exact, size, "E-WORDS");
	}
	text_add_bytes(&words, "", 1);
	refuse(words.bytes, words.used, "E-WORDS");
}

static void another_version_is_told_so(void **state)
{
	auto_spec struct immure_spec *spec = new_spec();
	auto_text struct text words = { 0 };

	(void)state;
	assert_int_equal(spec_write_words(&spec->spec, &words, NULL), 0);
	words.bytes[8 + sizeof("immure spec")]++;
	refuse(words.bytes, words.used, "another version's of immure");
}

static void what_is_not_resolved_is_not_handed_over(void **state)
{
	auto_spec struct immure_spec *spec = new_spec();
	auto_text struct text words = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(immure_spec_set(spec, "file", "/f=@/etc/passwd", NULL, NULL), 0);
	assert_int_equal(spec_write_words(&spec->spec, &words, &err), -22);
	give_contents(&spec->spec); /* the control */
	assert_int_equal(spec_write_words(&spec->spec, &words, NULL), 0);
}

/* Elsewhere it would be another descriptor, or none: the filter would be missing. */
static void a_filter_from_a_descriptor_is_not_handed_over(void **state)
{
	static const struct compiled_filter filter = { 0 };
	auto_spec struct immure_spec *spec = new_spec();
	auto_text struct text words = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(spec_write_words(&spec->spec, &words, NULL), 0); /* the control */
	spec->spec.compiled_filters = &filter;
	assert_int_equal(spec_write_words(&spec->spec, &words, &err), -22);
}

static void more_than_can_be_handed_over_is_refused(void **state)
{
	auto_spec struct immure_spec *spec = new_spec();
	auto_text struct text words = { 0 };
	auto_free char *much = calloc(1, WORDS_MOST);
	struct error err = { 0 };

	(void)state;
	assert_int_equal(immure_spec_set(spec, "file", "/f=text", NULL, NULL), 0);
	spec->spec.mounts->bytes = much;
	spec->spec.mounts->content_size = WORDS_MOST - 100000;
	assert_int_equal(spec_write_words(&spec->spec, &words, &err), 0);
	text_free(&words);
	spec->spec.mounts->content_size = WORDS_MOST;
	assert_int_equal(spec_write_words(&spec->spec, &words, &err), -7);
	assert_string_equal(err.id, "E-WORDS-SIZE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_options_arrive),
		cmocka_unit_test(each_option_alone_plans_the_same_on_every_machine),
		cmocka_unit_test(every_golden_spec_plans_the_same),
		cmocka_unit_test(no_member_of_a_mount_is_forgotten),
		cmocka_unit_test(no_member_of_a_spec_is_forgotten),
		cmocka_unit_test(every_member_of_a_mount_arrives),
		cmocka_unit_test(what_the_caller_lends_arrives),
		cmocka_unit_test(no_member_of_the_caller_is_forgotten),
		cmocka_unit_test(the_same_filter_is_loaded_and_denials_have_the_same_names),
		cmocka_unit_test(bytes_that_are_cut_or_go_on_are_refused),
		cmocka_unit_test(another_version_is_told_so),
		cmocka_unit_test(what_is_not_resolved_is_not_handed_over),
		cmocka_unit_test(a_filter_from_a_descriptor_is_not_handed_over),
		cmocka_unit_test(more_than_can_be_handed_over_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
