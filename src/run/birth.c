/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The birth of init. Commonly it is one clone by the launcher. Where a namespace is joined, or where an outer filter
 * forbids clone with namespaces but not unshare, a helper goes first: a child of the launcher, alone in its memory as
 * setns(2) wants it, that shares the descriptor table, enters or unshares, and bears init as the launcher's child
 * (CLONE_PARENT), not its own. It tells two integers, {pid, pidfd} or {-1 - step, -errno}, and ends.
 */
#include <errno.h>
#include <poll.h>

#include "run/run.h"
#include "sys/channel.h"
#include "sys/process.h"

enum { GROUP_MS = 100 };

static uint64_t clone_flags(const struct run *run, const struct step *step)
{
	return step->flags | (run->slots[SLOT_CGROUP] >= 0 ? SYS_CLONE_INTO_CGROUP : 0);
}

/* Who enters a jail takes along what its steps name, and nothing else that the launcher has open. */
static int forget_others(struct run *run)
{
	const struct plan *plan = run->plan;
	int rc;

	hold(run, run->wire);
	if (run->slots[SLOT_TERMINAL] >= 0)
		hold(run, run->slots[SLOT_TERMINAL]);
	for (int i = 0; i < 3; i++)
		if (run->far_streams[i] >= 0)
			hold(run, run->far_streams[i]);
	for (int i = run->at; i < plan->count; i++) {
		const struct step *step = &plan->steps[i];

		if (step->side == LAUNCHER || step->slot <= SLOT_IDS || run->slots[step->slot] < 0)
			continue;
		if (run->held_count == HELD)
			return -EMFILE;
		hold(run, run->slots[step->slot]);
	}
	rc = close_all_but_held(run, 3);
	run->held_count = 0; /* until it is the program, or bears that */
	return rc;
}

/* Where another owns the user namespace, only root writes the maps; and what init writes of its own belongs to root while it is hidden. */
static bool is_shown(const struct run *run)
{
	return run->is_hidden && !run->plan->is_born_hidden && !run->owner;
}

static _Noreturn void become_init(struct run *run)
{
	if (sys_close(run->wire) < 0)
		sys_exit(125); /* with both ends in hand it would never hear that the launcher is gone */
	run->wire = run->far_wire;
	forget_tellers(run);
	if (has_helper(run->plan) && sys_lead_group() < 0)
		sys_exit(125);
	if (run->plan->is_entry && forget_others(run) < 0)
		sys_exit(125);
	run->at++;
	if (is_shown(run) && (sys_set_dumpable(true) < 0 || channel_send(run->wire, (struct message){ WIRE_SEEN, 0 }, -1) < 0))
		sys_exit(125);
	init_live(run);
}

/*
 * The child of a launcher that nobody may look at is as hidden, and then its maps belong to root: no ordinary user may write
 * them. So it shows itself first; nothing of the jail exists yet, and it hides before anything does. proc(5)
 */
static int await_sight(const struct run *run)
{
	struct message message;
	int fd, rc = channel_receive(run->wire, &message, &fd);

	if (fd >= 0)
		sys_close(fd);
	if (rc <= 0)
		return rc < 0 ? rc : -ECHILD;
	return message.what == WIRE_SEEN ? 0 : -EPROTO;
}

static bool is_helpers(const struct step *step)
{
	return step->phase == PHASE_JOIN;
}

/* The launcher, whose table it is as well, does not know of what the helper opened. */
static void close_opened(const struct run *run)
{
	for (int i = 0; i < run->at; i++)
		if (is_helpers(&run->plan->steps[i]) && run->plan->steps[i].op == OP_OPEN)
			sys_close(run->slots[run->plan->steps[i].slot]);
}

/* The steps of the helper, in their order; they stand before the birth. */
static int join_all(struct run *run)
{
	const int birth = run->at;
	int rc = 0;

	for (run->at = 0; rc >= 0 && run->at < birth; run->at++)
		if (is_helpers(&run->plan->steps[run->at]))
			rc = perform(run, &run->plan->steps[run->at]);
	if (rc < 0) {
		run->at--;
		close_opened(run);
		return rc;
	}
	run->at = birth;
	close_opened(run);
	return 0;
}

