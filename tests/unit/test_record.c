/* SPDX-License-Identifier: Apache-2.0 */
/* What a jail was asked to be, read as a policy file, is planned as the same jail: nothing of it was lost when it was written down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/api.h"
#include "feature/feature.h"
#include "feature/record.h"
#include "load/policy.h"

enum { MOST_WORDS = 64 };

struct planned {
	struct immure_spec *spec;
	struct plan *plan;
	struct arena arena;
	int rc;
};

static void fail_by(const char *what, const struct error *err)
{
	char story[1024];

	error_print(err, story, sizeof(story));
	fail_msg("%s: %s", what, story);
}

static void open_spec(struct planned *planned, const char *host)
{
	struct immure_error err;
	char path[4096];

	*planned = (struct planned){ .spec = immure_spec_new(), .plan = calloc(1, sizeof(*planned->plan)) };
	assert_non_null(planned->spec);
	assert_non_null(planned->plan);
	snprintf(path, sizeof(path), "%s/hosts/%s.json", getenv("TESTS"), host);
	assert_int_equal(immure_spec_host(planned->spec, path, &err), 0);
}

static void make(struct planned *planned, const char *what)
{
	struct error err = { 0 };

	if (resolve(planned->spec, &err) < 0)
		fail_by(what, &err);
	planned->rc = plan_make(planned->plan, &planned->arena, &planned->spec->spec, &planned->spec->host, &err);
}

static void close_spec(struct planned *planned)
{
	immure_spec_free(planned->spec);
	arena_free(&planned->arena);
	free(planned->plan);
}

static bool is_for_words_only(const struct spec *spec)
{
	for (const struct feature *const *f = features; *f; f++)
		for (const struct field *row = (*f)->fields; row && row->key; row++)
			if (row->is_hidden_in_files && spec_origin(spec, row->offset)->layer != LAYER_DEFAULT)
				return true;
	return false;
}

static bool same_text(const char *left, const char *right)
{
	return left == right || (left && right && strcmp(left, right) == 0);
}

static void assert_same_plan(const struct planned *left, const struct planned *right, const char *what)
{
	assert_int_equal(left->rc, right->rc);
	if (left->rc < 0)
		return;
	if (left->plan->count != right->plan->count)
		fail_msg("%s: %d steps, and then %d", what, left->plan->count, right->plan->count);
	for (int i = 0; i < left->plan->count; i++) {
		const struct step *one = &left->plan->steps[i], *other = &right->plan->steps[i];

		if (one->op != other->op || one->side != other->side || one->flags != other->flags || one->number != other->number ||
		    one->more != other->more || one->size != other->size || one->how != other->how || !same_text(one->subject, other->subject) ||
		    !same_text(one->text, other->text))
			fail_msg("%s: step %d was %d %s (%s), and is %d %s (%s)", what, i, one->op, one->subject ? one->subject : "",
				 one->text ? one->text : "", other->op, other->subject ? other->subject : "", other->text ? other->text : "");
	}
}

/* False: it has words that no policy file may have. */
static bool try_words(const char *host, const char *what, int argc, char *const argv[])
{
	struct planned asked, again;
	struct text record = { 0 };
	struct immure_error told;
	struct error err = { 0 };
	int used;

	open_spec(&asked, host);
	used = immure_spec_arguments(asked.spec, argc, argv, &told);
	if (used < 0 || immure_spec_command(asked.spec, argv + used, &told) < 0)
		fail_msg("%s: %s", what, told.text);
	make(&asked, what);
	if (is_for_words_only(&asked.spec->spec)) {
		close_spec(&asked);
		return false;
	}
	assert_int_equal(spec_record(&asked.spec->spec, &record), 0);
	open_spec(&again, host);
	if (policy_load_text(&again.spec->spec, "record", record.bytes, record.used, &err) < 0) {
		printf("%s\n", record.bytes);
		fail_by(what, &err);
	}
	make(&again, what);
	assert_same_plan(&asked, &again, what);
	close_spec(&asked);
	close_spec(&again);
	text_free(&record);
	return true;
}

