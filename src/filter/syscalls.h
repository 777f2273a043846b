/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and numbers of system calls and errors, and the constants that conditions may name. The tables of calls are
 * generated at build time (tools/gen-syscalls.c) for the native architecture and the one that the same processor
 * also runs.
 */
#ifndef IMMURE_FILTER_SYSCALLS_H
#define IMMURE_FILTER_SYSCALLS_H

#include <stdbool.h>
#include <stdint.h>

enum { SYSCALL_MOST = 1024, SYSCALL_NONE = -1 };

/* SYSCALL_NONE: the architecture has no such call. */
int syscall_number(const char *name);
int syscall_foreign_number(const char *name);

/* NULL: the number is not known. */
const char *syscall_name(int number);
const char *syscall_foreign_name(int number);

/* The largest known number. Anything above is newer than this build. */
int syscall_newest(void);
int syscall_foreign_newest(void);

/* AUDIT_ARCH_... of seccomp_data.arch; the foreign one is 0 where the processor has no other. */
uint32_t syscall_arch(void);
uint32_t syscall_foreign_arch(void);

/* The known call whose name is nearest to NAME; NULL: none is near. */
const char *syscall_nearest(const char *name);

/* "EPERM" <-> 1. 0 and NULL: not known. */
int errno_number(const char *name);
const char *errno_name(int number);

/* AF_UNIX, CLONE_NEWUSER, TIOCSTI, ...; false: not known. */
bool constant_value(const char *name, uint64_t *value);

#endif
