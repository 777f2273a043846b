/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Denied system calls: each is counted by its number, then answered as --seccomp-action wants it. What
 * the filter denied stays denied whatever the arguments are: they are only remembered for the report.
 *
 * A program that does nothing else than denied calls would have the launcher work for it, out of the
 * jail's limits. So after the first few thousand they are answered at a bounded rate.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/watch.h"
#include "spec/spec.h"
#include "sys/file.h"
#include "sys/notify.h"
#include "sys/process.h"

enum { AT_ONCE = 8192, BURST = 16, PAUSE_NS = 1000000 };

struct denied {
	int listener, timer;
	enum denied_action action;
	int errnum;
	uint64_t answered;
	bool is_program_killed;
};

struct offender {
	pid_t process;     /* as the launcher sees it */
	pid_t inside;      /* as the jail does */
};

static int start(struct watch *watch, void *state, const struct step *step)
{
	struct denied *denied = state;

	(void)watch;
	*denied = (struct denied){ .listener = -1, .timer = -1, .action = (enum denied_action)step->more,
				   .errnum = (int)step->flags };
	return 0;
}

/* The listener came with the announcement. */
static void started(struct watch *watch, void *state)
{
	struct denied *denied = state;

	denied->listener = watch->run->slots[SLOT_LISTENER];
	if (denied->listener >= 0 && watch_add(watch, denied->listener, POLLIN) < 0)
		watch_end(watch, REASON_BLOCKED_CALL);
}

static void record(struct result *result, const struct sys_denied *call)
{
	struct blocked_call *row;

	for (unsigned i = 0; i < result->blocked_count; i++) {
		row = &result->blocked[i];
		if (row->number != call->number || row->arch != call->arch)
			continue;
		row->count++;
		return;
	}
	if (result->blocked_count == RESULT_BLOCKED) {
		result->blocked_beyond++;
		return;
	}
	row = &result->blocked[result->blocked_count++];
	*row = (struct blocked_call){ .number = call->number, .arch = call->arch, .count = 1 };
	memcpy(row->args, call->args, sizeof(row->args));
}

/* The last number of the line that begins with KEY; 0: there is none. */
static pid_t last_number(const char *status, const char *key)
{
	const char *line = strstr(status, key);
	const char *end = line ? strchr(line + 1, '\n') : NULL;

	while (end && end > line && end[-1] >= '0' && end[-1] <= '9')
		end--;
	return end ? (pid_t)strtol(end, NULL, 10) : 0;
}

static int identify(pid_t thread, struct offender *offender)
{
	char path[32], status[4096];
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)thread);
	size = sys_read_file(path, status, sizeof(status));
	if (size < 0)
		return (int)size;
	offender->process = last_number(status, "\nTgid:");
	offender->inside = last_number(status, "\nNStgid:");
	return offender->process > 0 && offender->inside > 0 ? 0 : -ESRCH;
}

/* Kills the process whose call it is. Its pid is its own as long as the call is not answered. */
static int kill_offender(struct watch *watch, struct denied *denied, const struct sys_denied *call)
{
	struct offender offender;
	int rc = identify(call->thread, &offender);
	auto_close int pidfd = rc < 0 ? rc : sys_open_pid(offender.process);

	if (pidfd < 0)
		return pidfd;
	if (!sys_denied_is_waiting(denied->listener, call->id))
		return 0;
	denied->is_program_killed |= (has_helper(watch->run->plan) ? offender.process : offender.inside) == watch->program;
	return sys_signal_pidfd(pidfd, SIGKILL);
}

static void answer(struct watch *watch, struct denied *denied, const struct sys_denied *call)
{
	int rc = 0;

	if (denied->action == DENIED_KILL)
		rc = kill_offender(watch, denied, call);
	if (rc < 0 && sys_denied_is_waiting(denied->listener, call->id)) {
		denied->is_program_killed = true; /* the one process cannot be killed: all are */
		watch_end(watch, REASON_BLOCKED_CALL);
	}
	sys_denied_answer(denied->listener, call->id, denied->action == DENIED_LOG ? 0 : denied->errnum);
}

/* From some number on: a rest after each burst. A timer that cannot be had is no reason to leave calls unanswered. */
static void rest(struct watch *watch, struct denied *denied)
{
	if (denied->timer < 0) {
		denied->timer = sys_timer(PAUSE_NS);
		if (denied->timer < 0 || watch_add(watch, denied->timer, POLLIN) < 0)
			return;
	} else {
		sys_set_timer(denied->timer, PAUSE_NS);
		watch_change(watch, denied->timer, POLLIN);
	}
	watch_change(watch, denied->listener, 0);
}

static void ready(struct watch *watch, void *state, int fd, short events)
{
	struct denied *denied = state;
	struct sys_denied call;

	if (fd == denied->timer) {
		watch_change(watch, denied->timer, 0);
		watch_change(watch, denied->listener, POLLIN);
		return;
	}
	if (!(events & POLLIN)) { /* no process is left under the filter */
		watch_drop(watch, fd);
		return;
	}
	if (sys_denied_receive(fd, &call) < 0)
		return;
	record(watch->result, &call);
	answer(watch, denied, &call);
	if (++denied->answered > AT_ONCE && denied->answered % BURST == 0)
		rest(watch, denied);
}

/* The kernel's own way of killing for a denied call is SIGSYS; so it is reported. */
static void finish(struct watch *watch, void *state)
{
	struct denied *denied = state;
	struct result *result = watch->result;

	if (denied->timer >= 0)
		sys_close(denied->timer);
	result->names_denied_calls = denied->listener >= 0;
	if (!denied->is_program_killed || (result->reason != REASON_SIGNALED && result->reason != REASON_BLOCKED_CALL))
		return;
	result->reason = REASON_BLOCKED_CALL;
	result->signal = SIGSYS;
}

const struct source source_denied_calls = {
	.name = "denied-calls", .op = OP_SECCOMP, .size = sizeof(struct denied),
	.start = start, .started = started, .ready = ready, .finish = finish,
};
