/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resting: a process that only waits needs little of its own text, and nothing of the stack below the function that waits. After a
 * moment without an event these pages are given back. Those of the text are clean, so they come again from the file when touched, one
 * at a time.
 */
#ifndef IMMURE_SYS_REST_H
#define IMMURE_SYS_REST_H

#include <poll.h>
#include <stddef.h>

enum { SYS_REST_PARTS = 8 };

struct sys_rest {
	struct {
		void *start;
		size_t size;
	} parts[SYS_REST_PARTS]; /* the program's read-only parts */
	unsigned count;          /* 0: none */
	char *stack_top;         /* of the process's first stack */
};

/* Finds the parts. It takes a lock of libc's: not for the child. dl_iterate_phdr(3) */
void sys_rest_find(struct sys_rest *rest);

/* sys_wait_ready without a limit, which gives the parts back each time nothing happens for a tenth of a second. 0: nothing
 * is ready, wait again. */
int sys_rest_until_ready(struct sys_rest *rest, struct pollfd *fds, unsigned count);

#endif
