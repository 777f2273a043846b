/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scroll-back: the last bytes that a jail wrote, for any number of readers, none of whom is waited for. A byte has a
 * position, counted from the first ever written; a reader that is too slow finds its position forgotten, and is told how
 * much it missed. Memory is taken with the first byte, and touched only as it fills.
 */
#ifndef IMMURE_JAILS_RING_H
#define IMMURE_JAILS_RING_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

enum { RING_ROOM = 64 << 10, RING_SPANS = 256 };

/* From START to the start of the next span all bytes are of one stream. */
struct ring_span {
	uint64_t start;
	unsigned stream;
};

struct ring {
	char *room;                 /* NULL: nothing was written yet */
	struct ring_span *spans;    /* behind the room, in the same memory; in a circle as well */
	unsigned first, count;      /* of spans: the oldest that is not forgotten */
	uint64_t start, end;        /* positions of the oldest byte, and behind the newest */
};

/* Adds what was written to STREAM. -ENOMEM: nothing was added. */
int ring_add(struct ring *ring, unsigned stream, const char *bytes, size_t size) MUST_CHECK;
/*
 * What stands at *AT: a piece of one stream, in one part; its size. 0: nothing was written since. Where the ring has
 * forgotten *AT, that moves to the oldest byte there is, and *LOST grows by the difference. The reader adds what it took to *AT.
 */
size_t ring_read(const struct ring *ring, uint64_t *at, uint64_t *lost, const char **piece, unsigned *stream);
void ring_free(struct ring *ring);

#endif
