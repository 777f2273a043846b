/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/filter only: the generated tables of system calls (tools/gen-syscalls.c). */
#ifndef IMMURE_FILTER_TABLE_H
#define IMMURE_FILTER_TABLE_H

#include <stdint.h>

/* Names lie in one text and are found by offset: no pointers, so nothing to relocate at start. */
struct call {
	uint16_t name;
	int16_t number;
};

struct call_table {
	const char *names;
	const struct call *calls; /* in order of name; one row more than COUNT */
	const uint16_t *index;    /* by number, SYSCALL_MOST of them: the row plus one; 0: no such call */
	unsigned count;
	int newest;               /* -1: none */
	uint32_t arch;            /* AUDIT_ARCH_...; 0: the processor has no such architecture */
};

extern const struct call_table syscalls_native, syscalls_foreign;

#endif
