/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of the quick executable. Theory: what a run costs is mostly page faults, about 12 microseconds each, and a
 * general allocator spreads small things over many pages and touches each of them for its own bookkeeping. This one
 * hands out the front of one region whose first pages are made in a single call, and gives nothing back but the
 * latest block at once. Large blocks, of which only the front is used as a rule, come from the region's end, and begin with a page.
 *
 * A run plans once, waits, and ends; a keeper lives for weeks. So what is freed is kept by size and given out again: small blocks
 * for exactly the same size, others for not much less. Pages of large ones go back to the system meanwhile.
 *
 * It must: zero memory for calloc (fresh pages are zero already), grow beyond the region by whole mappings. It must not be used by a
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

enum { UNIT = 16, REGION = 4 << 20, READY = 20 << 10, LARGE = 16 << 10, SMALL = 1024, PAGE = 4096 };
enum { BINS = SMALL / UNIT + 1 };

struct block {
	size_t size; /* usable bytes after this header */
	struct block *next; /* of the free ones in its bin; keeps what follows aligned to UNIT */
};

/* The one variable of the file: an allocator is a state of the process. */
static struct {
	char *next, *end;     /* what is left of the region */
	char *ready;          /* where more pages are made; NULL: they come one by one */
	struct block *latest; /* the one just before next; NULL: none that could go back */
	struct block *free[BINS]; /* by size in UNITs; the first: all that are larger than SMALL */
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
	heap.ready = heap.next ? NULL : start + PAGE; /* who needs no more than the first is not to pay for others */
	heap.next = start;
	heap.end = start + region;
	return 0;
}

/* An older kernel says EINVAL: then pages come one by one. */
static void make_ready(void)
{
	madvise(heap.ready, READY, MADV_POPULATE_WRITE);
	heap.ready = NULL;
}

static struct block **bin_of(size_t size)
{
	return &heap.free[size <= SMALL ? size / UNIT : 0];
}

/* A block that was freed, of SIZE or, where sizes are many, up to twice that. */
static struct block *take_free(size_t size)
{
	for (struct block **link = bin_of(size); *link; link = &(*link)->next) {
		struct block *block = *link;

		if (block->size < size || block->size / 2 > size)
			continue;
		*link = block->next;
		return block;
	}
	return NULL;
}

static struct block *take_new(size_t size)
{
	const size_t used = sizeof(struct block) + size, whole = size < LARGE ? used : (used + PAGE - 1) / PAGE * PAGE;
	struct block *block;

	if ((size_t)(heap.end - heap.next) < whole && make_room(whole) < 0)
		return NULL;
	if (heap.ready && size < LARGE && heap.next + whole > heap.ready)
		make_ready();
	if (size >= LARGE) {
		heap.end -= whole;
		block = (struct block *)(void *)heap.end;
	} else {
		block = (struct block *)(void *)heap.next;
		heap.next += whole;
		heap.latest = block;
	}
	block->size = size;
	return block;
}

/* The whole pages in a block. */
static size_t pages_in(const struct block *block, char **first)
{
	const uintptr_t start = (uintptr_t)(block + 1), end = (start + block->size) & ~(uintptr_t)(PAGE - 1);
	const uintptr_t page = (start + PAGE - 1) & ~(uintptr_t)(PAGE - 1);

	*first = (char *)page;
	return page < end ? end - page : 0;
}

/* The pages of a large one went back when it was freed: they are zero, and stay untouched. */
static void make_zero(struct block *block)
{
	char *start = (char *)(block + 1), *first, *end = start + block->size;
	const size_t pages = block->size >= LARGE ? pages_in(block, &first) : 0;

	if (!pages) {
		memset(start, 0, block->size);
		return;
	}
	memset(start, 0, (size_t)(first - start));
	memset(first + pages, 0, (size_t)(end - first - pages));
}

static void *give(size_t size, int wants_zeros)
{
	struct block *block;
	int is_used = 1;

	if (size > PTRDIFF_MAX - 2 * UNIT) {
		errno = ENOMEM;
		return NULL;
	}
	size = size ? (size + UNIT - 1) / UNIT * UNIT : UNIT;
	block = take_free(size);
	if (!block) {
		is_used = 0;
		block = take_new(size);
	}
	if (!block) {
		errno = ENOMEM;
		return NULL;
	}
	if (is_used && wants_zeros)
		make_zero(block);
	return block + 1;
}

void *malloc(size_t size)
{
	return give(size, 0);
}

static struct block *header_of(void *pointer)
{
	return pointer ? (struct block *)pointer - 1 : NULL;
}

/* The latest block, if small, is as if it had never been, and zero for the next; of a larger one that would touch pages that nobody used. */
void free(void *pointer)
{
	struct block *block = header_of(pointer), **bin;
	size_t pages;
	char *first;

	if (!block)
		return;
	if (block == heap.latest && block->size <= SMALL) {
		memset(pointer, 0, block->size);
		heap.next = (char *)block;
		heap.latest = NULL;
		return;
	}
	if (block->size >= LARGE && (pages = pages_in(block, &first)) > 0)
		madvise(first, pages, MADV_DONTNEED);
	bin = bin_of(block->size);
	block->next = *bin;
	*bin = block;
}

void *calloc(size_t count, size_t size)
{
	if (size && count > PTRDIFF_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	return give(count * size, 1);
}

void *realloc(void *pointer, size_t size)
{
	struct block *block = header_of(pointer);
	void *copy;

	if (block && size <= block->size)
		return pointer;
	copy = malloc(size);
	if (copy && block) {
		memcpy(copy, pointer, block->size);
		free(pointer);
	}
	return copy;
}
