/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks of memory, handed out from the front; freed all at once. */
#include "base/arena.h"

#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* A page with its own head and malloc's; many arenas need less than a quarter of one. */
enum { HEADS = 48, FIRST_BYTES = 1536 - HEADS, CHUNK_BYTES = 4096 - HEADS };

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	void *taken; /* a block of its own instead; NULL: none */
	alignas(max_align_t) char bytes[];
};

/* What is large gets a chunk of its own, behind the newest, which goes on being filled. */
static struct arena_chunk *chunk_add(struct arena *arena, size_t least)
{
	const bool is_own = arena->chunks && least > CHUNK_BYTES / 2;
	const size_t usual = arena->chunks ? CHUNK_BYTES : FIRST_BYTES, size = is_own || least > usual ? least : usual;
	struct arena_chunk *chunk, **link = is_own ? &arena->chunks->next : &arena->chunks;

	if (arena->is_bounded || size > SIZE_MAX - sizeof(*chunk))
		return NULL;
	chunk = calloc(1, sizeof(*chunk) + size);
	if (!chunk)
		return NULL;
	chunk->size = size;
	chunk->next = *link;
	*link = chunk;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t unit = alignof(max_align_t);
	struct arena_chunk *chunk = arena->chunks;
	void *result;

	if (size > SIZE_MAX - unit)
		return NULL;
	size = (size + unit - 1) / unit * unit;
	if (!chunk || chunk->size - chunk->used < size)
		chunk = chunk_add(arena, size);
	if (!chunk)
		return NULL;
	result = chunk->bytes + chunk->used;
	chunk->used += size;
	return arena->is_bounded ? memset(result, 0, size) : result;
}

char *arena_copy_bytes(struct arena *arena, const void *bytes, size_t size)
{
	char *copy = arena_alloc(arena, size + 1);

	if (copy && size)
		memcpy(copy, bytes, size);
	return copy;
}

char *arena_copy(struct arena *arena, const char *text)
{
	return text ? arena_copy_bytes(arena, text, strlen(text)) : NULL;
}

/* Straight into the newest chunk as a rule; where the text does not fit there, once more into a chunk where it does. */
char *arena_format(struct arena *arena, const char *format, ...)
{
	struct arena_chunk *chunk = arena->chunks;
	const size_t room = chunk ? chunk->size - chunk->used : 0;
	char *start = room ? chunk->bytes + chunk->used : NULL, *result = NULL;
	va_list args, again;
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(start, room, format, args);
	if (start && (length < 0 || (size_t)length >= room))
		memset(start, 0, room); /* it stays free, and what is free is zero */
	if (length >= 0)
		result = arena_alloc(arena, (size_t)length + 1);
	if (result && (size_t)length >= room)
		vsnprintf(result, (size_t)length + 1, format, again);
	va_end(again);
	va_end(args);
	return result;
}

/* Behind the newest chunk, which goes on being filled. */
int arena_take(struct arena *arena, void *block)
{
	struct arena_chunk *chunk = calloc(1, sizeof(*chunk));

	if (!chunk)
		return -ENOMEM;
	chunk->taken = block;
	chunk->next = arena->chunks ? arena->chunks->next : NULL;
	if (arena->chunks)
		arena->chunks->next = chunk;
	else
		arena->chunks = chunk;
	return 0;
}

void arena_bound(struct arena *arena, void *memory, size_t size)
{
	struct arena_chunk *chunk = memory;

	*chunk = (struct arena_chunk){ .size = size - sizeof(*chunk) };
	*arena = (struct arena){ .chunks = chunk, .is_bounded = true };
}

void arena_free(struct arena *arena)
{
	while (arena->chunks) {
		struct arena_chunk *next = arena->chunks->next;

		free(arena->chunks->taken);
		free(arena->chunks);
		arena->chunks = next;
	}
}
