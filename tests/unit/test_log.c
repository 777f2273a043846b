/* SPDX-License-Identifier: Apache-2.0 */
/* Logs of jails: written and read back to the same bytes, over rotations, full disks and damage. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/date.h"
#include "base/text.h"
#include "jails/log_reader.h"

#define MOMENT 1795318888123456789u /* 2026-11-22T03:41:28.123456789Z */

static char path[64];
static int folder;

static int make_folder(void **state)
{
	(void)state;
	strcpy(path, "/tmp/immure-log-XXXXXX");
	folder = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	return folder < 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlinkat(folder, LOG_NAME, 0);
	unlinkat(folder, LOG_BEFORE, 0);
	close(folder);
	return rmdir(path);
}

static void write_text(struct log *log, unsigned stream, uint64_t time_ns, const char *text)
{
	assert_false(log_write(log, stream, time_ns, text, strlen(text)));
}

static void read_on(struct log_reader *reader, struct text *text)
{
	struct log_record record;
	int rc;

	while ((rc = log_reader_next(reader, &record)) > 0) {
		text_add_bytes(text, record.bytes, record.size);
		if (record.ends_line)
			text_add_bytes(text, "\n", 1);
	}
	assert_int_equal(rc, 0);
}

static void expect(const struct log_query *query, const char *expected)
{
	struct log_reader reader;
	auto_text struct text text = { 0 };

	assert_int_equal(log_reader_open(&reader, folder, query), 0);
	read_on(&reader, &text);
	assert_string_equal(text.bytes ? text.bytes : "", expected);
	log_reader_close(&reader);
}

static const struct log_query everything = { .tail = NUMBER_NONE };

static void dates_are_those_of_the_calendar(void **state)
{
	static const struct { int64_t seconds; struct date date; } dates[] = {
		{ 0, { 1970, 1, 1, 0, 0, 0 } },
		{ 951782399, { 2000, 2, 28, 23, 59, 59 } },
		{ 951782400, { 2000, 2, 29, 0, 0, 0 } },
		{ 1795318888, { 2026, 11, 22, 3, 41, 28 } },
		{ 4102444800, { 2100, 1, 1, 0, 0, 0 } },
		{ 4107542399, { 2100, 2, 28, 23, 59, 59 } },
		{ 4107542400, { 2100, 3, 1, 0, 0, 0 } },
	};
	const struct date wrong = { 2026, 2, 29, 0, 0, 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(dates); i++) {
		struct date date;

		date_from_seconds(dates[i].seconds, &date);
		assert_memory_equal(&date, &dates[i].date, sizeof(date));
		assert_int_equal(date_to_seconds(&date), dates[i].seconds);
	}
	assert_true(date_to_seconds(&wrong) < 0);
}

static void records_are_those_of_the_cri(void **state)
{
	static const char expected[] = "2026-11-22T03:41:28.123456789Z stdout F whole\n"
				       "2026-11-22T03:41:28.123456789Z stdout P half\n"
				       "2026-11-22T03:41:28.000000000Z stderr F \n"
				       "2026-11-22T03:41:28.123456789Z stdout F  more\n";
	char bytes[1024] = "";
	struct log log;
	uint64_t time;
	int fd;

	(void)state;
	assert_int_equal(log_open(&log, folder, LOG_LEAST), 0);
	write_text(&log, 1, MOMENT, "whole\nhalf");
	write_text(&log, 2, MOMENT - 123456789, "\n");
	write_text(&log, 1, MOMENT, " more\n");
	log_close(&log);
	fd = openat(folder, LOG_NAME, O_RDONLY);
	assert_int_equal(read(fd, bytes, sizeof(bytes) - 1), sizeof(expected) - 1);
	close(fd);
	assert_string_equal(bytes, expected);
	assert_true(log_parse_time(bytes, &time));
	assert_int_equal(time, MOMENT);
	expect(&everything, "whole\nhalf\n more\n");
}

/* Any bytes, in any pieces, in order: each stream is given back as it was. */
static void what_was_written_is_read_back_byte_for_byte(void **state)
{
	static char written[200000];
	uint32_t seed = 1;
	struct log log;
	struct log_reader reader;
	auto_text struct text text = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(written); i++) {
		seed = seed * 1664525u + 1013904223u;
		written[i] = i > 50000 && i < 150000 ? 'x' : (char)(seed >> 24) & (i < 20000 ? 0x0f : 0xff);
	}
	assert_int_equal(log_open(&log, folder, 4 << 20), 0);
	for (size_t at = 0, size; at < sizeof(written); at += size) {
		seed = seed * 1664525u + 1013904223u;
		size = seed >> 17;
		if (size > sizeof(written) - at)
			size = sizeof(written) - at;
		assert_false(log_write(&log, 1, MOMENT + at, written + at, size));
	}
	log_close(&log);
	assert_int_equal(log_reader_open(&reader, folder, &everything), 0);
	read_on(&reader, &text);
	assert_int_equal(reader.damaged, 0);
	assert_int_equal(text.used, sizeof(written));
	assert_memory_equal(text.bytes, written, sizeof(written));
	log_reader_close(&reader);
}

