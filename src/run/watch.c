/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launcher while the program runs: it waits for the end, forwards signals, keeps the time, and
 * answers the filter's notifications. Everything is one poll loop; nothing here trusts the jail.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "run/run.h"
#include "sys/channel.h"
#include "sys/process.h"

enum { READY_WIRE, READY_SIGNAL, READY_TIMER, READY_LISTENER, READY_COUNT };

struct watching {
	struct run *run;
	struct result *result;
	struct pollfd ready[READY_COUNT];
	bool is_announced;   /* exec was about to happen */
	bool has_status;
	int status;
	int failed_step, failed_errno;
};

static const int forwarded[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCONT, SIGALRM };

/* One message from inside. Returns false when there will be no more. */
static bool hear(struct watching *watching)
{
	struct message message;
	int fd, rc = channel_receive(watching->run->wire, &message, &fd);

	if (rc <= 0)
		return false;
	if (message.what == WIRE_LISTENER && fd >= 0 && watching->ready[READY_LISTENER].fd < 0) {
		watching->ready[READY_LISTENER].fd = fd;
		return true;
	}
	if (fd >= 0)
		sys_close(fd);
	if (message.what == WIRE_STATUS && watching->is_announced) {
		watching->status = message.value;
		watching->has_status = true;
	} else if (message.what >= 0 && message.what < watching->run->plan->count) {
		if (message.value > 0 && !watching->failed_errno) {
			watching->failed_step = message.what;
			watching->failed_errno = message.value;
		} else if (watching->run->plan->steps[message.what].op == OP_EXEC) {
			watching->is_announced = true;
		}
	}
	return true;
}

static void forward_signals(struct watching *watching)
{
	struct signalfd_siginfo info;

	while (sys_read(watching->ready[READY_SIGNAL].fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		sys_signal_pidfd(watching->run->init_pidfd, (int)info.ssi_signo);
}

/* The last process under the filter is gone; a descriptor that has hung up would keep the poll spinning. */
static void drop_listener(struct watching *watching)
{
	sys_close(watching->ready[READY_LISTENER].fd);
	watching->ready[READY_LISTENER].fd = -1;
}

/* Until the wire ends: init is dead, or as good as. */
static void wait_for_end(struct watching *watching)
{
	while (sys_wait_ready(watching->ready, READY_COUNT, -1) >= 0) {
		if (watching->ready[READY_SIGNAL].revents)
			forward_signals(watching);
		if (watching->ready[READY_LISTENER].revents & POLLHUP)
			drop_listener(watching);
		if (watching->ready[READY_TIMER].revents) {
			watching->result->reason = REASON_WALL_TIME;
			return;
		}
		if (watching->ready[READY_WIRE].revents && !hear(watching))
			return;
	}
}

static uint64_t nanoseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_usec * 1000u;
}

static void bury(struct watching *watching)
{
	struct run *run = watching->run;
	struct rusage usage = { 0 };
	int status;

	sys_signal_pidfd(run->init_pidfd, SIGKILL); /* dead already, unless a limit ended the run */
	if (sys_wait(run->init, &status, 0, &usage) == run->init)
		run->has_child = false;
	while (hear(watching))
		;
	watching->result->user_ns = nanoseconds(&usage.ru_utime);
	watching->result->system_ns = nanoseconds(&usage.ru_stime);
	watching->result->peak_memory_bytes = (uint64_t)usage.ru_maxrss * 1024;
	watching->result->minor_faults = (uint64_t)usage.ru_minflt;
	watching->result->major_faults = (uint64_t)usage.ru_majflt;
	watching->result->own_switches = (uint64_t)usage.ru_nvcsw;
	watching->result->forced_switches = (uint64_t)usage.ru_nivcsw;
}

static int conclude(struct watching *watching, struct error *err)
{
	struct result *result = watching->result;
	const struct plan *plan = watching->run->plan;

	if (watching->failed_errno) {
		result->reason = REASON_SETUP;
		result->failed_step = watching->failed_step;
		result->failed_errno = watching->failed_errno;
		return explain_failure(plan, watching->failed_step, watching->failed_errno, err);
	}
	if (!watching->is_announced && result->reason != REASON_WALL_TIME)
		return error_set(err, ECHILD, "set-up died before the program was started");
	if (result->reason == REASON_WALL_TIME)
		return 0;
	if (!watching->has_status) {
		result->reason = REASON_SIGNALED; /* init was killed from outside, and the jail with it */
		result->signal = SIGKILL;
	} else if (WIFSIGNALED(watching->status)) {
		result->reason = REASON_SIGNALED;
		result->signal = WTERMSIG(watching->status);
	} else {
		result->reason = REASON_EXITED;
		result->exit_code = WEXITSTATUS(watching->status);
	}
	return 0;
}

int watch(struct run *run, struct result *result, struct error *err)
{
	struct watching watching = { .run = run, .result = result };
	const uint64_t start = sys_now_ns();
	sigset_t set, before;

	for (int i = 0; i < READY_COUNT; i++)
		watching.ready[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	watching.ready[READY_WIRE].fd = run->wire;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	sys_block_signals(&set, &before);
	watching.ready[READY_SIGNAL].fd = sys_signal_descriptor(&set);
	wait_for_end(&watching);
	bury(&watching);
	result->wall_ns = sys_now_ns() - start;
	for (int i = READY_SIGNAL; i < READY_COUNT; i++)
		if (watching.ready[i].fd >= 0)
			sys_close(watching.ready[i].fd);
	sys_block_signals(&before, NULL);
	return conclude(&watching, err);
}
