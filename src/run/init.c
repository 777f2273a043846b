/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Init: PID 1 of the jail, born by clone with a copy of the launcher's memory. Theory of operation:
 *
 * It performs its steps, then forks the payload in borrowed memory (the payload shares memory and the
 * descriptor table until exec, and init sleeps meanwhile), then reaps, forwards signals and reports
 * the program's status. When the launcher dies, the kernel kills it (PDEATHSIG); should the launcher
 * be gone already, the wire has ended and it leaves by itself. Its own end is the end of everything in
 * the PID namespace.
 *
 * It must: act only while it holds the baton; be non-dumpable, so that nobody inside may trace it or
 * take its descriptors. It must not: allocate, use stdio, take locks, believe signals from inside.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "run/op.h"
#include "sys/channel.h"
#include "sys/confine.h"
#include "sys/environment.h"
#include "sys/process.h"

enum { PAYLOAD_STACK = 64 * 1024, FAILED = 125 };

void report_failure(const struct run *run, int rc)
{
	channel_send(run->wire, (struct message){ run->at, -rc }, -1);
}

/* Sleeps until the launcher passes the baton for step NEXT. Where it comes with what is lent, that may take a while. */
static int await_baton(struct run *run, int next)
{
	const bool is_lent = run->plan->steps[next - 1].op == OP_LEND;
	struct pollfd wire = { .fd = run->wire, .events = POLLIN };
	struct message message;
	int fds[CHANNEL_DESCRIPTORS], rc;

	if (is_lent)
		(void)!sys_rest_until_ready(&run->rest, &wire, 1);
	rc = channel_receive_all(run->wire, &message, fds);
	for (unsigned i = 0; i < CHANNEL_DESCRIPTORS; i++) {
		if (is_lent)
			run->far_streams[i] = take_fd(&fds[i]);
		sys_auto_close(&fds[i]);
	}
	if (rc <= 0)
		return rc < 0 ? rc : -EPIPE;
	return message.what == next && message.value == 0 ? 0 : -EPROTO;
}

static int pass_baton(const struct run *run, int next)
{
	return channel_send(run->wire, (struct message){ next, 0 }, -1);
}

/* So that the launcher knows its child however the helper fares; whoever is in the jail may stop or kill either. */
static int tell_birth(const struct run *run)
{
	return channel_send(run->wire, (struct message){ WIRE_BORN, 0 }, run->program_pidfd);
}

/*
 * It says nothing itself: the filter may forbid it to. Where it got to stands in the memory that it borrows, and init,
 * which sleeps until it has executed the program or died, reads it there.
 */
int payload_live(void *argument)
{
	struct run *run = argument;

	if (run->plan->leaves_signals && signals_give_children_back(run) < 0)
		return FAILED;
	if (has_helper(run->plan)) {
		run->payload_errno = -tell_birth(run);
		if (run->payload_errno)
			return FAILED;
	}
	for (run->at++; run->at < run->plan->count; run->at++) {
		int rc = perform(run, &run->plan->steps[run->at]);

		if (rc < 0) {
			run->payload_errno = -rc;
			return FAILED;
		}
	}
	return FAILED;
}

/* All steps of init; ends with the fork of the payload, or, without one, before the payload's first step. */
static int init_perform(struct run *run)
{
	const struct plan *plan = run->plan;
	bool has_baton = true;

	for (; run->at < plan->count; run->at++) {
		const struct step *step = &plan->steps[run->at];
		int rc = 0;

		if (step->side == PAYLOAD)
			return 0;
		if (step->side == LAUNCHER) {
			if (has_baton && run->at > 0 && plan->steps[run->at - 1].op != OP_CLONE)
				rc = pass_baton(run, run->at);
			has_baton = false;
		} else {
			if (!has_baton)
				rc = await_baton(run, run->at);
			has_baton = true;
			if (rc == 0)
				rc = perform(run, step);
		}
		if (rc < 0)
			return rc;
		if (step->op == OP_FORK)
			return 0;
	}
	return plan->is_entry || plan->is_holder ? 0 : -ENOEXEC; /* a jail without a payload is a mistake of ours */
}

