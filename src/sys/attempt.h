/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that are made only to see whether they may be made: with arguments that cannot work, so that nothing happens. */
#ifndef IMMURE_SYS_ATTEMPT_H
#define IMMURE_SYS_ATTEMPT_H

#include <stddef.h>

enum attempt {
	ATTEMPT_CLONE3, ATTEMPT_PIDFD_OPEN, ATTEMPT_CLOSE_RANGE, ATTEMPT_OPENAT2, ATTEMPT_OPEN_TREE, ATTEMPT_OPEN_TREE_ATTR,
	ATTEMPT_MOUNT_SETATTR,
};

/* 0: the kernel has the call and looked at its arguments; -ENOSYS: it has not, or a filter says so; -EPERM: a filter forbids it. */
int sys_attempt(enum attempt attempt);

/* The answer of a harmless call that a test's filter denies: getppid(2). 0 or -errno. */
int sys_attempt_filtered(void);

/* Whether somebody listens on the socket at PATH; nothing is said to them. 0 or -errno. */
int sys_attempt_connect(const char *path);

/* Zeroed memory that a forked child shares, so that it can tell a story; NULL: none. */
void *sys_shared_memory(size_t size);
void sys_free_shared_memory(void *memory, size_t size);

#endif
