/* SPDX-License-Identifier: Apache-2.0 */
/* Live plans over the fake kernel: in which order privileges go, and what happens when a call fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"
#include "feature/feature.h"
#include "host/facts.h"
#include "load/yaml.h"
#include "run/run.h"

struct made {
	struct arena arena;
	struct spec spec;
	struct host host;
	struct plan plan;
	struct error err;
};

static const char *const hosts[] = { "hybrid-root", "hybrid-user", "debian12-user", "enclave-root" };

static void read_host(struct made *made, const char *name)
{
	char path[512], *bytes = calloc(1, 65536);
	struct node *root = NULL;
	size_t size;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.json", getenv("HOSTS"), name);
	file = fopen(path, "re");
	assert_non_null(file);
	size = fread(bytes, 1, 65535, file);
	fclose(file);
	assert_int_equal(load_text(&made->arena, path, bytes, size, &root, &made->err), 0);
	assert_int_equal(facts_read(&made->host, root, &made->err), 0);
	free(bytes);
}

/* The self-check asks the kernel what is; this kernel does not know. It is left out. */
static void leave_out_checks(struct plan *plan)
{
	int kept = 0;

	for (int i = 0; i < plan->count; i++)
		if (strncmp(op_name(plan->steps[i].op), "check-", 6) != 0)
			plan->steps[kept++] = plan->steps[i];
	plan->count = kept;
}

static struct made *make(const char *host, enum init_mode init)
{
	static char *command[] = { (char *)"/bin/true", NULL };
	struct made *made = calloc(1, sizeof(*made));

	assert_non_null(made);
	read_host(made, host);
	fake_reset(NULL, false); /* a default may ask */
	assert_int_equal(spec_default(&made->spec, &made->err), 0);
	made->spec.command = command;
	made->spec.init = init;
	assert_int_equal(plan_make(&made->plan, &made->arena, &made->spec, &made->host, &made->err), 0);
	leave_out_checks(&made->plan);
	return made;
}

static void discard(struct made *made)
{
	arena_free(&made->arena);
	arena_free(&made->spec.arena);
	arena_free(&made->host.arena);
	free(made);
}

static void live(struct made *made, bool is_child, int fail_at, int errnum)
{
	struct result *result = calloc(1, sizeof(*result));

	assert_non_null(result);
	fake_reset(&made->plan, is_child);
	fake.fail_at = fail_at;
	fake.fail_errno = errnum;
	made->err = (struct error){ 0 };
	if (setjmp(fake.over) == 0)
		fake.sent_value = run_plan(&made->plan, result, &made->err);
	free(result);
}

/* The number of the first call that begins with TEXT; -1: there is none. */
static int find(const char *text)
{
	for (int i = 0; i < fake.count; i++)
		if (strncmp(fake.calls[i], text, strlen(text)) == 0)
			return i;
	return -1;
}

static int find_last(const char *text)
{
	for (int i = fake.count - 1; i >= 0; i--)
		if (strncmp(fake.calls[i], text, strlen(text)) == 0)
			return i;
	return -1;
}

static void assert_before(const char *first, const char *second)
{
	const int left = find_last(first), right = find(second);

	if (left >= 0 && right >= 0 && left < right)
		return;
	print_error("\"%s\" is call %d, \"%s\" is call %d\n", first, left, second, right);
	fail();
}

static void privileges_go_in_an_order_that_works(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(hosts); i++) {
		struct made *made = make(hosts[i / 2], i % 2 ? INIT_NONE : INIT_OWN);
		const char *leave;

		live(made, true, -1, 0);
		assert_int_equal(fake.end, FAKE_EXEC);
		if (find("sys_set_groups") >= 0) {
			assert_before("sys_set_groups", "sys_seccomp_load");
			assert_true(find("sys_set_groups") < find_last("sys_set_gid"));
			assert_true(find_last("sys_set_gid") < find_last("sys_set_uid"));
			assert_before("sys_drop_bounding", "sys_set_groups");
		}
		leave = find("sys_pivot_here") >= 0 ? "sys_pivot_here" : "sys_move_to_root";
		assert_before("sys_set_propagation", leave);
		assert_before(leave, "sys_no_new_privileges");
		if (made->host.landlock_abi) {
			assert_before("sys_no_new_privileges", "sys_landlock_enter");
			assert_before("sys_landlock_enter", "sys_seccomp_load");
		}
		assert_before("sys_set_capabilities", "sys_seccomp_load");
		assert_before("sys_close_range", "sys_seccomp_load");
		assert_before("sys_no_new_privileges", "sys_seccomp_load");
		assert_int_equal(find_last("sys_seccomp_load") + 1, find("sys_exec"));
		discard(made);
	}
}