/* The program was executed; the descriptor of its denied calls comes along if there is one. */
static int announce(const struct run *run)
{
	return channel_send(run->wire, (struct message){ run->at, -(int)run->payload }, run->slots[SLOT_LISTENER]);
}

/* Without a user namespace init would stay the host's root: it becomes the first of the jail's own ids, which is nobody's. */
static int leave_host_root(const struct run *run)
{
	const uint32_t id = (uint32_t)run->slots[SLOT_IDS];
	int rc;

	if (!run->plan->has_leased_ids || run->plan->has_userns)
		return 0;
	rc = sys_keep_capabilities(true);
	if (rc >= 0)
		rc = sys_set_groups(NULL, 0);
	if (rc >= 0)
		rc = sys_set_gid(id);
	if (rc >= 0)
		rc = sys_set_uid(id);
	return rc < 0 ? rc : sys_die_with_parent(SIGKILL); /* the change of ids made the kernel forget it */
}

void hold(struct run *run, int fd)
{
	unsigned at = run->held_count++;

	for (; at > 0 && run->held[at - 1] > fd; at--)
		run->held[at] = run->held[at - 1];
	run->held[at] = fd;
}

int close_all_but_held(const struct run *run, int first)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < run->held_count; i++) {
		if (run->held[i] > first)
			rc = sys_close_range((unsigned)first, (unsigned)run->held[i] - 1, 0);
		first = run->held[i] + 1;
	}
	return rc < 0 ? rc : sys_close_range((unsigned)first, ~0u, 0);
}

/* What is left is a descriptor or two and, at most, the right to signal the program. Any failure ends the jail. */
static int drop_everything(struct run *run)
{
	const uint64_t kept = run->plan->init_capabilities;
	const struct sys_capabilities least = { .effective = kept, .permitted = kept };
	int rc = leave_host_root(run);

	if (rc >= 0)
		rc = sys_set_capabilities(&least);
	if (rc >= 0)
		rc = sys_dup_to(run->wire, 0);
	if (rc < 0)
		return rc;
	run->wire = 0;
	if (run->slots[SLOT_CHILDREN] >= 0 && sys_dup_to(run->slots[SLOT_CHILDREN], 1) == 1)
		run->slots[SLOT_CHILDREN] = 1;
	if (run->plan->outlives && run->lease >= 0)
		hold(run, run->lease); /* or others would get its ids while the jail lives */
	rc = close_all_but_held(run, run->slots[SLOT_CHILDREN] == 1 ? 2 : 1);
	return rc < 0 ? rc : sys_chdir("/");
}

/* A signal to a whole session that has no terminal to send it: everything stops, everything continues. */
static void deliver(const struct run *run, int signal)
{
	const bool is_for_all = run->plan->owns_pids || run->is_fenced;

	if (is_for_all && signal == SIGTSTP)
		sys_kill(-1, SIGSTOP);
	else if (is_for_all && signal == SIGCONT)
		sys_kill(-1, SIGCONT);
	else
		sys_kill(run->payload, signal == SIGTSTP ? SIGSTOP : signal);
}

/* False when the launcher has nothing more to say: it is gone. */
static bool hear(const struct run *run)
{
	struct message message;
	int fd;

	if (channel_receive(run->wire, &message, &fd) <= 0)
		return false;
	if (message.what == WIRE_SIGNAL)
		deliver(run, message.value);
	return true;
}

/* What is in force is read from the program, which must not be reaped before. */
static bool wait_for_look(const struct run *run)
{
	struct message message = { 0 };

	while (!(message.what == WIRE_SIGNAL && message.value == 0)) {
		int fd;

		if (channel_receive(run->wire, &message, &fd) <= 0)
			return false;
		if (message.what == WIRE_SIGNAL && message.value)
			deliver(run, message.value);
	}
	return true;
}

/* Reaps all that has died; true when the program is among them, with its STATUS. IS_EMPTY: no child is left. */
static bool reap(const struct run *run, int *status, bool *is_empty)
{
	bool is_over = false;
	int one;
	pid_t pid;

	while ((pid = sys_wait(-1, &one, WNOHANG, NULL)) > 0) {
		if (pid != run->payload)
			continue;
		*status = one;
		is_over = true;
	}
	*is_empty = pid == -ECHILD;
	if (!is_over && pid != -EAGAIN)
		sys_exit(FAILED); /* its status cannot be had any more: waiting on would be for ever */
	return is_over;
}