static void a_full_log_becomes_the_one_before_and_stays_within_its_limit(void **state)
{
	static char line[101];
	struct stat newer, older;
	struct log log;
	struct log_reader reader;
	struct log_record record;
	unsigned expected = 0, number = 0, lines = 0;
	int rc;

	(void)state;
	assert_int_equal(log_open(&log, folder, LOG_LEAST), 0);
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(line, sizeof(line), "%099u\n", i);
		write_text(&log, 1, MOMENT, line);
	}
	log_close(&log);
	assert_int_equal(fstatat(folder, LOG_NAME, &newer, 0), 0);
	assert_int_equal(fstatat(folder, LOG_BEFORE, &older, 0), 0);
	assert_true(newer.st_size <= LOG_LEAST && older.st_size <= LOG_LEAST && older.st_size > LOG_LEAST - 200);
	assert_int_equal(log_reader_open(&reader, folder, &everything), 0);
	while ((rc = log_reader_next(&reader, &record)) > 0) {
		assert_int_equal(sscanf(record.bytes, "%u", &number), 1);
		if (lines++)
			assert_int_equal(number, expected);
		expected = number + 1;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(number, 1999);
	assert_true(lines > LOG_LEAST / 140);
	log_reader_close(&reader);
}

static void a_reader_follows_over_rotations(void **state)
{
	static char line[101];
	struct log log;
	struct log_reader reader;
	auto_text struct text text = { 0 }, expected = { 0 };

	(void)state;
	assert_int_equal(log_open(&log, folder, LOG_LEAST), 0);
	assert_int_equal(log_reader_open(&reader, folder, &everything), 0);
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(line, sizeof(line), "%099u\n", i);
		write_text(&log, 1, MOMENT, line);
		text_add(&expected, "%s", line);
		if (i % 37 == 0)
			read_on(&reader, &text);
	}
	read_on(&reader, &text);
	assert_false(reader.has_missed);
	assert_string_equal(text.bytes, expected.bytes);
	for (unsigned i = 0; i < 2000; i++)
		write_text(&log, 1, MOMENT, line);
	read_on(&reader, &text);
	assert_true(reader.has_missed); /* nobody can follow several rotations at once, but it is known */
	log_close(&log);
	log_reader_close(&reader);
}

static void a_query_picks_lines(void **state)
{
	struct log log;

	(void)state;
	assert_int_equal(log_open(&log, folder, LOG_LEAST), 0);
	write_text(&log, 1, MOMENT, "a\nb");
	write_text(&log, 2, MOMENT + 1, "error\n");
	write_text(&log, 1, MOMENT + 2, "b\nc\n");
	write_text(&log, 1, MOMENT + 3, "d");
	log_close(&log);
	expect(&everything, "a\nberror\nb\nc\nd");
	expect(&(struct log_query){ .tail = NUMBER_NONE, .stream = 2 }, "error\n");
	expect(&(struct log_query){ .tail = NUMBER_NONE, .stream = 1 }, "a\nbb\nc\nd");
	expect(&(struct log_query){ .tail = NUMBER_NONE, .since_ns = MOMENT + 1 }, "error\nc\nd");
	expect(&(struct log_query){ .tail = 2 }, "c\nd");
	expect(&(struct log_query){ .tail = 3, .stream = 1 }, "bb\nc\nd");
	expect(&(struct log_query){ .tail = 0 }, "");
	expect(&(struct log_query){ .tail = 100 }, "a\nberror\nb\nc\nd");
}

static void damage_is_passed_over(void **state)
{
	static const char damage[] = "\0\0\0\n2026-11-22T03:41:28.123456789Z stdout X no\nshort\n";
	struct log log;
	struct log_reader reader;
	auto_text struct text text = { 0 };
	int fd;

	(void)state;
	assert_int_equal(log_open(&log, folder, LOG_LEAST), 0);
	write_text(&log, 1, MOMENT, "before\n");
	fd = openat(folder, LOG_NAME, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, damage, sizeof(damage) - 1), sizeof(damage) - 1);
	write_text(&log, 1, MOMENT, "behind\n");
	assert_int_equal(write(fd, damage + 4, 35), 35); /* being written: not yet anything */
	close(fd);
	log_close(&log);
	assert_int_equal(log_reader_open(&reader, folder, &everything), 0);
	read_on(&reader, &text);
	assert_string_equal(text.bytes, "before\nbehind\n");
	assert_int_equal(reader.damaged, 3);
	log_reader_close(&reader);
}

/* RLIMIT_FSIZE does to a file what a full disk does to all. */
static void set_disk(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_costs_bytes_and_nothing_else(void **state)
{
	static char text[30000];
	struct stat status;
	struct log log;

	(void)state;
	memset(text, 'y', sizeof(text));
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(log_open(&log, folder, 1 << 20), 0);
	write_text(&log, 1, MOMENT, "first\n");
	set_disk(10000);
	assert_true(log_write(&log, 1, MOMENT, text, sizeof(text)));
	assert_int_equal(log.lost, sizeof(text));
	assert_int_not_equal(log.lost_errno, 0);
	assert_false(log_write(&log, 1, MOMENT, text, sizeof(text))); /* told once */
	assert_int_equal(log.lost, 2 * sizeof(text));
	assert_int_equal(fstatat(folder, LOG_NAME, &status, 0), 0);
	assert_int_equal(status.st_size, LOG_HEADER + 6); /* no half of a record stays */
	set_disk(RLIM_INFINITY);
	write_text(&log, 1, MOMENT, "again\n");
	assert_int_equal(log.lost_errno, 0);
	assert_int_equal(log.lost, 2 * sizeof(text));
	log_close(&log);
	expect(&everything, "first\nagain\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_those_of_the_calendar),
		cmocka_unit_test_setup_teardown(records_are_those_of_the_cri, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(what_was_written_is_read_back_byte_for_byte, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_full_log_becomes_the_one_before_and_stays_within_its_limit, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_reader_follows_over_rotations, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_query_picks_lines, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(damage_is_passed_over, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_full_disk_costs_bytes_and_nothing_else, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
