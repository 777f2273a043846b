/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter: a profile compiled to the kernel's classic BPF. The shipped profiles were compiled when immure was
 * built, so a common run compiles nothing. seccomp(2), and docs/decisions/0002-own-filter-compiler.md.
 *
 * What every filter does, whatever the profile says:
 *	another architecture's call          kills the process (unless filter_options says otherwise)
 *	x32 (number & 0x40000000)            kills the process, always
 *	a number unknown to this build       ENOSYS, as a kernel does that never had it
 */
#ifndef IMMURE_FILTER_FILTER_H
#define IMMURE_FILTER_FILTER_H

#include <linux/filter.h>

#include "filter/profile.h"

struct filter {
	const char *name, *summary;         /* the profile's */
	const struct sock_filter *program;
	const unsigned short *denied;       /* places of the returns that treat a denied call */
	unsigned short count;               /* instructions */
	unsigned short denied_count;
	uint32_t denied_return;             /* what stands at those places now: SECCOMP_RET_... */
};

struct filter_options {
	/*
	 * i386 calls on x86_64 (arm on aarch64) are judged by the profile's rules of the same NAME instead of killed.
	 * Calls that only the foreign architecture has (mmap2, stat64, ...) count only where the profile names them;
	 * i386's socketcall and ipc hide their arguments behind pointers and are denied unless named without a
	 * condition. x32 stays forbidden.
	 */
	bool has_foreign_arch;
};

/* The shipped filter NAME, static; NULL: there is none. */
const struct filter *filter_find(const char *name);
/* The shipped filters in order of name; NULL at the end. */
const struct filter *filter_at(unsigned index);

/*
 * Compiles. On success FILTER is filled and all of it lives in ARENA. -E2BIG when the program would be longer
 * than the kernel takes (4096 instructions), -ENOMEM.
 */
int filter_compile(struct arena *arena, const struct profile *profile, const struct filter_options *options,
		   struct filter *filter, struct error *err) MUST_CHECK;

/*
 * What FILTER's program returns for a native call, as the kernel would run it. ARGS may be NULL: zeros. The payload
 * itself makes calls behind the filter (execve, exit_group), and nobody could answer for it if they were denied.
 */
uint32_t filter_run(const struct filter *filter, int number, const uint64_t args[FILTER_ARGS]);

/* The kernel's value for an action; ALLOW and those that DENY may mean. ERRNUM counts for ERRNO only. */
uint32_t filter_return(enum filter_action action, uint16_t errnum);

/*
 * Writes FILTER's program into COPY (filter->count instructions, the caller's), denied calls getting DENIED
 * (filter_return). No memory is taken and nothing can fail, so it may be called anywhere.
 */
void filter_retarget(const struct filter *filter, uint32_t denied, struct sock_filter *copy);

#endif
