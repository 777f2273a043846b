/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's classic BPF, in so far as seccomp permits it: a checker and a machine, for tests. */
#ifndef IMMURE_TESTS_BPF_H
#define IMMURE_TESTS_BPF_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Whether the kernel would take the instruction at PLACE. net/core/filter.c bpf_check_classic, seccomp_check_filter */
static inline bool bpf_accepts(const struct sock_filter *line, unsigned place, unsigned count)
{
	switch (line->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return line->k < sizeof(struct seccomp_data) && line->k % 4 == 0;
	case BPF_ALU | BPF_AND | BPF_K:
	case BPF_RET | BPF_K:
		return true;
	case BPF_JMP | BPF_JA:
		return line->k < count - place - 1;
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
		return place + 1u + line->jt < count && place + 1u + line->jf < count;
	default:
		return false;
	}
}

static inline bool bpf_is_valid(const struct sock_filter *program, unsigned count)
{
	if (count == 0 || count > BPF_MAXINSNS || program[count - 1].code != (BPF_RET | BPF_K))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (!bpf_accepts(&program[i], i, count))
			return false;
	return true;
}

static inline unsigned bpf_jump(const struct sock_filter *line, unsigned accumulator)
{
	switch (BPF_OP(line->code)) {
	case BPF_JA: return line->k;
	case BPF_JEQ: return accumulator == line->k ? line->jt : line->jf;
	case BPF_JGE: return accumulator >= line->k ? line->jt : line->jf;
	case BPF_JGT: return accumulator > line->k ? line->jt : line->jf;
	case BPF_JSET: return accumulator & line->k ? line->jt : line->jf;
	default: return 0;
	}
}

/* What a valid program returns for DATA; libseccomp's instructions are known as well. STEPS counts, unless NULL. */
static inline unsigned bpf_run(const struct sock_filter *program, const struct seccomp_data *data, unsigned *steps)
{
	unsigned accumulator = 0, memory[BPF_MEMWORDS] = { 0 };

	for (unsigned at = 0;; at++) {
		const struct sock_filter *line = &program[at];

		if (steps)
			++*steps;
		switch (BPF_CLASS(line->code)) {
		case BPF_LD:
			if (BPF_MODE(line->code) == BPF_MEM)
				accumulator = memory[line->k];
			else
				memcpy(&accumulator, (const char *)data + line->k, sizeof(accumulator));
			break;
		case BPF_ST: memory[line->k] = accumulator; break;
		case BPF_ALU: accumulator &= line->k; break;
		case BPF_JMP: at += bpf_jump(line, accumulator); break;
		default: return line->k;
		}
	}
}

#endif
