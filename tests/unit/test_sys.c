/* SPDX-License-Identifier: Apache-2.0 */
/* What the small helpers promise that everything stands on: the list of open descriptors, and memory that is zero. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "sys/confine.h"
#include "sys/file.h"
#include "sys/process.h"

enum { MOST = 1000 };

#ifdef __SANITIZE_ADDRESS__
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

static int note(int fd, const void *argument)
{
	unsigned *times = *(unsigned *const *)argument;

	assert_in_range(fd, 0, MOST - 1);
	times[fd]++;
	return 0;
}

static void expect_each_once(void)
{
	unsigned times[MOST] = { 0 }, *where = times;

	assert_int_equal(sys_each_descriptor(note, &where), 0);
	for (int fd = 0; fd < MOST; fd++)
		assert_int_equal(times[fd], fcntl(fd, F_GETFD) >= 0);
}

static int stop_at(int fd, const void *argument)
{
	return fd == *(const int *)argument ? 7 : 0;
}

/* A descriptor that is passed over would lead out of the jail. */
static void every_descriptor_is_seen_once_however_high_it_is(void **state)
{
	static const int numbers[] = { 20, 255, 256, 257, 900 };

	(void)state;
	expect_each_once();
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const int fd = open("/", i % 2 ? O_PATH | O_CLOEXEC : O_PATH);

		assert_int_equal(dup2(fd, numbers[i]), numbers[i]);
		close(fd);
		expect_each_once();
		assert_int_equal(sys_each_descriptor(stop_at, &numbers[i]), 7);
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		close(numbers[i]);
		expect_each_once();
		assert_int_equal(sys_each_descriptor(stop_at, &numbers[i]), 0);
	}
}

static void formatted_text_is_whole_and_what_follows_it_is_zero(void **state)
{
	char long_text[5000];

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	for (unsigned length = 1; length < sizeof(long_text); length += 37) {
		auto_arena struct arena arena = { 0 };

		for (int i = 0; i < 8; i++) { /* across the ends of chunks */
			const char *text = arena_format(&arena, "%.*s/%d", (int)length, long_text, i);
			const char *after = arena_alloc(&arena, 48);

			assert_int_equal(strlen(text), length + 2);
			assert_memory_equal(text, long_text, length);
			assert_int_equal(text[length + 1], '0' + i);
			for (int at = 0; at < 48; at++)
				assert_int_equal(after[at], 0);
		}
	}
}

/* Text that finds no memory must not be left where the next piece is cut. */
static void without_memory_what_is_free_stays_zero(void **state)
{
	auto_arena struct arena arena = { 0 };
	struct rlimit before, none = { 0 };
	const char *piece;
	char *text;

	(void)state;
	if (IS_SANITIZED) /* which ends without memory of its own */
		skip();
	assert_non_null(arena_alloc(&arena, 16));
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
	text = arena_format(&arena, "%0200000000d", 1);
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	assert_null(text);
	piece = arena_alloc(&arena, 4096);
	for (int at = 0; at < 4096; at++)
		assert_int_equal(piece[at], 0);
}

/* Ids, capabilities, and what a change of ids makes the kernel forget: the launcher is used as a library, in somebody's process. */
static void who_was_an_owner_is_wholly_itself_again(void **state)
{
	struct sys_capabilities caps[2];
	struct sys_ids ids[3];
	struct sys_self self;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(sys_set_dumpable(true), 0);
	assert_int_equal(sys_die_with_parent(SIGUSR2), 0);
	assert_int_equal(sys_get_ids(&ids[0]), 0);
	assert_int_equal(sys_get_capabilities(&caps[0]), 0);
	assert_int_equal(sys_become_owner(4242, &self), 0);
	assert_int_equal(sys_get_ids(&ids[1]), 0);
	assert_int_equal(ids[1].effective_uid, 4242);
	assert_int_equal(sys_become_self(&self), 0);
	assert_int_equal(sys_get_ids(&ids[2]), 0);
	assert_int_equal(sys_get_capabilities(&caps[1]), 0);
	assert_memory_equal(&ids[2], &ids[0], sizeof(ids[0]));
	assert_memory_equal(&caps[1], &caps[0], sizeof(caps[0]));
	assert_int_equal(sys_is_dumpable(), 1);
	assert_int_equal(sys_parent_death_signal(), SIGUSR2);
	assert_int_equal(sys_die_with_parent(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_descriptor_is_seen_once_however_high_it_is),
		cmocka_unit_test(formatted_text_is_whole_and_what_follows_it_is_zero),
		cmocka_unit_test(without_memory_what_is_free_stays_zero),
		cmocka_unit_test(who_was_an_owner_is_wholly_itself_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
