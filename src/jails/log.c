/* SPDX-License-Identifier: Apache-2.0 */
/* Records are written in groups by one call; a group that went only in part is cut back to whole records. */
#include "jails/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "base/date.h"
#include "sys/append.h"
#include "sys/file.h"

enum { GROUP_PARTS = 96, RECORD_PARTS = 3 };

/* One call's worth of records, all of the same moment and stream. */
struct group {
	char whole[LOG_HEADER], partial[LOG_HEADER];
	struct iovec parts[GROUP_PARTS];
	unsigned count;
	size_t bytes;         /* of the records */
	size_t taken;         /* of the text in them */
};

void log_print_time(uint64_t time_ns, char stamp[LOG_STAMP + 1])
{
	struct date date;

	date_from_seconds((int64_t)(time_ns / 1000000000u), &date);
	snprintf(stamp, LOG_STAMP + 1, "%04u-%02u-%02uT%02u:%02u:%02u.%09uZ", date.year % 10000u, date.month % 100u, date.day % 100u,
		 date.hour % 100u, date.minute % 100u, date.second % 100u, (unsigned)(time_ns % 1000000000u));
}

static bool read_digits(const char **at, unsigned digits, char after, unsigned *value)
{
	for (*value = 0; digits; digits--, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*value = *value * 10 + (unsigned)(**at - '0');
	}
	return *(*at)++ == after;
}

bool log_parse_time(const char *text, uint64_t *time_ns)
{
	struct date date;
	unsigned nanoseconds;
	int64_t seconds;

	if (!read_digits(&text, 4, '-', &date.year) || !read_digits(&text, 2, '-', &date.month) ||
	    !read_digits(&text, 2, 'T', &date.day) || !read_digits(&text, 2, ':', &date.hour) ||
	    !read_digits(&text, 2, ':', &date.minute) || !read_digits(&text, 2, '.', &date.second) ||
	    !read_digits(&text, 9, 'Z', &nanoseconds))
		return false;
	seconds = date_to_seconds(&date);
	if (seconds < 0)
		return false;
	*time_ns = (uint64_t)seconds * 1000000000u + nanoseconds;
	return true;
}

static int open_file(struct log *log)
{
	int64_t size;

	log->fd = sys_openat(log->folder, LOG_NAME, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
	size = log->fd < 0 ? log->fd : sys_size(log->fd);
	log->size = size < 0 ? 0 : (uint64_t)size;
	return size < 0 ? (int)size : 0;
}

int log_open(struct log *log, int folder, uint64_t limit)
{
	*log = (struct log){ .folder = folder, .fd = -1, .limit = limit < LOG_LEAST ? LOG_LEAST : limit };
	return open_file(log);
}

void log_close(struct log *log)
{
	sys_auto_close(&log->fd);
}

/* The file becomes the one before, and that one goes. */
static int rotate(struct log *log)
{
	int rc = sys_rename(log->folder, LOG_NAME, LOG_BEFORE);

	if (rc < 0)
		return rc;
	log_close(log);
	return open_file(log);
}

static void group_begin(struct group *group, unsigned stream, uint64_t time_ns)
{
	char stamp[LOG_STAMP + 1];
	char header[LOG_HEADER + 1];

	log_print_time(time_ns, stamp);
	snprintf(header, sizeof(header), "%s %s F ", stamp, stream == 2 ? "stderr" : "stdout");
	memcpy(group->whole, header, LOG_HEADER);
	memcpy(group->partial, header, LOG_HEADER);
	group->partial[LOG_HEADER - 2] = 'P';
	group->count = 0;
	group->bytes = group->taken = 0;
}

/* One record, of what stands at BYTES: up to the end of the line, or as much as a record takes. */
static void group_add(struct group *group, const char *bytes, size_t size)
{
	static const char end_of_record[] = "\n";
	const char *end = memchr(bytes, '\n', size < LOG_LINE ? size : LOG_LINE);
	const size_t length = end ? (size_t)(end - bytes) + 1 : size < LOG_LINE ? size : LOG_LINE;

	group->parts[group->count++] = (struct iovec){ end ? group->whole : group->partial, LOG_HEADER };
	group->parts[group->count++] = (struct iovec){ (char *)bytes, length };
	if (!end)
		group->parts[group->count++] = (struct iovec){ (char *)end_of_record, 1 };
	group->bytes += LOG_HEADER + length + !end;
	group->taken += length;
}

/* As many records as one call takes, and as the file takes; at least one. */
static void group_fill(struct group *group, const struct log *log, const char *bytes, size_t size)
{
	const uint64_t room = log->size < log->limit ? log->limit - log->size : 0;

	group->count = 0;
	group->bytes = group->taken = 0;
	while (group->taken < size && group->count + RECORD_PARTS <= GROUP_PARTS) {
		const struct group before = { .count = group->count, .bytes = group->bytes, .taken = group->taken };

		group_add(group, bytes + group->taken, size - group->taken);
		if (group->bytes <= room || !before.count)
			continue;
		group->count = before.count;
		group->bytes = before.bytes;
		group->taken = before.taken;
		return;
	}
}

static int write_group(struct log *log, const struct group *group)
{
	ssize_t done = sys_append(log->fd, group->parts, group->count);

	if (done == (ssize_t)group->bytes) {
		log->size += group->bytes;
		return 0;
	}
	if (done > 0 && sys_truncate(log->fd, log->size) < 0)
		log->size += (uint64_t)done;
	return done < 0 ? (int)done : -ENOSPC;
}

/* A file that is full even for one record makes room; one that could not be opened is tried again. */
static int write_some(struct log *log, struct group *group, const char *bytes, size_t size)
{
	int rc = log->fd < 0 ? open_file(log) : 0;

	group_fill(group, log, bytes, size);
	if (rc == 0 && log->size && log->size + group->bytes > log->limit) {
		rc = rotate(log);
		group_fill(group, log, bytes, size);
	}
	return rc < 0 ? rc : write_group(log, group);
}

bool log_write(struct log *log, unsigned stream, uint64_t time_ns, const char *bytes, size_t size)
{
	const bool was_well = !log->lost_errno;
	struct group group;

	group_begin(&group, stream, time_ns);
	while (size) {
		int rc = write_some(log, &group, bytes, size);

		if (rc < 0) { /* the next that comes tries again */
			log->lost += size;
			log->lost_errno = -rc;
			return was_well;
		}
		log->lost_errno = 0;
		bytes += group.taken;
		size -= group.taken;
	}
	return false;
}
