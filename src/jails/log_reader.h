/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a jail's logs: what is there, and, who wants to follow, what comes, over rotations. The files are read as they are
 * found: what is no record is passed over and counted, so a damaged log shows what is whole.
 */
#ifndef IMMURE_JAILS_LOG_READER_H
#define IMMURE_JAILS_LOG_READER_H

#include "base/number.h"
#include "jails/log.h"

struct log_query {
	uint64_t since_ns;    /* lines that begin then or later; 0: all */
	uint64_t tail;        /* so many lines, the last ones; NUMBER_NONE: all. What comes later is shown anyway */
	unsigned stream;      /* 1, 2; 0: both */
};

/* Bytes that belong together; valid until the next call. */
struct log_record {
	uint64_t time_ns;
	const char *stamp;    /* LOG_STAMP bytes, not terminated: the time as it is in the log */
	unsigned stream;
	bool begins_line;     /* the record before it of this stream was a whole line */
	bool ends_line;
	const char *bytes;    /* without the line's end */
	size_t size;
};

enum { LOG_READER_ROOM = 2 * (LOG_HEADER + LOG_LINE + 1) };

struct log_reader {
	int folder;           /* the caller's */
	int before, fd;       /* log.1 while it is being read, and log; -1: none */
	struct log_query query;
	uint64_t skip;        /* lines still to be passed over */
	uint64_t damaged;     /* pieces that were no record */
	bool has_missed;      /* two rotations came at once: there is a hole */
	bool is_inside[2], is_hidden[2]; /* by stream: in the midst of a line, one that is not shown */
	size_t start, end;
	char room[LOG_READER_ROOM];
};

/* Reads the logs in FOLDER. -ENOENT: there are none. log_reader_close follows only success. */
int log_reader_open(struct log_reader *reader, int folder, const struct log_query *query) MUST_CHECK;
/* 1: *RECORD is the next that the query asks for; 0: that is all for now; -errno. */
int log_reader_next(struct log_reader *reader, struct log_record *record) MUST_CHECK;
void log_reader_close(struct log_reader *reader);

#endif
