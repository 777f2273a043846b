/* SPDX-License-Identifier: Apache-2.0 */
/* The few instructions that the compiler writes, performed: to ask a program before it is loaded. */
#include <linux/seccomp.h>
#include <string.h>

#include "filter/filter.h"
#include "filter/syscalls.h"

static unsigned jump(const struct sock_filter *line, uint32_t accumulator)
{
	bool is_so = false;

	switch (BPF_OP(line->code)) {
	case BPF_JA: return line->k;
	case BPF_JEQ: is_so = accumulator == line->k; break;
	case BPF_JGE: is_so = accumulator >= line->k; break;
	case BPF_JGT: is_so = accumulator > line->k; break;
	}
	return is_so ? line->jt : line->jf;
}

uint32_t filter_run(const struct filter *filter, int number, const uint64_t args[FILTER_ARGS])
{
	struct seccomp_data data = { .nr = number, .arch = syscall_arch() };
	uint32_t accumulator = 0;

	if (args)
		memcpy(data.args, args, sizeof(data.args));
	for (unsigned at = 0; at < filter->count; at++) {
		const struct sock_filter *line = &filter->program[at];

		switch (BPF_CLASS(line->code)) {
		case BPF_LD: memcpy(&accumulator, (const char *)&data + line->k, sizeof(accumulator)); break;
		case BPF_ALU: accumulator &= line->k; break;
		case BPF_JMP: at += jump(line, accumulator); break;
		default: return line->k;
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
}
