/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of the quick executable. Theory: what a run costs is mostly page faults, about 12 microseconds each, and a
 * general allocator spreads small things over many pages and touches each of them for its own bookkeeping. This one
 * hands out the front of one region whose first pages are made in a single call, and gives nothing back but the
 * latest block. Large blocks, of which only a part is used as a rule, come from the region's end, page by page. It suits a process that plans once, waits, and ends; the full executable keeps libc's.
 *
 * It must: zero memory (calloc relies on fresh pages), grow beyond the region by whole mappings. It must not be used by a
 * program with threads.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum { UNIT = 16, REGION = 4 << 20, READY = 32 << 10, LARGE = 16 << 10 };

struct block {
	size_t size; /* usable bytes after this header */
	size_t pad;  /* keeps what follows aligned to UNIT */
};

/* The one variable of the file: an allocator is a state of the process. */
static struct {
	char *next, *end;     /* what is left of the region */
	struct block *latest; /* the one just before next; NULL: none that could go back */
} heap;

static char *map(size_t size)
{
	void *region = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return region == MAP_FAILED ? NULL : region;
}

static int make_room(size_t size)
{
	size_t region = size > REGION ? size + UNIT : REGION;
	char *start = map(region);

	if (!start)
		return -ENOMEM;
	if (!heap.next)
		madvise(start, READY, MADV_POPULATE_WRITE); /* an older kernel says EINVAL: then pages come one by one */
	heap.next = start;
	heap.end = start + region;
	return 0;
}

void *malloc(size_t size)
{
	struct block *block;
	size_t whole;

	if (size > PTRDIFF_MAX - 2 * UNIT) {
		errno = ENOMEM;
		return NULL;
	}
	size = (size + UNIT - 1) / UNIT * UNIT;
	whole = sizeof(*block) + size;
	if ((size_t)(heap.end - heap.next) < whole && make_room(whole) < 0) {
		errno = ENOMEM;
		return NULL;
	}
	if (size >= LARGE) {
		heap.end -= whole;
		block = (struct block *)(void *)heap.end;
	} else {
		block = (struct block *)(void *)heap.next;
		heap.next += whole;
		heap.latest = block;
	}
	block->size = size;
	return block + 1;
}

static struct block *header_of(void *pointer)
{
	return pointer ? (struct block *)pointer - 1 : NULL;
}

/* Only the latest block goes back, and is zeroed for the next. */
void free(void *pointer)
{
	struct block *block = header_of(pointer);

	if (!block || block != heap.latest)
		return;
	memset(pointer, 0, block->size);
	heap.next = (char *)block;
	heap.latest = NULL;
}

void *calloc(size_t count, size_t size)
{
	if (size && count > PTRDIFF_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	return malloc(count * size);
}

void *realloc(void *pointer, size_t size)
{
	struct block *block = header_of(pointer);
	void *copy;

	if (block && size <= block->size)
		return pointer;
	copy = malloc(size);
	if (copy && block)
		memcpy(copy, pointer, block->size);
	return copy;
}
