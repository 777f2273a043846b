/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals to the launcher. They are blocked from before the first step until everything is undone, so
 * none ends it half-way; here they are read and passed on to init, which delivers them to the program.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "run/watch.h"
#include "sys/file.h"
#include "sys/process.h"

/* Before the program is there these end the run; afterwards it is the program's to decide. */
static bool is_request_to_end(int signal)
{
	return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
}

/*
 * Not passed on: deaths of children; what the launcher's own writing and faults raise; window sizes,
 * which the terminal sees to; what its own use of the caller's terminal in the background raises.
 */
static bool is_private(int signal)
{
	static const int private[] = { SIGCHLD, SIGPIPE, SIGWINCH, SIGTTIN, SIGTTOU, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP,
				       SIGSYS };

	for (size_t i = 0; i < ARRAY_SIZE(private); i++)
		if (private[i] == signal)
			return true;
	return false;
}

/*
 * Exec makes a child's death known by SIGCHLD, whatever it was born with, and who ignores that signal loses the status: so it is
 * not ignored meanwhile. execve(2), wait(2)
 */
static int keep_children(struct run *run)
{
	const struct sigaction keep = { .sa_handler = SIG_DFL };
	int rc = sys_set_disposition(SIGCHLD, &keep, &run->children_before);

	run->has_children_before = rc == 0;
	return rc;
}

int signals_give_children_back(const struct run *run)
{
	return run->has_children_before ? sys_set_disposition(SIGCHLD, &run->children_before, NULL) : 0;
}

int signals_block(struct run *run)
{
	sigset_t all, watched;
	int rc = run->plan->has_no_init || run->plan->leaves_signals ? keep_children(run) : 0;

	if (rc < 0)
		return rc;
	if (run->plan->leaves_signals)
		return sys_block_signals(NULL, &run->signals_before);
	sigfillset(&all);
	rc = sys_block_signals(&all, &run->signals_before);
	if (rc < 0)
		return rc;
	run->are_signals_blocked = true;
	sigfillset(&watched);
	sigdelset(&watched, SIGCHLD);
	return run->signals = sys_signal_descriptor(&watched);
}

/* What came too late to be passed on is the caller's again; what the launcher's own writing raised is nobody's. */
void signals_restore(struct run *run)
{
	struct signalfd_siginfo info;
	uint64_t late = 0;

	if (run->has_children_before)
		sys_set_disposition(SIGCHLD, &run->children_before, NULL);
	if (!run->are_signals_blocked)
		return;
	while (run->signals >= 0 && sys_read(run->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (!is_private((int)info.ssi_signo))
			late |= 1ULL << (info.ssi_signo - 1);
	for (int signal = 1; signal <= 64; signal++) /* only now, or it would be read again */
		if (late >> (signal - 1) & 1)
			sys_raise(signal);
	if (run->signals >= 0)
		sys_close(run->signals);
	sys_block_signals(&run->signals_before, NULL);
}

int signals_interrupt(struct run *run)
{
	struct signalfd_siginfo info;

	while (!run->interruption && sys_read(run->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (is_request_to_end((int)info.ssi_signo))
			run->interruption = (int)info.ssi_signo;
		else if (!is_private((int)info.ssi_signo))
			run->early_signals |= 1ULL << (info.ssi_signo - 1);
	}
	return run->interruption ? -EINTR : 0;
}

/*
 * As Ctrl-Z does to any program: everything in the jail stops, then the launcher does, until it is continued. It does not stop where its
 * group is orphaned, and a SIGCONT that came before it could is discarded by the stop: so all goes on here, without one. signal(7)
 */
static void stop(struct watch *watch)
{
	watch_signal(watch, SIGTSTP);
	sys_raise_unblocked(SIGTSTP);
	watch_tell(watch, SIGCONT);
	watch_signal(watch, SIGCONT);
}

static void pass_on(struct watch *watch, int signal)
{
	watch_tell(watch, signal);
	if (is_private(signal))
		return;
	if (is_request_to_end(signal) && !watch_await_start(watch)) {
		watch->run->interruption = signal;
		watch_end(watch, REASON_SIGNALED);
	} else if (signal == SIGTSTP) {
		stop(watch);
	} else {
		watch_signal(watch, signal);
	}
}

static int start(struct watch *watch, void *state, const struct step *step)
{
	(void)state;
	(void)step;
	for (int signal = 1; signal <= 64; signal++)
		if (watch->run->early_signals >> (signal - 1) & 1)
			pass_on(watch, signal);
	return watch->run->signals < 0 ? 0 : watch_add(watch, watch->run->signals, POLLIN);
}

static void ready(struct watch *watch, void *state, int fd, short events)
{
	struct signalfd_siginfo info;

	(void)state;
	(void)events;
	while (sys_read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		pass_on(watch, (int)info.ssi_signo);
}

const struct source source_signals = { .name = "signals", .op = OPS, .start = start, .ready = ready };
