/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions, jumps and comparisons of 64-bit arguments by their 32-bit halves. */
#include "filter/emit.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low word of an argument is taken to come first");

/* Two more instructions may be put between a target that was found near and the jump to it. */
enum { REACH = 255 - 2 };

uint32_t filter_return(enum filter_action action, uint16_t errnum)
{
	switch (action) {
	case FILTER_ALLOW: return SECCOMP_RET_ALLOW;
	case FILTER_LOG: return SECCOMP_RET_LOG;
	case FILTER_TRAP: return SECCOMP_RET_TRAP;
	case FILTER_NOTIFY: return SECCOMP_RET_USER_NOTIF;
	case FILTER_ERRNO: return SECCOMP_RET_ERRNO | errnum;
	case FILTER_DENY: return SECCOMP_RET_ERRNO | EPERM;
	case FILTER_KILL: break;
	}
	return SECCOMP_RET_KILL_PROCESS;
}

static bool is_same_verdict(const struct verdict *verdict, enum filter_action action, uint16_t errnum)
{
	return verdict->action == action && (action != FILTER_ERRNO || verdict->errnum == errnum);
}

struct target emit_verdict(struct emitter *emitter, enum filter_action action, uint16_t errnum)
{
	unsigned i = 0;

	while (i < emitter->verdict_count && !is_same_verdict(&emitter->verdicts[i], action, errnum))
		i++;
	if (i == EMIT_MOST_VERDICTS) {
		emitter->is_full = true;
		i = 0;
	} else if (i == emitter->verdict_count) {
		emitter->verdicts[emitter->verdict_count++] = (struct verdict){ .action = action, .errnum = errnum };
	}
	return (struct target){ .is_verdict = true, .place = i };
}

static void emit_instruction(struct emitter *emitter, struct sock_filter instruction)
{
	if (emitter->count == EMIT_MOST) {
		emitter->is_full = true;
		return;
	}
	emitter->code[emitter->count++] = instruction;
}

void emit(struct emitter *emitter, uint16_t code, uint32_t value)
{
	emit_instruction(emitter, (struct sock_filter){ .code = code, .k = value });
}

static void emit_return(struct emitter *emitter, struct verdict *verdict)
{
	const bool is_denied = verdict->action == FILTER_DENY;

	verdict->is_placed = true;
	verdict->place = emitter->count;
	if (is_denied && emitter->count < EMIT_MOST)
		emitter->denied[emitter->denied_count++] = (unsigned short)emitter->count;
	emit(emitter, BPF_RET | BPF_K, is_denied ? emitter->denied_return : filter_return(verdict->action, verdict->errnum));
}

static bool is_near(const struct emitter *emitter, unsigned place)
{
	return emitter->count - place - 1 <= REACH;
}

static unsigned reach_verdict(struct emitter *emitter, struct verdict *verdict)
{
	if (!verdict->is_placed || !is_near(emitter, verdict->place))
		emit_return(emitter, verdict);
	return verdict->place;
}

/* A place for TARGET that a conditional jump reaches. */
static unsigned reach(struct emitter *emitter, struct target target)
{
	if (target.is_verdict)
		return reach_verdict(emitter, &emitter->verdicts[target.place]);
	if (is_near(emitter, target.place))
		return target.place;
	emit(emitter, BPF_JMP | BPF_JA, emitter->count - target.place - 1);
	return emitter->count - 1;
}

struct target emit_jump(struct emitter *emitter, uint16_t code, uint32_t value, struct target yes, struct target no)
{
	const unsigned yes_place = reach(emitter, yes), no_place = reach(emitter, no);
	struct sock_filter jump = { .code = (uint16_t)(BPF_JMP | BPF_K | code), .k = value };

	jump.jt = (uint8_t)(emitter->count - yes_place - 1);
	jump.jf = (uint8_t)(emitter->count - no_place - 1);
	emit_instruction(emitter, jump);
	return (struct target){ .place = emitter->count - 1 };
}

void emit_fall(struct emitter *emitter, struct target target)
{
	if (target.is_verdict)
		emit_return(emitter, &emitter->verdicts[target.place]);
	else if (target.place + 1 != emitter->count)
		emit(emitter, BPF_JMP | BPF_JA, emitter->count - target.place - 1);
}

/* Puts the load of one word, masked, before a comparison that was put there last. */
static struct target emit_load(struct emitter *emitter, unsigned offset, uint32_t mask)
{
	if (mask != UINT32_MAX)
		emit(emitter, BPF_ALU | BPF_AND | BPF_K, mask);
	emit(emitter, BPF_LD | BPF_W | BPF_ABS, offset);
	return (struct target){ .place = emitter->count - 1 };
}

static unsigned word_offset(const struct filter_condition *condition, bool is_high)
{
	return (unsigned)(offsetof(struct seccomp_data, args) + 8u * condition->arg + (is_high ? 4u : 0u));
}

/* The low half: CODE is JEQ, JGE or JGT. */
static struct target emit_low(struct emitter *emitter, const struct filter_condition *condition, uint16_t code,
			      struct target yes, struct target no)
{
	emit_jump(emitter, code, (uint32_t)condition->value, yes, no);
	return emit_load(emitter, word_offset(condition, false), (uint32_t)condition->mask);
}

/*
 * The high half decides unless it is equal. Where the mask leaves nothing of it, it is zero and need not be loaded:
 * greater than no value, equal only to zero.
 */
static struct target emit_both(struct emitter *emitter, const struct filter_condition *condition, uint16_t code,
			       struct target yes, struct target no)
{
	const uint32_t high = (uint32_t)(condition->value >> 32), mask = (uint32_t)(condition->mask >> 32);
	struct target equal;

	if (!mask && high)
		return no;
	equal = emit_low(emitter, condition, code, yes, no);
	if (!mask)
		return equal;
	equal = emit_jump(emitter, BPF_JEQ, high, equal, no);
	if (code != BPF_JEQ)
		emit_jump(emitter, BPF_JGT, high, yes, equal);
	return emit_load(emitter, word_offset(condition, true), mask);
}

struct target emit_condition(struct emitter *emitter, const struct filter_condition *condition, struct target yes,
			     struct target no)
{
	switch (condition->compare) {
	case COMPARE_EQ: return emit_both(emitter, condition, BPF_JEQ, yes, no);
	case COMPARE_NE: return emit_both(emitter, condition, BPF_JEQ, no, yes);
	case COMPARE_GE: return emit_both(emitter, condition, BPF_JGE, yes, no);
	case COMPARE_LT: return emit_both(emitter, condition, BPF_JGE, no, yes);
	case COMPARE_GT: return emit_both(emitter, condition, BPF_JGT, yes, no);
	case COMPARE_LE: return emit_both(emitter, condition, BPF_JGT, no, yes);
	}
	return no;
}