static void a_recorded_jail_is_planned_again_as_it_was(void **state)
{
	static const char *const hosts[] = { "debian12-root", "debian12-user", "hybrid-root" };
	char path[4096], line[2048];
	unsigned tried = 0, left_out = 0;

	(void)state;
	snprintf(path, sizeof(path), "%s/golden/specs.txt", getenv("TESTS"));
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		FILE *file = fopen(path, "re");

		assert_non_null(file);
		while (fgets(line, sizeof(line), file)) {
			char *argv[MOST_WORDS + 1] = { NULL }, *name, *rest;
			int argc = 0;

			if (line[0] == '#' || !(name = strtok_r(line, " \n", &rest)))
				continue;
			while (argc < MOST_WORDS && (argv[argc] = strtok_r(NULL, " \n", &rest)))
				argc++;
			if (try_words(hosts[i], name, argc, argv))
				tried++;
			else
				left_out++;
		}
		fclose(file);
	}
	assert_true(tried > 100);
	assert_true(left_out > 0 && left_out < tried / 5);
}

static void what_quotes_and_lines_hold_comes_back(void **state)
{
	char *const argv[] = { (char *)"--env", (char *)"A=\"x\\ \n\t'\x7f\xc3\xa4", (char *)"--file", (char *)"/a=@not a path", (char *)"-p", (char *)"service",
		(char *)"--ro-try", (char *)"/no:/with \\: colon", (char *)"--rlimit", (char *)"cpu=5", (char *)"--health", (char *)"sh -c 'a b'",
		(char *)"--log-size", (char *)"none", (char *)"true", (char *)"no", (char *)"", (char *)"a b\n", NULL };

	(void)state;
	assert_true(try_words("debian12-root", "quotes", 17, argv));
}

static void of_two_at_one_place_the_later_wins_again(void **state)
{
	char *const argv[] = { (char *)"--tmpfs", (char *)"/x", (char *)"--ro", (char *)"/usr:/x", (char *)"true", NULL };
	char *const other[] = { (char *)"--ro", (char *)"/usr:/x", (char *)"--tmpfs", (char *)"/x", (char *)"true", NULL };

	(void)state;
	assert_true(try_words("debian12-root", "source last", 5, argv));
	assert_true(try_words("debian12-root", "tmpfs last", 5, other));
}

static void bytes_that_are_no_text_are_seen_as_a_loss(void **state)
{
	char *const argv[] = { (char *)"--env", (char *)"A=\xff", (char *)"true", NULL };
	struct planned asked;
	struct text record = { 0 };
	struct immure_error told;

	(void)state;
	open_spec(&asked, "debian12-root");
	assert_int_equal(immure_spec_arguments(asked.spec, 3, argv, &told), 2);
	assert_int_equal(spec_record(&asked.spec->spec, &record), 0);
	assert_non_null(strstr(record.bytes, RECORD_LOSS));
	text_free(&record);
	close_spec(&asked);
}

static void mounts_in_a_list_keep_their_order_and_others_are_refused(void **state)
{
	static const char *const bad[] = { "mounts: [{memory: 64M}]", "mounts: [{ro: /a, rw: /b}]", "mounts: [ro]", "mounts: [{nosuch: /a}]", "mounts: text" };
	static const char good[] = "ordered: yes\nmounts: [{ro: /usr}, {tmpfs: /tmp}, {ro: '/opt:/tmp/x'}]";
	struct immure_spec *spec = immure_spec_new();
	struct error err = { 0 };

	(void)state;
	assert_int_equal(policy_load_text(&spec->spec, "good", good, strlen(good), &err), 0);
	assert_string_equal(spec->spec.mounts->source, "/usr");
	assert_string_equal(spec->spec.mounts->next->target, "/tmp");
	assert_string_equal(spec->spec.mounts->next->next->target, "/tmp/x");
	immure_spec_free(spec);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		spec = immure_spec_new();
		err = (struct error){ 0 };
		assert_true(policy_load_text(&spec->spec, "bad", bad[i], strlen(bad[i]), &err) < 0);
		assert_non_null(strstr(err.frame[0], "mounts wants a list"));
		assert_null(spec->spec.mounts);
		immure_spec_free(spec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recorded_jail_is_planned_again_as_it_was), cmocka_unit_test(what_quotes_and_lines_hold_comes_back),
		cmocka_unit_test(of_two_at_one_place_the_later_wins_again), cmocka_unit_test(bytes_that_are_no_text_are_seen_as_a_loss),
		cmocka_unit_test(mounts_in_a_list_keep_their_order_and_others_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
