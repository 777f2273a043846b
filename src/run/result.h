/* SPDX-License-Identifier: Apache-2.0 */
/* How a run ended, what was measured, and what was really in force. Numbers, no prose. */
#ifndef IMMURE_RUN_RESULT_H
#define IMMURE_RUN_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "plan/plan.h"

enum reason {
	REASON_EXITED,       /* the program ended by itself */
	REASON_SIGNALED,     /* a signal ended it */
	REASON_WALL_TIME, REASON_CPU_TIME, REASON_MEMORY, REASON_OUTPUT, /* a limit ended it */
	REASON_BLOCKED_CALL, /* the filter ended it */
	REASON_SETUP,        /* it was never started */
};

struct evidence;

enum { RESULT_BLOCKED = 16 };

struct blocked_call {
	int number;          /* of the architecture, AUDIT_ARCH_* */
	uint32_t arch;
	uint64_t count;
	uint64_t args[6];    /* of the first one */
};

struct result {
	enum reason reason;
	int exit_code;       /* EXITED */
	int signal;          /* SIGNALED, BLOCKED_CALL, limits: the signal that ended it; 0: none */
	int failed_step;     /* SETUP: index in the plan, from 0; -1: none */
	int failed_errno;
	uint64_t wall_ns, user_ns, system_ns, peak_memory_bytes;
	uint64_t oom_kills, processes, output_bytes; /* NUMBER_NONE: not measured */
	struct blocked_call blocked[RESULT_BLOCKED]; /* in order of first occurrence */
	unsigned blocked_count;
	uint64_t blocked_beyond; /* denied calls of further kinds */
	bool names_denied_calls; /* they were counted; otherwise the kernel denied them by itself */
	uint64_t forced_switches, own_switches, minor_faults, major_faults;
	const char *lacks[16]; /* asked for, not in force, permitted by --may-lack */
	unsigned lacking_count;
	struct evidence *evidence; /* NULL: not asked for; freed by result_free */
	int output_errno;    /* what it wrote could not be passed on; 0: it could */
};

/* The exit code of immure for RESULT: the program's, 128+n, 124, 125, 126, 127. */
int result_exit_code(const struct result *result, const struct plan *plan);
void result_free(struct result *result);
const char *reason_name(enum reason reason);

#endif