/* A PID namespace that is joined holds for children only, and only one of them can make a new one below it. pid_namespaces(7) */
static bool needs_second_helper(const struct run *run, const struct step *step)
{
	bool joins_pids = false;

	for (int i = 0; i < run->at; i++)
		joins_pids |= run->plan->steps[i].op == OP_JOIN_NAMESPACE && (run->plan->steps[i].flags & SYS_CLONE_NEWPID);
	return joins_pids && (step->flags & SYS_CLONE_NEWPID);
}

/* The first one goes on as the second, sleeps until that has ended, and tells the launcher whom it must reap as well: {0, pid}. */
static int go_on_below(int end)
{
	pid_t second = sys_fork_sibling_first();

	if (second <= 0)
		return second;
	channel_send(end, (struct message){ 0, second }, -1);
	sys_exit(0);
}

static bool has_owner(const struct run *run, const struct step *step)
{
	return run->owner && (step->flags & SYS_CLONE_NEWUSER);
}

/* The helper stays who it became. */
static int become_owner(const struct run *run)
{
	struct sys_self before;
	int rc = sys_become_owner(run->owner, &before);

	return rc == 0 ? sys_set_dumpable(false) : rc;
}

static _Noreturn void go_first(struct run *run, const struct step *step, bool by_unshare, int end)
{
	struct message message = { 0 };
	int pidfd = -1, rc = join_all(run);

	if (rc == 0 && run->is_hidden)
		rc = sys_set_dumpable(false); /* id maps wanted it otherwise */
	if (rc >= 0 && needs_second_helper(run, step))
		rc = go_on_below(end);
	if (rc >= 0 && has_owner(run, step))
		rc = become_owner(run);
	if (rc >= 0 && by_unshare)
		rc = sys_unshare((int)step->flags);
	if (rc >= 0)
		rc = sys_clone((by_unshare ? 0 : clone_flags(run, step)) | SYS_CLONE_PARENT, run->slots[SLOT_CGROUP], &pidfd);
	if (rc == 0) {
		sys_close(end);
		become_init(run);
	}
	message.what = rc < 0 ? -1 - run->at : rc;
	message.value = rc < 0 ? rc : pidfd;
	channel_send(end, message, -1);
	sys_exit(0);
}

/* Where it told of a birth, its pid was that of another namespace. All that the helpers said is there: both have ended. */
static void hear_of_second(int end, struct message *birth)
{
	struct message message;
	int fd, status;

	if (channel_receive(end, &message, &fd) > 0 && message.what == 0)
		sys_wait(message.value, &status, 0, NULL);
	if (birth->what > 0)
		birth->what = sys_pid_of(birth->value);
}

static pid_t hear_of_birth(struct run *run, const struct step *step, int end)
{
	struct message message;
	int fd, rc = channel_receive(end, &message, &fd);

	if (rc > 0 && needs_second_helper(run, step))
		hear_of_second(end, &message);
	if (rc <= 0)
		return rc < 0 ? rc : -ECHILD;
	if (message.what <= 0) {
		run->at = -1 - message.what;
		return message.value < 0 ? message.value : -ECHILD;
	}
	run->init_pidfd = message.value;
	return message.what;
}

static pid_t bear_by_helper(struct run *run, const struct step *step, bool by_unshare)
{
	int ends[2], status, rc = channel_open(ends);
	pid_t helper, init;

	if (rc < 0)
		return rc;
	helper = sys_fork_with_descriptors();
	if (helper == 0)
		go_first(run, step, by_unshare, ends[1]);
	if (helper > 0)
		sys_wait(helper, &status, 0, NULL); /* what it said waits in the socket */
	sys_close(ends[1]);
	init = helper < 0 ? helper : hear_of_birth(run, step, ends[0]);
	sys_close(ends[0]);
	return init;
}

static void reap_one(int *pidfd)
{
	if (*pidfd < 0)
		return;
	sys_signal_pidfd(*pidfd, SIGKILL);
	sys_wait_pidfd(*pidfd, 0);
	sys_close(*pidfd);
	*pidfd = -1;
}

/* What the jail uses is counted as its own id's, then, and not as the caller's, of whom other jails and the host have a need. */
static pid_t bear_for_owner(struct run *run, const struct step *step)
{
	struct sys_self before;
	pid_t pid = sys_become_owner(run->owner, &before);
	int rc;

	if (pid < 0)
		return pid;
	pid = sys_clone(clone_flags(run, step), run->slots[SLOT_CGROUP], &run->init_pidfd);
	if (pid == 0 && sys_set_dumpable(false) < 0)
		sys_exit(125);
	if (pid == 0)
		return 0;
	rc = sys_become_self(&before);
	if (rc == 0 || pid < 0)
		return pid;
	reap_one(&run->init_pidfd);
	return rc;
}

