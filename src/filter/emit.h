/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside src/filter only: writing a program from its end to its start. Jumps in classic BPF lead forward only, so
 * what a jump leads to is there before the jump is, and its distance is known at once: nothing is patched later.
 * Conditional jumps reach 255 instructions; where that is too near, the return is written again or a long jump
 * is put between.
 */
#ifndef IMMURE_FILTER_EMIT_H
#define IMMURE_FILTER_EMIT_H

#include "filter/filter.h"

enum { EMIT_MOST = BPF_MAXINSNS, EMIT_MOST_VERDICTS = 256 };

/* What is done about a call in the end, and where its latest return stands. */
struct verdict {
	enum filter_action action;
	uint16_t errnum;
	bool is_placed;
	unsigned place;
};

/* Where a jump leads: a verdict's return, wherever one is near, or an instruction. Places count from the end. */
struct target {
	bool is_verdict;
	unsigned place; /* the verdict's index, or the instruction */
};

struct emitter {
	struct sock_filter code[EMIT_MOST]; /* last instruction first */
	unsigned count;
	bool is_full;                       /* the program or the list of verdicts is too long */
	struct verdict verdicts[EMIT_MOST_VERDICTS];
	unsigned verdict_count;
	unsigned short denied[EMIT_MOST];   /* places of returns of denied calls */
	unsigned denied_count;
	uint32_t denied_return;
};

struct target emit_verdict(struct emitter *emitter, enum filter_action action, uint16_t errnum);

/* Puts one instruction before all that is there. */
void emit(struct emitter *emitter, uint16_t code, uint32_t value);

/* Puts a comparison of the accumulator there; CODE is BPF_JEQ, BPF_JGE or BPF_JGT. Returns its place. */
struct target emit_jump(struct emitter *emitter, uint16_t code, uint32_t value, struct target yes, struct target no);

/* Makes sure that what is put there next falls into TARGET. */
void emit_fall(struct emitter *emitter, struct target target);

/*
 * Puts the test of one condition there: on to YES if it holds, to NO if not. Returns where it starts; an
 * argument's words are loaded as needed.
 */
struct target emit_condition(struct emitter *emitter, const struct filter_condition *condition, struct target yes,
			     struct target no);

#endif
