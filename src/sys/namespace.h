/* SPDX-License-Identifier: Apache-2.0 */
/* Which namespaces a process is in, told apart by inode number. namespaces(7) */
#ifndef IMMURE_SYS_NAMESPACE_H
#define IMMURE_SYS_NAMESPACE_H

#include <stdint.h>

enum { NAMESPACES = 8 };
extern const char *const namespace_names[NAMESPACES];   /* of the files in /proc/PID/ns */
extern const uint64_t namespace_flags[NAMESPACES];      /* CLONE_NEW* */

/*
 * The caller's own namespace of KIND (an index of the tables above). PIDFD: its own pidfd, through which newer kernels
 * answer without /proc; -1: there is none. PROC: a /proc to ask otherwise; -1: the one that is mounted here. 0 or -errno.
 */
int sys_own_namespace(int pidfd, int proc, unsigned kind, uint64_t *inode);
/* The same of the process PID. */
int sys_namespace_of(int pidfd, int pid, unsigned kind, uint64_t *inode);
/* A descriptor of the caller's own, for setns(2). */
int sys_open_own_namespace(int pidfd, int proc, unsigned kind);

#endif
