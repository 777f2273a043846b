/* SPDX-License-Identifier: Apache-2.0 */
/* Two files are one stream of records, older first. */
#include "jails/log_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "sys/append.h"
#include "sys/file.h"

enum { ATTEMPTS = 16 };

static int open_named(const struct log_reader *reader, const char *name)
{
	return sys_openat(reader->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
}

static void close_file(int *fd)
{
	if (*fd >= 0)
		sys_close(*fd);
	*fd = -1;
}

/* The newer one first: what is renamed between the two looks is found once, or the names are read again. */
static int open_both(struct log_reader *reader)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		int again;
		bool is_settled;

		reader->fd = open_named(reader, LOG_NAME);
		if (reader->fd < 0 && reader->fd != -ENOENT)
			return reader->fd;
		reader->before = open_named(reader, LOG_BEFORE);
		again = open_named(reader, LOG_NAME);
		is_settled = again < 0 ? reader->fd < 0 : reader->fd >= 0 && sys_is_same_file(again, reader->fd);
		close_file(&again);
		if (is_settled && (reader->fd >= 0 || reader->before >= 0))
			return 0;
		if (is_settled)
			return -ENOENT;
		close_file(&reader->fd);
		close_file(&reader->before);
	}
	return -EBUSY;
}

static void begin(struct log_reader *reader)
{
	reader->start = reader->end = 0;
	memset(reader->is_inside, 0, sizeof(reader->is_inside));
	memset(reader->is_hidden, 0, sizeof(reader->is_hidden));
}

/* Fills the room behind what is in it. Bytes; 0: the file has no more. */
static ssize_t fill(struct log_reader *reader, int fd)
{
	ssize_t got;

	if (reader->start) {
		memmove(reader->room, reader->room + reader->start, reader->end - reader->start);
		reader->end -= reader->start;
		reader->start = 0;
	}
	if (reader->end == LOG_READER_ROOM) { /* no record is as long */
		reader->end = 0;
		reader->damaged++;
	}
	got = sys_read(fd, reader->room + reader->end, LOG_READER_ROOM - reader->end);
	if (got > 0)
		reader->end += (size_t)got;
	return got;
}

/* The log was renamed and a new one stands in its place: what is left in the old one was read. True: there is more to read. */
static bool follow_rotation(struct log_reader *reader)
{
	int fd = open_named(reader, LOG_NAME), before;

	if (fd < 0 || (reader->fd >= 0 && sys_is_same_file(fd, reader->fd))) {
		close_file(&fd);
		return false;
	}
	/* What was written between the last look at the old one and its renaming. */
	if (reader->fd >= 0 && fill(reader, reader->fd) > 0) {
		close_file(&fd);
		return true;
	}
	before = open_named(reader, LOG_BEFORE);
	if (reader->fd >= 0 && before >= 0 && !sys_is_same_file(before, reader->fd)) {
		reader->has_missed = true;
		reader->before = take_fd(&before);
	}
	close_file(&before);
	close_file(&reader->fd);
	reader->fd = fd;
	reader->start = reader->end; /* a record without an end gets none any more */
	return true;
}

/* Brings more bytes, from whichever file is next. 1; 0: there are none now; -errno. */
static int bring_more(struct log_reader *reader)
{
	ssize_t got = reader->before >= 0 ? fill(reader, reader->before) : 0;

	if (got == 0 && reader->before >= 0) {
		close_file(&reader->before);
		reader->start = reader->end;
	}
	if (got == 0 && reader->fd >= 0)
		got = fill(reader, reader->fd);
	if (got == 0 && follow_rotation(reader))
		return 1;
	return got > 0 ? 1 : (int)got;
}

/* SIZE bytes at LINE, without the end. False: it is no record. */
static bool parse(const char *line, size_t size, struct log_record *record)
{
	if (size < LOG_HEADER || !log_parse_time(line, &record->time_ns))
		return false;
	record->stamp = line;
	line += LOG_STAMP;
	if (memcmp(line, " stdout ", 8) != 0 && memcmp(line, " stderr ", 8) != 0)
		return false;
	record->stream = line[4] == 'o' ? 1 : 2;
	if ((line[8] != 'F' && line[8] != 'P') || line[9] != ' ')
		return false;
	record->ends_line = line[8] == 'F';
	record->bytes = line + 10;
	record->size = size - LOG_HEADER;
	return true;
}

/* Whether the line that RECORD belongs to is asked for; decided where the line begins. */
static bool is_shown(struct log_reader *reader, struct log_record *record)
{
	const unsigned at = record->stream - 1;

	record->begins_line = !reader->is_inside[at];
	reader->is_inside[at] = !record->ends_line;
	if (record->begins_line) {
		reader->is_hidden[at] = (reader->query.stream && reader->query.stream != record->stream) ||
					record->time_ns < reader->query.since_ns;
		if (!reader->is_hidden[at] && reader->skip) {
			reader->skip--;
			reader->is_hidden[at] = true;
		}
	}
	return !reader->is_hidden[at];
}

int log_reader_next(struct log_reader *reader, struct log_record *record)
{
	for (;;) {
		const char *line = reader->room + reader->start;
		const char *end = memchr(line, '\n', reader->end - reader->start);

		if (!end) {
			int rc = bring_more(reader);

			if (rc <= 0)
				return rc;
			continue;
		}
		reader->start += (size_t)(end - line) + 1;
		if (!parse(line, (size_t)(end - line), record))
			reader->damaged++;
		else if (is_shown(reader, record))
			return 1;
	}
}

/* How many lines there are, so that all but the last can be passed over. */
static int count_lines(struct log_reader *reader, uint64_t *count)
{
	struct log_record record;
	int rc;

	*count = 0;
	while ((rc = log_reader_next(reader, &record)) > 0)
		*count += record.begins_line;
	return rc;
}

static int open_at_start(struct log_reader *reader, int folder, const struct log_query *query)
{
	reader->folder = folder;
	reader->query = *query;
	reader->skip = reader->damaged = 0;
	reader->has_missed = false;
	begin(reader);
	return open_both(reader);
}

int log_reader_open(struct log_reader *reader, int folder, const struct log_query *query)
{
	uint64_t lines = 0;
	int rc;

	if (query->tail != NUMBER_NONE) {
		rc = open_at_start(reader, folder, query);
		if (rc == 0)
			rc = count_lines(reader, &lines);
		log_reader_close(reader);
		if (rc < 0)
			return rc;
	}
	rc = open_at_start(reader, folder, query);
	if (rc == 0 && query->tail != NUMBER_NONE && lines > query->tail)
		reader->skip = lines - query->tail;
	return rc;
}

void log_reader_close(struct log_reader *reader)
{
	close_file(&reader->before);
	close_file(&reader->fd);
}
