/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a jail writes, kept on disk in the log format of the Kubernetes CRI:
 *
 *	2026-11-22T03:41:28.123456789Z stdout F a whole line
 *	2026-11-22T03:41:28.123456789Z stdout P the beginning of one; the next record of stdout goes on
 *
 * Nothing waits in memory: what has come is in the file, as P where no line end has come yet. The bytes are the program's own, so
 * joining what follows the tags gives back exactly what was written. Two files: NAME, at most LIMIT bytes, and NAME.1, the one
 * before it. Where the disk takes nothing the bytes are dropped and counted, and the jail goes on.
 */
#ifndef IMMURE_JAILS_LOG_H
#define IMMURE_JAILS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

enum { LOG_LINE = 16 << 10, LOG_STAMP = 30, LOG_HEADER = LOG_STAMP + sizeof(" stdout F ") - 1, LOG_LEAST = 64 << 10 };

#define LOG_NAME "log"
#define LOG_BEFORE "log.1"

struct log {
	int folder, fd;       /* the folder is the caller's; fd -1: it could not be opened (again) */
	uint64_t limit, size;
	uint64_t lost;        /* bytes that no record holds */
	int lost_errno;       /* why the last of them; 0: all is well again */
};

/* Appends to what is there. LIMIT: at least LOG_LEAST. 0 or -errno. */
int log_open(struct log *log, int folder, uint64_t limit) MUST_CHECK;
/* STREAM 1 or 2; TIME: nanoseconds since 1970. True when bytes were lost for the first time since all was well. */
bool log_write(struct log *log, unsigned stream, uint64_t time_ns, const char *bytes, size_t size);
void log_close(struct log *log);

/* "2026-11-22T03:41:28.123456789Z", terminated. */
void log_print_time(uint64_t time_ns, char stamp[LOG_STAMP + 1]);
/* False: TEXT does not begin with such a time. */
bool log_parse_time(const char *text, uint64_t *time_ns);

#endif
