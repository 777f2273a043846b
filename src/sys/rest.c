/* SPDX-License-Identifier: Apache-2.0 */
/* Giving pages of the program's text back. */
#include "sys/rest.h"

#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/process.h"

enum { REST_MS = 100, OWN_BYTES = 4096, STACK_NEAR = 1 << 20, STACK_BYTES = 128 << 10, OWN_STACK = 512 };

static int note_program(struct dl_phdr_info *info, size_t size, void *argument)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct sys_rest *rest = argument;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum && rest->count < SYS_REST_PARTS; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		const uintptr_t start = (info->dlpi_addr + part->p_vaddr) & ~(page - 1);
		const uintptr_t end = (info->dlpi_addr + part->p_vaddr + part->p_memsz + page - 1) & ~(page - 1);

		if (part->p_type != PT_LOAD || (part->p_flags & PF_W))
			continue;
		rest->parts[rest->count].start = (void *)start;
		rest->parts[rest->count++].size = end - start;
	}
	return 1; /* the program itself comes first; libraries are shared with others anyway */
}

void sys_rest_find(struct sys_rest *rest)
{
	rest->count = 0;
	rest->stack_top = (char *)getauxval(AT_RANDOM); /* it lies above all frames */
	dl_iterate_phdr(note_program, rest);
}

/*
 * What follows runs on a page of its own and calls nothing: any other page that it touched would come back, and with it,
 * where the page cache holds larger pieces, up to sixteen neighbours.
 */
#define OWN_PAGE __attribute__((section(".text.rest"), aligned(4096), noinline))

#if defined(__x86_64__)

static inline __attribute__((always_inline)) long raw_call(long number, long first, long second, long third)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(first), "S"(second), "d"(third) : "rcx", "r11", "memory");
	return result;
}

/*
 * What lies below is anybody's to overwrite, as it is for each function that is called. Below the first stack nothing else is mapped for at
 * least a megabyte (its guard gap, mmap(2)), so more may be named than there is; below a thread's anything may lie.
 */
static inline __attribute__((always_inline)) void give_back_stack(const struct sys_rest *rest)
{
	const char *here = __builtin_frame_address(0);
	const uintptr_t end = ((uintptr_t)here - OWN_STACK) & ~(uintptr_t)(OWN_BYTES - 1);

	if (here < rest->stack_top && rest->stack_top - here < STACK_NEAR)
		raw_call(SYS_madvise, (long)(end - STACK_BYTES), STACK_BYTES, MADV_DONTNEED);
}

static OWN_PAGE long give_back_and_wait(const struct sys_rest *rest, struct pollfd *fds, unsigned count, uintptr_t here)
{
	give_back_stack(rest);
	for (unsigned i = 0; i < rest->count; i++) {
		const uintptr_t start = (uintptr_t)rest->parts[i].start, end = start + rest->parts[i].size;
		const int is_mine = here >= start && here < end;

		raw_call(SYS_madvise, (long)start, (long)(is_mine ? here - start : end - start), MADV_DONTNEED);
		if (is_mine)
			raw_call(SYS_madvise, (long)(here + OWN_BYTES), (long)(end - here - OWN_BYTES), MADV_DONTNEED);
	}
	return raw_call(SYS_poll, (long)fds, (long)count, -1);
}

#else /* elsewhere it waits without resting: correct, only larger */

static long give_back_and_wait(const struct sys_rest *rest, struct pollfd *fds, unsigned count, uintptr_t here)
{
	(void)rest;
	(void)here;
	return sys_wait_ready(fds, count, -1);
}

#endif

static void advise(const struct sys_rest *rest, int advice)
{
	for (unsigned i = 0; i < rest->count; i++)
		madvise(rest->parts[i].start, rest->parts[i].size, advice);
}

/* At work, and in children that are born by it, neighbours are welcome: one page at a time, each costs a fault. */
int sys_rest_until_ready(struct sys_rest *rest, struct pollfd *fds, unsigned count)
{
	int ready = sys_wait_ready(fds, count, rest->count ? REST_MS : -1);

	if (ready || !rest->count)
		return ready;
	advise(rest, MADV_RANDOM);
	ready = (int)give_back_and_wait(rest, fds, count, (uintptr_t)give_back_and_wait & ~(uintptr_t)(OWN_BYTES - 1));
	advise(rest, MADV_NORMAL);
	return ready == -EINTR ? 0 : ready;
}
