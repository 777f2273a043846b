/* SPDX-License-Identifier: Apache-2.0 */
/* Scroll-back: what a reader gets is what was written, and what it does not get it is told of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "jails/ring.h"

static char byte_at(uint64_t position)
{
	return (char)(position * 131 >> 3);
}

static void add(struct ring *ring, unsigned stream, size_t size)
{
	static char bytes[3 * RING_ROOM];

	for (size_t i = 0; i < size; i++)
		bytes[i] = byte_at(ring->end + i);
	assert_int_equal(ring_add(ring, stream, bytes, size), 0);
}

/* Reads up to MOST bytes and compares each with what was written there. */
static uint64_t take(const struct ring *ring, uint64_t *at, uint64_t *lost, size_t most)
{
	uint64_t taken = 0;
	const char *piece;
	unsigned stream;
	size_t size;

	while (taken < most && (size = ring_read(ring, at, lost, &piece, &stream)) > 0) {
		if (size > most - taken)
			size = most - taken;
		for (size_t i = 0; i < size; i++)
			assert_int_equal(piece[i], byte_at(*at + i));
		*at += size;
		taken += size;
	}
	return taken;
}

static void nothing_written_costs_nothing(void **state)
{
	struct ring ring = { 0 };
	uint64_t at = 0, lost = 0;

	(void)state;
	assert_int_equal(take(&ring, &at, &lost, SIZE_MAX), 0);
	assert_null(ring.room);
}

static void every_byte_is_read_or_counted_as_lost(void **state)
{
	struct ring ring = { 0 };
	uint64_t fast = 0, fast_lost = 0, slow = 0, slow_lost = 0, fast_sum = 0, slow_sum = 0;

	(void)state;
	for (unsigned i = 1; i < 400; i++) {
		add(&ring, i / 7 % 2 + 1, i * 977 % 9000 + (i % 97 == 0 ? 2 * RING_ROOM : 0));
		fast_sum += take(&ring, &fast, &fast_lost, SIZE_MAX);
		slow_sum += take(&ring, &slow, &slow_lost, 1000);
		assert_true(ring.end - ring.start <= RING_ROOM);
	}
	slow_sum += take(&ring, &slow, &slow_lost, SIZE_MAX);
	assert_int_equal(fast_sum + fast_lost, ring.end);
	assert_int_equal(slow_sum + slow_lost, ring.end);
	assert_true(fast_lost > 0 && fast_lost < slow_lost); /* what is larger than the room is lost to everybody */
	ring_free(&ring);
}

static void streams_are_told_apart(void **state)
{
	struct ring ring = { 0 };
	uint64_t at = 0, lost = 0;
	const char *piece;
	unsigned stream;

	(void)state;
	assert_int_equal(ring_add(&ring, 1, "one", 3), 0);
	assert_int_equal(ring_add(&ring, 1, "more", 4), 0);
	assert_int_equal(ring_add(&ring, 2, "two", 3), 0);
	assert_int_equal(ring_read(&ring, &at, &lost, &piece, &stream), 7);
	assert_memory_equal(piece, "onemore", 7);
	assert_int_equal(stream, 1);
	at += 7;
	assert_int_equal(ring_read(&ring, &at, &lost, &piece, &stream), 3);
	assert_int_equal(stream, 2);
	ring_free(&ring);
}

/* One byte each, in turn: the table of streams is full long before the room is. */
static void streams_that_change_all_the_time_cost_the_oldest(void **state)
{
	struct ring ring = { 0 };
	uint64_t at = 0, lost = 0;
	unsigned expected = 0;

	(void)state;
	for (unsigned i = 0; i < 10 * RING_SPANS; i++)
		add(&ring, i % 2 + 1, 1);
	for (const char *piece;; at++, expected++) {
		unsigned stream;

		if (!ring_read(&ring, &at, &lost, &piece, &stream))
			break;
		assert_int_equal(stream, at % 2 + 1);
		assert_int_equal(*piece, byte_at(at));
	}
	assert_int_equal(expected, RING_SPANS);
	assert_int_equal(lost + expected, ring.end);
	ring_free(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_written_costs_nothing),
		cmocka_unit_test(every_byte_is_read_or_counted_as_lost),
		cmocka_unit_test(streams_are_told_apart),
		cmocka_unit_test(streams_that_change_all_the_time_cost_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
