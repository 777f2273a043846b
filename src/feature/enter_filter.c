/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading a filter is the dearest of what is left to do when somebody comes for a helper that waits: the kernel asks it about every
 * call once. So it is loaded in advance where it allows what the helper and its child do after that, up to exec. It is the
 * jail's own filter, and is asked as it is.
 */
#include "feature/enter_filter.h"

#include <linux/seccomp.h>
#include <sched.h>

#include "filter/filter.h"
#include "filter/syscalls.h"

/* By all the names that a libc or an architecture knows them by. The pointers are not known here, and no profile looks at one. */
static const struct {
	const char *name;
	uint64_t first; /* argument */
} calls[] = {
	{ .name = "poll" }, { .name = "ppoll" }, { .name = "madvise" }, /* sys/rest.h */
	{ .name = "recvmsg" }, { .name = "sendmsg" }, { .name = "close" }, { .name = "dup2" }, { .name = "dup3" }, /* the wire, streams */
	{ .name = "getcwd" }, { .name = "stat" }, { .name = "newfstatat" }, { .name = "statx", .first = (uint32_t)-100 }, /* OP_CHECK_ROOT */
	{ .name = "clone", .first = CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_PARENT | CLONE_PIDFD },
	{ .name = "setsid" }, { .name = "execve" }, { .name = "exit_group" },
};

static bool allows_all(const struct step *step)
{
	const struct filter filter = { .name = step->subject, .program = step->data, .count = (unsigned short)step->size };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		const int number = syscall_number(calls[i].name);
		const uint64_t args[FILTER_ARGS] = { calls[i].first };

		if (number != SYSCALL_NONE && filter_run(&filter, number, args) != SECCOMP_RET_ALLOW)
			return false;
	}
	return true;
}

bool may_wait_behind_filter(const struct plan *jail)
{
	const struct step *own = plan_find(jail, OP_SECCOMP);

	for (int i = 0; i < jail->count; i++) {
		const struct step *step = &jail->steps[i];

		if (step->phase == PHASE_CLOSE || (step->phase == PHASE_FILTER && step != own) || step->op == OP_CHECK_PROGRAM)
			return false;
	}
	return own && allows_all(own);
}
