/* SPDX-License-Identifier: Apache-2.0 */
/* The program's words, variables and places: what is decided before anything is started. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "feature/program.h"

static char *command[] = { "tool", "a", "b", NULL };
static const char *const variables[] = { "A=1", "PWD=/by/a/link", "PATH=/x::/y", "AB=2", "HOME=/home/u", NULL };

struct planned {
	struct arena arena;
	struct plan plan;
	const struct step *start;
	const struct program *program;
};

static void drop(struct planned *planned)
{
	arena_free(&planned->arena);
}

#define auto_planned __attribute__((cleanup(drop)))

static void make(struct planned *planned, struct spec *spec, const struct host *host)
{
	struct plan *plan = &planned->plan;

	spec->command = command;
	*planned = (struct planned){ 0 };
	plan->arena = &planned->arena;
	plan->home = "/home/user";
	plan->uid = 1000;
	plan->has_mountns = true;
	plan->tree = arena_alloc(&planned->arena, sizeof(*plan->tree));
	plan_program(plan, spec, host);
	planned->start = plan_find(plan, OP_CHDIR);
	planned->program = plan_find(plan, OP_EXEC)->data;
	assert_false(plan->is_short);
}

static void expect(char *const *list, const char *const *wanted)
{
	size_t i = 0;

	for (; wanted[i]; i++) {
		if (!list[i])
			fail_msg("%s is missing", wanted[i]);
		assert_string_equal(list[i], wanted[i]);
	}
	assert_null(list[i]);
}

#define EXPECT(list, ...) expect((char *const *)(list), (const char *const[]){ __VA_ARGS__, NULL })

static void immures_own_variables_are_few_and_have_no_place(void **state)
{
	auto_planned struct planned planned;

	(void)state;
	make(&planned, &(struct spec){ .caller_environment = variables }, &(struct host){ .caller.cwd = "/srv", .caller.lang = "C" });
	EXPECT(planned.program->environments[0], "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/home/user",
	       "USER=user", "LANG=C");
	assert_null(planned.program->script);
	assert_ptr_equal(planned.program->argv, command);
}

static void none_is_nothing_but_the_place(void **state)
{
	auto_planned struct planned planned;

	(void)state;
	make(&planned, &(struct spec){ .env_base = ENV_NONE, .workdir = "/w", .caller_environment = variables },
	     &(struct host){ .caller.cwd = "/srv", .caller.lang = "C", .caller.term = "vt100" });
	EXPECT(planned.program->environments[0], "PWD=/w");
	EXPECT(planned.program->candidates, "/bin/tool", "/usr/bin/tool");
	EXPECT(planned.program->script + 2, "a", "b");
	assert_string_equal(planned.program->script[0], "/bin/sh");
}

static void the_callers_variables_come_first_then_what_goes_then_what_is_set(void **state)
{
	struct string_item more = { .text = "A=3" }, set = { .text = "NEW=n", .next = &more };
	struct string_item second = { .text = "A" }, gone = { .text = "HOME", .next = &second };
	auto_planned struct planned planned;

	(void)state;
	make(&planned, &(struct spec){ .env_base = ENV_CALLER, .workdir = "/w", .caller_environment = variables, .env = &set, .unset_env = &gone },
	     &(struct host){ .caller.cwd = "/srv" });
	EXPECT(planned.program->environments[0], "PWD=/w", "PATH=/x::/y", "AB=2", "NEW=n", "A=3");
	EXPECT(planned.program->candidates, "/x/tool", "./tool", "/y/tool");
}

static void an_empty_part_of_a_path_is_no_folder_by_default(void **state)
{
	struct string_item set = { .text = "PATH=:/x::/y:" };
	auto_planned struct planned planned;

	(void)state;
	make(&planned, &(struct spec){ .env = &set }, &(struct host){ .caller.cwd = "/srv" });
	EXPECT(planned.program->candidates, "/x/tool", "/y/tool");
}

static void a_long_path_is_searched_to_its_end(void **state)
{
	char path[4096] = "PATH=";
	struct string_item set = { .text = path };
	auto_planned struct planned planned;
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 200; i++)
		strcat(path, "/some/folder:");
	strcat(path, "/last");
	make(&planned, &(struct spec){ .env_base = ENV_NONE, .env = &set }, &(struct host){ .caller.cwd = "/srv" });
	while (planned.program->candidates[count])
		count++;
	assert_int_equal(count, 201);
	assert_string_equal(planned.program->candidates[200], "/last/tool");
}

static void a_tree_in_order_has_three_places_and_a_pwd_for_each(void **state)
{
	auto_planned struct planned planned;
	const char *const *places;

	(void)state;
	make(&planned, &(struct spec){ .is_ordered = true, .env_base = ENV_CALLER, .caller_environment = variables },
	     &(struct host){ .caller.cwd = "/real", .caller.logical_cwd = "/by/a/link" });
	places = planned.start->data;
	assert_int_equal(planned.start->size, 3);
	assert_string_equal(places[0], "/by/a/link");
	assert_string_equal(places[1], "/home/u");
	assert_string_equal(places[2], "/");
	assert_string_equal(planned.start->subject, "/by/a/link, else /home/u, or else /");
	EXPECT(planned.program->environments[0], "A=1", "PWD=/by/a/link", "PATH=/x::/y", "AB=2", "HOME=/home/u");
	EXPECT(planned.program->environments[1], "A=1", "PWD=/home/u", "PATH=/x::/y", "AB=2", "HOME=/home/u");
	EXPECT(planned.program->environments[2], "A=1", "PWD=/", "PATH=/x::/y", "AB=2", "HOME=/home/u");
}

static void without_a_pwd_the_current_folder_goes_by_its_real_path(void **state)
{
	struct string_item other = { .text = "PWD=/elsewhere" };
	auto_planned struct planned planned;

	(void)state;
	make(&planned, &(struct spec){ .is_ordered = true, .env_base = ENV_NONE, .caller_environment = variables },
	     &(struct host){ .caller.cwd = "/real", .caller.logical_cwd = "/by/a/link" });
	assert_string_equal(((const char *const *)planned.start->data)[0], "/real");
	drop(&planned);
	make(&planned, &(struct spec){ .is_ordered = true, .env_base = ENV_CALLER, .caller_environment = variables, .env = &other },
	     &(struct host){ .caller.cwd = "/real", .caller.logical_cwd = "/by/a/link" });
	assert_string_equal(((const char *const *)planned.start->data)[0], "/real");
}

static void where_the_current_folder_is_gone_the_home_comes_first(void **state)
{
	auto_planned struct planned planned;
	const char *const *places;

	(void)state;
	make(&planned, &(struct spec){ .is_ordered = true, .env_base = ENV_CALLER, .caller_environment = variables }, &(struct host){ 0 });
	places = planned.start->data;
	assert_int_equal(planned.start->size, 2);
	assert_string_equal(places[0], "/home/u");
}

static void a_place_that_is_told_is_the_only_one(void **state)
{
	auto_planned struct planned planned;

	(void)state;
	make(&planned, &(struct spec){ .is_ordered = true, .workdir = "/w" }, &(struct host){ .caller.cwd = "/real" });
	assert_int_equal(planned.start->size, 1);
	assert_string_equal(planned.start->subject, "/w");
}

static void another_name_changes_only_the_first_word(void **state)
{
	auto_planned struct planned planned;

	(void)state;
	make(&planned, &(struct spec){ .argv0 = "-sh" }, &(struct host){ .caller.cwd = "/srv" });
	EXPECT(planned.program->argv, "-sh", "a", "b");
	assert_string_equal(command[0], "tool");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(immures_own_variables_are_few_and_have_no_place),
		cmocka_unit_test(none_is_nothing_but_the_place),
		cmocka_unit_test(the_callers_variables_come_first_then_what_goes_then_what_is_set),
		cmocka_unit_test(an_empty_part_of_a_path_is_no_folder_by_default),
		cmocka_unit_test(a_long_path_is_searched_to_its_end),
		cmocka_unit_test(a_tree_in_order_has_three_places_and_a_pwd_for_each),
		cmocka_unit_test(without_a_pwd_the_current_folder_goes_by_its_real_path),
		cmocka_unit_test(where_the_current_folder_is_gone_the_home_comes_first),
		cmocka_unit_test(a_place_that_is_told_is_the_only_one),
		cmocka_unit_test(another_name_changes_only_the_first_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
