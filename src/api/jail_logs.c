/* SPDX-License-Identifier: Apache-2.0 */
/* What a jail that stays has written: read from its files, whoever keeps it. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "api/jail.h"
#include "base/date.h"
#include "base/number.h"
#include "jails/log_reader.h"
#include "jails/store.h"
#include "sys/append.h"
#include "sys/file.h"
#include "sys/folder.h"
#include "sys/process.h"

enum { LOOK_MS = 500 };

/* "2026-11-22T03:41:28Z", a part of it from the left (a date, hours and minutes), with a fraction or without. */
static int read_date(const char *text, uint64_t *since_ns)
{
	struct date date = { .month = 1, .day = 1 };
	int used = 0, end = 0;
	int64_t seconds;

	if (sscanf(text, "%4u-%2u-%2u%n", &date.year, &date.month, &date.day, &used) != 3)
		return -EINVAL;
	if ((text[used] == 'T' || text[used] == ' ') && sscanf(text + used + 1, "%2u:%2u%n", &date.hour, &date.minute, &end) == 2)
		used += 1 + end;
	if (text[used] == ':' && sscanf(text + used + 1, "%2u%n", &date.second, &end) == 1)
		used += 1 + end;
	if (text[used] == '.')
		used += 1 + (int)strspn(text + used + 1, "0123456789");
	used += text[used] == 'Z';
	seconds = text[used] ? -EINVAL : date_to_seconds(&date);
	if (seconds < 0)
		return -EINVAL;
	*since_ns = (uint64_t)seconds * 1000000000u;
	return 0;
}

static int read_query(const struct immure_log_query *asked, struct log_query *query, struct error *err)
{
	uint64_t ago;

	*query = (struct log_query){ .tail = asked->tail < 0 ? NUMBER_NONE : (uint64_t)asked->tail, .stream = (unsigned)asked->stream };
	if (!asked->since || read_date(asked->since, &query->since_ns) == 0)
		return 0;
	if (number_parse_duration(asked->since, &ago) < 0 || ago == NUMBER_NONE)
		return error_mistake(err, "\"%.80s\" is no time; such as 10m, or 2026-11-22T03:41:28Z", asked->since);
	query->since_ns = sys_wall_clock_ns() - ago;
	return 0;
}

struct reading {
	struct log_reader reader;
	const struct immure_jail *jail;
	int folder, notice;     /* jails/NAME; an inotify of it */
	int (*see)(void *argument, const struct immure_log_piece *piece);
	void *argument;
};

/* 0: all that is there now was seen. */
static int read_all(struct reading *reading)
{
	struct log_record record;
	int rc;

	while ((rc = log_reader_next(&reading->reader, &record)) > 0) {
		char time[LOG_STAMP + 1];
		struct immure_log_piece piece = { .time = time, .stream = (int)record.stream, .begins_line = record.begins_line,
						  .ends_line = record.ends_line, .bytes = record.bytes, .size = record.size };

		memcpy(time, record.stamp, LOG_STAMP);
		time[LOG_STAMP] = '\0';
		rc = reading->see(reading->argument, &piece);
		if (rc)
			return rc;
	}
	return rc;
}

/* Whether something may still be written: it is not ended, and its keeper lives. */
static bool goes_on(const struct reading *reading)
{
	auto_text struct text text = { 0 };

	if (pod_is_kept(&reading->jail->state, reading->jail->pod) <= 0)
		return false;
	if (store_read(reading->folder, STATE_JAIL, STATE_FILE_MOST, &text) < 0)
		return sys_has_name(reading->folder);
	return !text_starts(text.bytes, STATE_BEGIN "\"ended\"");
}

/* A change of the folder wakes it; a keeper that is killed changes nothing, so it looks now and then. */
static int follow(struct reading *reading)
{
	bool has_more = true;
	int rc = 0;

	while (rc == 0 && has_more) {
		struct pollfd polled = { .fd = reading->notice, .events = POLLIN };

		has_more = goes_on(reading);
		if (has_more && sys_wait_ready(&polled, 1, LOOK_MS) < 0)
			return -EINTR;
		if (polled.revents)
			sys_hear_folder(reading->notice);
		rc = read_all(reading);
	}
	return rc;
}

static int read_logs(struct reading *reading, const struct immure_log_query *asked, struct error *err)
{
	struct log_query query;
	int rc = read_query(asked, &query, err);

	if (rc < 0)
		return rc;
	reading->notice = asked->follows ? sys_notice_folder(reading->folder) : -1;
	rc = log_reader_open(&reading->reader, reading->folder, &query);
	if (rc == -ENOENT)
		return error_mistake(err, "%s has no log (--log-size none)", reading->jail->name);
	if (rc < 0)
		return error_set(err, -rc, "reading the log of %s", reading->jail->name);
	rc = read_all(reading);
	if (rc == 0 && asked->follows)
		rc = follow(reading);
	log_reader_close(&reading->reader);
	return rc < 0 ? error_set(err, -rc, "reading the log of %s", reading->jail->name) : rc;
}

int immure_jail_logs(struct immure_jail *jail, const struct immure_log_query *query,
		     int (*see)(void *argument, const struct immure_log_piece *piece), void *argument, struct immure_error *out)
{
	auto_free struct reading *reading = calloc(1, sizeof(*reading));
	struct error err = { 0 };
	int rc;

	if (!reading)
		return tell(out, &err, error_set(&err, ENOMEM, "reading logs"), 125);
	*reading = (struct reading){ .jail = jail, .folder = -1, .notice = -1, .see = see, .argument = argument };
	rc = reading->folder = jail_open(&jail->state, jail->pod, jail->name, &err);
	if (rc >= 0)
		rc = read_logs(reading, query, &err);
	sys_auto_close(&reading->folder);
	sys_auto_close(&reading->notice);
	return tell(out, &err, rc, 125);
}