static pid_t bear(struct run *run, const struct step *step)
{
	pid_t pid = has_owner(run, step) ? bear_for_owner(run, step) :
					   sys_clone(clone_flags(run, step), run->slots[SLOT_CGROUP], &run->init_pidfd);

	if (pid == 0)
		become_init(run);
	/* Docker's filter forbids clone with namespaces; where unshare is allowed it makes the same ones. */
	if (pid == -EPERM && step->flags && run->slots[SLOT_CGROUP] < 0)
		pid = bear_by_helper(run, step, true);
	return pid;
}

int give_birth(struct run *run, const struct step *step)
{
	bool has_joins = false;
	pid_t pid;
	int rc;

	for (int i = 0; i < run->at; i++)
		has_joins |= is_helpers(&run->plan->steps[i]);
	run->is_hidden = !run->plan->is_entry && sys_is_dumpable() != 1; /* who enters a jail is never seen there */
	pid = has_joins ? bear_by_helper(run, step, false) : bear(run, step);
	if (pid < 0)
		return pid;
	run->init = pid;
	run->has_child = true;
	rc = sys_close(run->far_wire); /* still open, it would hide init's death */
	run->far_wire = -1;
	return rc == 0 && is_shown(run) ? await_sight(run) : rc;
}

/*
 * The helper leads a process group, which whom it bears leaves only after it has told of itself: so whoever is in the jail by this
 * run is reached, however they are kept from going on. Once there is a program, INIT is that, and leads the group of its session.
 */
static void end_entry(const struct run *run)
{
	if (run->has_child)
		sys_kill(-run->init, SIGKILL);
	if (run->helper_pidfd >= 0)
		sys_signal_pidfd(run->helper_pidfd, SIGKILL);
	if (run->program_pidfd >= 0)
		sys_signal_pidfd(run->program_pidfd, SIGKILL);
}

void reap_helper(struct run *run)
{
	reap_one(&run->helper_pidfd);
}

/* Until they are reaped, the jail's PID namespace cannot end. */
void reap_group(pid_t leader)
{
	pid_t reaped = -EAGAIN;
	int status;

	for (int waited_ms = 0; reaped != -ECHILD && waited_ms < GROUP_MS; waited_ms += reaped == -EAGAIN) {
		reaped = sys_wait(-leader, &status, WNOHANG, NULL);
		if (reaped == -EAGAIN)
			sys_pause(1);
	}
}

bool run_awaits(const struct run *run, pid_t pid)
{
	return (run->has_child && run->init == pid) || run->keeper == pid ||
	       (run->helper_pidfd >= 0 && sys_pid_of(run->helper_pidfd) == pid) ||
	       (run->program_pidfd >= 0 && sys_pid_of(run->program_pidfd) == pid);
}

/* What it said of itself may not have been heard yet, and it has left its helper's group since. */
static void hear_of_newborn(struct run *run)
{
	struct pollfd ready = { .fd = run->wire, .events = POLLIN };
	struct message message;
	int fd;

	while (run->program_pidfd < 0 && sys_wait_ready(&ready, 1, 0) > 0 && channel_receive(run->wire, &message, &fd) > 0) {
		if (message.what == WIRE_BORN)
			run->program_pidfd = take_fd(&fd);
		if (fd >= 0)
			sys_close(fd);
	}
}

void reap_helpers(struct run *run)
{
	if (has_helper(run->plan) && run->helper_pidfd < 0 && run->wire >= 0)
		hear_of_newborn(run);
	reap_helper(run);
	reap_one(&run->program_pidfd);
}

/* Where no PID namespace ends with init, init must end what it started, and be asked to, before it may be killed. One that outlives
 * its launcher takes the end of the wire for no such thing. */
void end_init(const struct run *run, int patience_ms)
{
	const bool ends_others = !run->plan->owns_pids && !run->plan->has_no_init;

	if (has_helper(run->plan))
		end_entry(run);
	if (ends_others && run->plan->outlives)
		channel_send(run->wire, (struct message){ WIRE_SIGNAL, SIGKILL }, -1);
	if (ends_others)
		sys_wait_for_end(run->wire, run->init_pidfd, patience_ms);
	if (!ends_others || patience_ms)
		sys_signal_pidfd(run->init_pidfd, SIGKILL);
}
