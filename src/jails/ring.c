/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes lie in a circle; a second circle says where which stream begins. */
#include "jails/ring.h"

#include <errno.h>
#include <string.h>

static struct ring_span *span_at(const struct ring *ring, unsigned number)
{
	return &ring->spans[(ring->first + number) % RING_SPANS];
}

static void forget_first_span(struct ring *ring)
{
	ring->first = (ring->first + 1) % RING_SPANS;
	ring->count--;
}

/* Spans that changed too often push out bytes before the room is full. */
static void note_stream(struct ring *ring, unsigned stream)
{
	if (ring->count && span_at(ring, ring->count - 1)->stream == stream)
		return;
	if (ring->count == RING_SPANS) {
		forget_first_span(ring);
		ring->start = span_at(ring, 0)->start;
	}
	*span_at(ring, ring->count++) = (struct ring_span){ ring->end, stream };
}

int ring_add(struct ring *ring, unsigned stream, const char *bytes, size_t size)
{
	if (!size)
		return 0;
	if (!ring->room) {
		ring->room = malloc(RING_ROOM + RING_SPANS * sizeof(struct ring_span));
		if (!ring->room)
			return -ENOMEM;
		ring->spans = (struct ring_span *)(ring->room + RING_ROOM);
	}
	note_stream(ring, stream);
	if (size > RING_ROOM) { /* it would only overwrite itself */
		ring->end += size - RING_ROOM;
		bytes += size - RING_ROOM;
		size = RING_ROOM;
	}
	while (size) {
		const size_t place = ring->end % RING_ROOM;
		const size_t part = size < RING_ROOM - place ? size : RING_ROOM - place;

		memcpy(ring->room + place, bytes, part);
		ring->end += part;
		bytes += part;
		size -= part;
	}
	if (ring->end - ring->start > RING_ROOM)
		ring->start = ring->end - RING_ROOM;
	while (ring->count > 1 && span_at(ring, 1)->start <= ring->start)
		forget_first_span(ring);
	return 0;
}

/* Readers are few and mostly at the end. */
static unsigned find_span(const struct ring *ring, uint64_t at)
{
	unsigned number = ring->count - 1;

	while (number && span_at(ring, number)->start > at)
		number--;
	return number;
}

size_t ring_read(const struct ring *ring, uint64_t *at, uint64_t *lost, const char **piece, unsigned *stream)
{
	unsigned number;
	uint64_t end;
	size_t place;

	if (*at < ring->start) {
		*lost += ring->start - *at;
		*at = ring->start;
	}
	if (*at >= ring->end)
		return 0;
	number = find_span(ring, *at);
	end = number + 1 < ring->count ? span_at(ring, number + 1)->start : ring->end;
	place = *at % RING_ROOM;
	*stream = span_at(ring, number)->stream;
	*piece = ring->room + place;
	return end - *at < RING_ROOM - place ? (size_t)(end - *at) : RING_ROOM - place;
}

void ring_free(struct ring *ring)
{
	free(ring->room);
	*ring = (struct ring){ 0 };
}
