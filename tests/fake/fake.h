/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake kernel: every call of src/sys is noted as a line of text and succeeds, but for the one that is told to fail. Plans are
 * performed over it in one process: the child's life begins where sys_clone answers 0, and ends where it would end.
 */
#ifndef TESTS_FAKE_H
#define TESTS_FAKE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "plan/plan.h"

enum { FAKE_CALLS = 4096, FAKE_LINE = 192 };

/* How a life ended. */
enum fake_end { FAKE_RUNNING, FAKE_EXEC, FAKE_EXIT };

struct fake {
	const struct plan *plan;
	char calls[FAKE_CALLS][FAKE_LINE];
	int count;
	int fail_at, fail_errno;     /* the call with that number answers -fail_errno; -1: none does */
	int sent_step, sent_value;   /* the last message with a step; -1: none */
	int shared[64];              /* what the launcher shares with its child */
	bool is_child;               /* what sys_clone answers */
	int open_descriptors;        /* made less closed */
	enum fake_end end;
	jmp_buf over;
};
extern struct fake fake;

/* Forgets all; the next call is number 0. */
void fake_reset(const struct plan *plan, bool is_child);
/* Notes a call; 0, or -errno when it is the one that fails. */
int fake_note(const char *format, ...) PRINTF_LIKE(1, 2);
int fake_descriptor(void);

#endif