/* Calls whose failure is no failure of the run: the caller makes up for it, or the self-check (left out here) sees it. */
static bool is_made_up_for(const char *call)
{
	static const char *const names[] = { "sys_new_keyring", "sys_close ", "channel_send", "sys_block_signals", "sys_set_umask",
					     "sys_personality", "sys_exec", "sys_forget_arguments", "sys_fork_as", "sys_join_network",
					     "sys_set_rlimit", "sys_stat 0 ", "sys_stat 1 ", "sys_stat 2 " };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strncmp(call, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static bool may_follow_a_failure(const char *call)
{
	return strncmp(call, "channel_send", 12) == 0 || strncmp(call, "sys_exit", 8) == 0 || strncmp(call, "sys_close", 9) == 0 ||
	       strncmp(call, "sys_wait 299", 12) == 0; /* what the helper failed with came earlier */
}

/* 0, or 1 with the fault told. */
static int check_failure(int at, int errnum)
{
	if (is_made_up_for(fake.calls[at]))
		return 0;
	if (fake.end != FAKE_EXIT || (fake.sent_value != errnum && ((struct fate *)fake.shared)->errnum != errnum)) {
		print_error("call %d, %s, failed with %d: %s, and %d was told\n", at, fake.calls[at], errnum,
			    fake.end == FAKE_EXIT ? "it ended" : "the program was started", fake.sent_value);
		return 1;
	}
	for (int i = at + 1; i < fake.count; i++) {
		if (may_follow_a_failure(fake.calls[i]))
			continue;
		print_error("after call %d, %s, failed: %s\n", at, fake.calls[at], fake.calls[i]);
		return 1;
	}
	return 0;
}

static void a_failed_call_is_told_and_nothing_follows(void **state)
{
	static const int errors[] = { 1 /* EPERM */, 12 /* ENOMEM */, 4 /* EINTR */ };
	int wrong = 0;

	(void)state;
	for (size_t h = 0; h < 2 * ARRAY_SIZE(hosts); h++) {
		struct made *made = make(hosts[h / 2], h % 2 ? INIT_NONE : INIT_OWN);
		int first, last;

		live(made, true, -1, 0);
		first = find("sys_clone ") + 2; /* and the close of the launcher's end */
		last = find("sys_exec");
		assert_true(last > first + 60);
		for (int at = first; at < last; at++) {
			for (size_t e = 0; e < ARRAY_SIZE(errors); e++) {
				live(made, true, at, errors[e]);
				wrong += check_failure(at, errors[e]);
			}
		}
		discard(made);
	}
	assert_int_equal(wrong, 0);
}

/* It speaks while it may: before its filters. What fails behind them is left where the launcher finds it. */
static void without_an_init_a_failed_exec_is_known(void **state)
{
	(void)state;
	for (size_t h = 0; h < ARRAY_SIZE(hosts); h++) {
		struct made *made = make(hosts[h], INIT_NONE);
		const struct fate *fate = (struct fate *)fake.shared;
		int filter, exec;

		live(made, true, -1, 0);
		assert_int_equal(find("sys_borrow_child"), -1);
		assert_int_equal(fate->errnum, 0);
		filter = find("sys_seccomp_load");
		exec = find("sys_exec");
		assert_true(find_last("channel_send") == filter - 1);
		live(made, true, filter, 22);
		assert_int_equal(fate->errnum, 22);
		assert_int_equal(made->plan.steps[fate->step].op, OP_SECCOMP);
		live(made, true, exec, 2);
		assert_int_equal(fake.end, FAKE_EXIT);
		assert_int_equal(fate->errnum, 2);
		assert_int_equal(made->plan.steps[fate->step].op, OP_EXEC);
		discard(made);
	}
}

static void the_launcher_closes_what_it_opened_whatever_fails(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t h = 0; h < 2 * ARRAY_SIZE(hosts); h++) {
		struct made *made = make(hosts[h / 2], h % 2 ? INIT_NONE : INIT_OWN);
		int calls;

		live(made, false, -1, 0);
		calls = fake.count;
		assert_true(calls > 10);
		for (int at = -1; at < calls; at++) {
			live(made, false, at, 12 /* ENOMEM */);
			if (fake.sent_value < 0 && fake.open_descriptors == 0)
				continue;
			print_error("call %d, %s: run_plan gave %d and left %d descriptors\n", at, at < 0 ? "none" : fake.calls[at],
				    fake.sent_value, fake.open_descriptors);
			wrong++;
		}
		discard(made);
	}
	assert_int_equal(wrong, 0);
}

/* The child's life is left by a jump, as a process leaves it: what it holds then is no leak. The launcher's is checked for leaks. */
int main(int argc, char *argv[])
{
	const struct CMUnitTest child[] = {
		cmocka_unit_test(privileges_go_in_an_order_that_works),
		cmocka_unit_test(a_failed_call_is_told_and_nothing_follows),
		cmocka_unit_test(without_an_init_a_failed_exec_is_known),
	};
	const struct CMUnitTest launcher[] = {
		cmocka_unit_test(the_launcher_closes_what_it_opened_whatever_fails),
	};

	if (argc > 1 && strcmp(argv[1], "launcher") == 0)
		return cmocka_run_group_tests(launcher, NULL, NULL);
	return cmocka_run_group_tests(child, NULL, NULL);
}