/* Where nothing encloses the jail: its own children, and theirs as soon as they are orphans, until there are none. */
static void end_children(int list)
{
	enum { MOST = 4096 };
	char numbers[MOST];
	int status;

	do {
		ssize_t size = sys_read_at(list, numbers, MOST - 1, 0);

		if (size <= 0)
			return;
		numbers[size] = '\0';
		for (char *at = numbers, *end; strtol(at, &end, 10) > 0 && *end == ' '; at = end + 1)
			sys_kill((pid_t)strtol(at, NULL, 10), SIGKILL);
	} while (sys_wait(-1, &status, 0, NULL) > 0);
}

/* What is left must die before its use of the processor can be counted. */
static void end_the_rest(const struct run *run)
{
	const bool is_for_all = run->plan->owns_pids || run->is_fenced;
	int status;

	if (is_for_all)
		sys_kill(-1, SIGKILL);
	else if (run->slots[SLOT_CHILDREN] >= 0)
		end_children(run->slots[SLOT_CHILDREN]);
	else
		sys_kill(-run->payload, SIGKILL);
	while (sys_wait(-1, &status, 0, NULL) > 0)
		;
}

/* The launcher has been told and leaves. */
static void wait_for_all(const struct run *run)
{
	int status;

	sys_close(run->wire);
	while (sys_wait(-1, &status, 0, NULL) > 0)
		;
}

static _Noreturn void reap_and_forward(struct run *run, int deaths)
{
	struct pollfd ready[2] = { { .fd = run->wire, .events = POLLIN }, { .fd = deaths, .events = POLLIN } };
	struct signalfd_siginfo info;
	bool is_empty;
	int status = 0;

	while (sys_rest_until_ready(&run->rest, ready, 2) >= 0) {
		if (ready[0].revents && !hear(run)) {
			if (!run->plan->outlives) {
				end_the_rest(run);
				sys_exit(FAILED);
			}
			ready[0] = (struct pollfd){ .fd = -1 };
		}
		while (ready[1].revents && sys_read(deaths, &info, sizeof(info)) == (ssize_t)sizeof(info))
			;
		if (!reap(run, &status, &is_empty))
			continue;
		/* Of a PID namespace all that lives without parents is a child of init; and whoever came from outside ends with it. */
		if (!run->plan->outlives && !(is_empty && run->plan->owns_pids))
			end_the_rest(run);
		channel_send(run->wire, (struct message){ WIRE_STATUS, status }, -1);
		if (run->plan->outlives)
			wait_for_all(run);
		sys_exit(0);
	}
	sys_exit(FAILED);
}

/* 0: it executed the program. Otherwise why the step at hand failed; one that said nothing was killed. */
static int fate_of_payload(const struct run *run)
{
	if (run->payload_errno)
		return -run->payload_errno;
	return run->plan->steps[run->at].op == OP_EXEC ? 0 : -ECHILD;
}

/*
 * Without an init: this process becomes the program. Behind its filters it may not be able to say anything, so the launcher is
 * told before; what fails afterwards is left in the memory that the two share.
 */
static _Noreturn void become_program(struct run *run)
{
	const struct plan *plan = run->plan;
	bool is_told = false;
	int rc = 0;

	for (; rc == 0 && run->at < plan->count; run->at++) {
		if (!is_told && plan->steps[run->at].phase >= PHASE_FILTER) {
			rc = channel_send(run->wire, (struct message){ plan->count - 1, -1 }, -1);
			is_told = true;
		}
		if (rc == 0)
			rc = perform(run, &plan->steps[run->at]);
		if (rc < 0)
			break;
	}
	if (!is_told)
		report_failure(run, rc);
	else
		*run->fate = (struct fate){ run->at, -rc };
	sys_exit(FAILED);
}

/* Its stack lies on this one until it has executed the program; afterwards that is given back (sys/rest.h). Its pid. */
static __attribute__((noinline)) pid_t bear_payload(struct run *run)
{
	char stack[PAYLOAD_STACK] __attribute__((aligned(16)));

	run->payload = has_helper(run->plan) ? sys_borrow_sibling(payload_live, run, stack, sizeof(stack), &run->program_pidfd)
					     : sys_borrow_child(payload_live, run, stack, sizeof(stack));
	return run->payload;
}

