/* SPDX-License-Identifier: Apache-2.0 */
/* An arena: memory for things that die together. Nothing in it is freed one by one. */
#ifndef IMMURE_BASE_ARENA_H
#define IMMURE_BASE_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* newest first; NULL: empty */
	bool is_bounded;            /* it does not grow */
};

/* SIZE zeroed bytes, aligned for any type; NULL when memory is exhausted. The arena owns them. */
void *arena_alloc(struct arena *arena, size_t size) MUST_CHECK;

/* Copies owned by the arena; NULL when memory is exhausted (or TEXT is NULL). */
char *arena_copy(struct arena *arena, const char *text) MUST_CHECK;
char *arena_copy_bytes(struct arena *arena, const void *bytes, size_t size) MUST_CHECK;
char *arena_format(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3) MUST_CHECK;

/* BLOCK, of malloc(3), becomes the arena's. -ENOMEM: it stays the caller's. */
int arena_take(struct arena *arena, void *block) MUST_CHECK;

/* An arena of SIZE bytes of MEMORY, which stay the caller's: it is full when they are used up, and is not freed. */
void arena_bound(struct arena *arena, void *memory, size_t size);

/* Frees all of it; the arena may be used again. */
void arena_free(struct arena *arena);

#define auto_arena __attribute__((cleanup(arena_free)))

#endif