/*
 * A helper that enters a jail: all that needs its privileges is done, and they are given away. The program is born where the
 * helper itself is not, in the jail's PID namespace; it is the launcher's child, who waits for it. The helper is not needed then.
 */
static _Noreturn void let_in(struct run *run)
{
	int rc = 0;

	if (plan_has(run->plan, OP_FORK)) {
		rc = bear_payload(run);
		if (rc > 0)
			rc = fate_of_payload(run);
		if (rc == 0)
			rc = announce(run);
	}
	if (rc < 0)
		report_failure(run, rc);
	sys_close(run->wire); /* the launcher listens once all is said */
	/* An exit takes time, which one that has waited leaves to who has to be told meanwhile: it is killed. */
	if (rc == 0 && plan_has(run->plan, OP_LEND))
		sys_wait_ready(NULL, 0, -1);
	sys_exit(rc < 0 ? FAILED : 0);
}

/*
 * What a pod's members share, without a program: the launcher has the namespaces by descriptor. Only a PID namespace wants its first
 * process to live; that one reaps whatever is left behind in it, until the launcher is gone.
 */
static _Noreturn void hold_worlds(struct run *run)
{
	struct pollfd ready[2] = { { .fd = -1, .events = POLLIN }, { .fd = -1, .events = POLLIN } };
	struct signalfd_siginfo info;
	struct message message;
	int status, fd, rc = sys_default_signal(SIGCHLD);

	run->at = run->plan->count - 1;
	if (rc == 0) /* unheard, it would be waited for for ever */
		rc = channel_send(run->wire, (struct message){ run->at, 0 }, -1);
	if (rc < 0 || !run->plan->owns_pids)
		sys_exit(rc < 0 ? FAILED : 0);
	rc = drop_everything(run);
	ready[0].fd = run->wire;
	ready[1].fd = sys_child_descriptor();
	while (rc == 0 && ready[1].fd >= 0 && sys_rest_until_ready(&run->rest, ready, 2) >= 0) {
		if (ready[0].revents && channel_receive(run->wire, &message, &fd) <= 0)
			break;
		while (ready[1].revents && sys_read(ready[1].fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
			;
		while (sys_wait(-1, &status, WNOHANG, NULL) > 0)
			;
	}
	sys_exit(FAILED);
}

/* Signals that are left to the caller's terminal and others reach init as well: it is not theirs to end. */
static int shut_signals_out(const struct run *run)
{
	sigset_t all;

	if (!run->plan->leaves_signals || run->plan->has_no_init)
		return 0;
	sigfillset(&all);
	return sys_block_signals(&all, NULL);
}

_Noreturn void init_live(struct run *run)
{
	int rc, deaths;

	rc = shut_signals_out(run);
	if (rc == 0)
		rc = init_perform(run);
	if (rc < 0)
		rc = blame_network(run, rc);
	if (rc == 0 && has_helper(run->plan))
		let_in(run);
	if (rc == 0 && run->plan->is_holder)
		hold_worlds(run);
	if (rc == 0 && run->plan->has_no_init)
		rc = run->plan->leaves_signals ? signals_give_children_back(run) : 0;
	if (rc == 0 && run->plan->has_no_init)
		become_program(run);
	if (rc == 0)
		rc = sys_default_signal(SIGCHLD); /* ignored by the caller, it would take the program's status away */
	if (rc == 0)
		rc = bear_payload(run);
	if (rc > 0)
		rc = fate_of_payload(run);
	if (rc < 0) {
		report_failure(run, rc);
		sys_exit(FAILED);
	}
	rc = announce(run);
	if (rc == 0 || run->plan->outlives) /* unheard by one who lives, it would be waited for for ever */
		rc = drop_everything(run);
	deaths = sys_child_descriptor();
	if (rc < 0 || deaths < 0 || (plan_find(run->plan, OP_EVIDENCE) && !wait_for_look(run) && !run->plan->outlives))
		sys_exit(FAILED);
	reap_and_forward(run, deaths);
}
