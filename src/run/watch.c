/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launcher while the program runs: the table of sources and their poll loop, and what init says
 * over the wire. Two integers a message are believed, and nothing else.
 */
#include "run/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "sys/channel.h"
#include "sys/process.h"

/* In the order in which they start and finish. */
static const struct source *const sources_of_run[] = {
	&source_signals, &source_wall_time, &source_streams, &source_denied_calls, &source_group, &source_evidence, &source_life,
	NULL,
};
_Static_assert(ARRAY_SIZE(sources_of_run) <= WATCH_SOURCES, "the table of states is too small");

enum { OWNER_WIRE = 255, OWNER_END = 254, OWNER_HELPER = 253, OWNER_NONE = 252, OVERTAKEN_MS = 100 };

static int find_descriptor(const struct watch *watch, int fd)
{
	for (unsigned i = 0; i < watch->count; i++)
		if (watch->ready[i].fd == fd || watch->ready[i].fd == -1 - fd)
			return (int)i;
	return -1;
}

static int add(struct watch *watch, int fd, short events, int owner)
{
	if (watch->count == WATCH_DESCRIPTORS)
		return -ENOSPC;
	watch->owners[watch->count] = (unsigned char)owner;
	watch->ready[watch->count++] = (struct pollfd){ .fd = events ? fd : -1 - fd, .events = events };
	return 0;
}

int watch_add(struct watch *watch, int fd, short events)
{
	return add(watch, fd, events, watch->current);
}

/* A negative descriptor is passed over by poll(2), hang-ups included. */
void watch_change(struct watch *watch, int fd, short events)
{
	int at = find_descriptor(watch, fd);

	if (at >= 0)
		watch->ready[at] = (struct pollfd){ .fd = events ? fd : -1 - fd, .events = events };
}

void watch_drop(struct watch *watch, int fd)
{
	int at = find_descriptor(watch, fd);

	if (at < 0)
		return;
	watch->count--;
	watch->ready[at] = watch->ready[watch->count];
	watch->owners[at] = watch->owners[watch->count];
}

void watch_end(struct watch *watch, enum reason reason)
{
	if (!watch->is_ending) {
		watch->result->reason = reason;
		watch->result->signal = SIGKILL;
	}
	watch->is_ending = true;
	watch_change(watch, watch->run->wire, POLLIN); /* who must be ended may have told of itself */
	end_init(watch->run, watch->never_waits ? 0 : INIT_PATIENCE_MS);
}

/* Straight to the program; before it is there it would end set-up instead. */
static void signal_program(struct watch *watch, int signal)
{
	if (watch->is_started)
		sys_signal_pidfd(watch->run->init_pidfd, signal == SIGTSTP ? SIGSTOP : signal);
	else if (signal)
		watch->run->early_signals |= 1ULL << (signal - 1);
}

void watch_signal(struct watch *watch, int signal)
{
	if (watch->run->plan->has_no_init) {
		signal_program(watch, signal);
		return;
	}
	channel_send(watch->run->wire, (struct message){ WIRE_SIGNAL, signal }, -1);
}

/* Those that came before there was a program. */
static void pass_early_signals(struct watch *watch)
{
	for (int signal = 1; signal <= 64; signal++)
		if (watch->run->early_signals >> (signal - 1) & 1)
			watch_signal(watch, signal);
}

void watch_tell(struct watch *watch, int signal)
{
	for (int i = 0; watch->sources[i]; i++) {
		watch->current = i;
		if (watch->states[i] && watch->sources[i]->signal)
			watch->sources[i]->signal(watch, watch->states[i], signal);
	}
}

static void tell_start(struct watch *watch)
{
	watch->is_started = true;
	watch->start_ns = sys_now_ns();
	for (int i = 0; watch->sources[i]; i++) {
		watch->current = i;
		if (watch->states[i] && watch->sources[i]->started)
			watch->sources[i]->started(watch, watch->states[i]);
	}
}

/* Into a jail that is there: whom the helper has borne. Only a child of this process can be that one. */
static void meet_newborn(struct watch *watch, int *pidfd)
{
	struct run *run = watch->run;

	if (!has_helper(run->plan) || run->program_pidfd >= 0 || sys_wait_pidfd(*pidfd, WNOHANG | WNOWAIT) == -ECHILD)
		return;
	run->program_pidfd = take_fd(pidfd);
	if (watch->is_ending)
		end_init(run, 0);
}

/*
 * The helper has told that the newborn is the program now, and has nothing to do but to be dismissed; it is not waited for, since whoever
 * is in the jail may have stopped it. The program may have ended already, which its pidfd will tell.
 */
static void take_program(struct watch *watch)
{
	struct run *run = watch->run;

	if (run->program_pidfd < 0 || !sys_is_child(watch->program)) {
		watch->failure = -ECHILD;
		return;
	}
	run->helper_pidfd = run->init_pidfd;
	run->init = watch->program;
	run->init_pidfd = run->program_pidfd;
	run->program_pidfd = -1;
	run->has_child = true;
	watch_drop(watch, run->wire);
	watch->failure = add(watch, run->init_pidfd, POLLIN, OWNER_END); /* first, for it is what somebody waits for */
	if (watch->failure == 0)
		watch->failure = add(watch, run->helper_pidfd, POLLIN, OWNER_HELPER);
	tell_start(watch);
	pass_early_signals(watch);
}

/* A step inside failed, or the last one was reached. */
static void hear_of_step(struct watch *watch, const struct message *message)
{
	const struct plan *plan = watch->run->plan;

	if (message->what >= plan->count || watch->failed_errno)
		return;
	if (message->value > 0) {
		watch->failed_step = message->what;
		watch->failed_errno = message->value;
	} else if (plan->is_holder && message->what == plan->count - 1) {
		watch->is_announced = watch->is_started = true;
	} else if (plan->steps[message->what].op == OP_EXEC && !watch->is_announced) {
		watch->program = (pid_t)-message->value;
		watch->is_announced = true;
		if (has_helper(watch->run->plan))
			take_program(watch);
		else if (!watch->run->plan->has_no_init)
			tell_start(watch);
	}
}

static int slot_of(const struct plan *plan, int what)
{
	const int kind = WIRE_NAMESPACE - what;

	if (what >= 0)
		return SLOT_LISTENER;
	if (what == WIRE_TERMINAL)
		return SLOT_TERMINAL;
	if (what == WIRE_ROOT && plan_has(plan, OP_GIVE_ROOT))
		return SLOT_ROOT;
	if (what == WIRE_FILE && plan_has(plan, OP_GIVE_FILE))
		return SLOT_FILE;
	return kind >= 0 && kind <= NAMESPACES && plan->worlds[kind] ? plan->worlds[kind] : SLOT_NONE;
}

/* A descriptor is taken only for the slot it is meant for, once; what a keeper holds, before the program is there. */
static void keep_descriptor(struct watch *watch, const struct message *message, int fd)
{
	struct run *run = watch->run;
	const int slot = fd < 0 || (watch->is_announced && message->what <= WIRE_ROOT) ? SLOT_NONE : slot_of(run->plan, message->what);

	if (slot >= 0 && run->slots[slot] < 0)
		run->slots[slot] = take_fd(&fd);
	if (fd >= 0)
		sys_close(fd);
}

/* One message from inside. Returns false when there will be no more. */
static bool hear(struct watch *watch)
{
	struct message message;
	int fd, rc = channel_receive(watch->run->wire, &message, &fd);

	watch->may_have_newborn |= rc < 0 || (rc > 0 && message.what == WIRE_BORN);
	if (rc <= 0)
		return false;
	if (message.what == WIRE_BORN && fd >= 0)
		meet_newborn(watch, &fd);
	keep_descriptor(watch, &message, fd);
	if (message.what >= 0)
		hear_of_step(watch, &message);
	if (message.what == WIRE_STATUS && watch->is_announced) {
		watch->status = message.value;
		watch->has_status = true;
	}
	return true;
}

void watch_dismiss_helper(const struct watch *watch)
{
	if (watch->run->helper_pidfd >= 0)
		sys_signal_pidfd(watch->run->helper_pidfd, SIGKILL);
}

void watch_reap_helper(struct watch *watch)
{
	if (watch->run->helper_pidfd < 0)
		return;
	watch_drop(watch, watch->run->helper_pidfd);
	reap_helper(watch->run);
}

bool watch_await_start(struct watch *watch)
{
	struct pollfd wire = { .fd = watch->run->wire, .events = POLLIN };

	while (!watch->is_announced && !watch->failed_errno && sys_wait_ready(&wire, 1, OVERTAKEN_MS) > 0)
		if (!hear(watch))
			break;
	return watch->is_announced;
}

/*
 * The wire has ended. Without an init that may mean that the program was executed: it is waited for by its pidfd then. True when
 * there is something to wait for.
 */
static bool go_on_without_wire(struct watch *watch)
{
	const struct fate *fate = watch->run->fate;

	if (!fate || !watch->is_announced || watch->is_started)
		return false;
	if (fate->errnum) {
		watch->failed_step = fate->step;
		watch->failed_errno = fate->errnum;
		return false;
	}
	watch_drop(watch, watch->run->wire);
	if (add(watch, watch->run->init_pidfd, POLLIN, OWNER_END) < 0)
		return false;
	tell_start(watch);
	pass_early_signals(watch);
	return true;
}

/* Init is on its way out: whoever serves others meanwhile is told by its pidfd, before it is reaped. */
static bool await_death(struct watch *watch)
{
	struct run *run = watch->run;

	end_init(run, 0);
	watch_drop(watch, run->wire);
	if (run->program_pidfd >= 0 && add(watch, run->program_pidfd, POLLIN, OWNER_HELPER) < 0)
		return false;
	return add(watch, run->init_pidfd, POLLIN, OWNER_END) == 0;
}

/* What it made lives by descriptors now, and nothing else is to come. */
static bool needs_no_holder(struct watch *watch)
{
	struct run *run = watch->run;
	int status;

	if (!run->plan->is_holder || run->plan->owns_pids || !watch->is_announced)
		return false;
	watch_drop(watch, run->wire);
	sys_wait(run->init, &status, 0, NULL);
	run->has_child = false;
	return true;
}

static bool leaves_init(const struct watch *watch)
{
	const struct plan *plan = watch->run->plan;

	return watch->has_status && (plan->outlives || (plan->leaves_teardown && !watch->never_waits));
}

/* False when nothing more is waited for: init is dead, or as good as, or goes on alone. */
static bool serve_wire(struct watch *watch)
{
	const bool has_nothing_else = watch->count == 1 && !watch->never_waits;

	if (!hear(watch))
		return needs_no_holder(watch) || go_on_without_wire(watch) || (watch->never_waits && await_death(watch));
	return !leaves_init(watch) && !(watch->has_status && has_nothing_else);
}

/* All that a helper has said, until there is a program: by then it has gone, so nothing is waited for. */
static bool serve_hangup(struct watch *watch)
{
	bool goes_on = true;

	while (goes_on && watch->failure == 0 && find_descriptor(watch, watch->run->wire) >= 0)
		goes_on = serve_wire(watch);
	return goes_on;
}

/* Of one who let the program in, or was let in and never told of: reaped. Of the one that the run is about: the end, though whoever let
 * it in may be on the way out still. */
static bool serve_death(struct watch *watch, int fd, int owner)
{
	struct run *run = watch->run;

	watch_drop(watch, fd);
	if (fd == run->helper_pidfd)
		reap_helper(run);
	else if (owner == OWNER_HELPER)
		watch->is_newborn_dead = true;
	else
		watch->is_dead = true;
	return (run->program_pidfd >= 0 && !watch->is_newborn_dead) || !watch->is_dead;
}

/* Handlers may add and drop descriptors, so each is looked up again by its number. */
static bool serve(struct watch *watch, const struct pollfd *polled)
{
	const int at = find_descriptor(watch, polled->fd);
	const int owner = at < 0 ? OWNER_NONE : watch->owners[at];

	if (owner == OWNER_WIRE)
		return polled->revents & POLLRDHUP ? serve_hangup(watch) : serve_wire(watch);
	if (owner == OWNER_END || owner == OWNER_HELPER)
		return serve_death(watch, polled->fd, owner);
	if (polled->revents & POLLNVAL) {
		watch_drop(watch, polled->fd);
	} else if (owner != OWNER_NONE) {
		watch->current = owner;
		watch->sources[owner]->ready(watch, watch->states[owner], polled->fd, polled->revents);
	}
	return true;
}

bool watch_serve(struct watch *watch, const struct pollfd *polled, unsigned count)
{
	if (watch->failure < 0)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (polled[i].fd >= 0 && polled[i].revents && !serve(watch, &polled[i]))
			return false;
	return true;
}

static int start_sources(struct watch *watch)
{
	static char stateless;

	for (int i = 0; watch->sources[i]; i++) {
		int rc;

		watch->current = i;
		if (watch->sources[i]->op != OPS) {
			watch->steps[i] = plan_find(watch->run->plan, watch->sources[i]->op);
			if (!watch->steps[i])
				continue;
		}
		watch->states[i] = watch->sources[i]->size ? calloc(1, watch->sources[i]->size) : &stateless;
		rc = watch->states[i] ? watch->sources[i]->start(watch, watch->states[i], watch->steps[i]) : -ENOMEM;
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void finish_sources(struct watch *watch)
{
	for (int i = 0; watch->sources[i]; i++) {
		watch->current = i;
		if (watch->states[i] && watch->sources[i]->finish)
			watch->sources[i]->finish(watch, watch->states[i]);
		if (watch->states[i] && watch->sources[i]->size)
			free(watch->states[i]);
	}
}

static uint64_t nanoseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_usec * 1000u;
}

static void measure(struct result *result, const struct rusage *usage)
{
	result->user_ns = nanoseconds(&usage->ru_utime);
	result->system_ns = nanoseconds(&usage->ru_stime);
	result->peak_memory_bytes = (uint64_t)usage->ru_maxrss * 1024;
	result->minor_faults = (uint64_t)usage->ru_minflt;
	result->major_faults = (uint64_t)usage->ru_majflt;
	result->own_switches = (uint64_t)usage->ru_nvcsw;
	result->forced_switches = (uint64_t)usage->ru_nivcsw;
}

/* A program that was let in and has ended by itself: what it began goes on beside it, in its process group, too. */
static bool leaves_others(const struct watch *watch)
{
	return has_helper(watch->run->plan) && watch->is_started && !watch->is_ending;
}

static void bury(struct watch *watch)
{
	struct run *run = watch->run;
	struct rusage usage = { 0 };
	int status;

	if (leaves_init(watch)) {
		run->has_child = false; /* it goes on alone, or to its end; should it be dead already, so much the better */
		sys_wait(run->init, &status, WNOHANG, NULL);
		return;
	}
	if (!watch->is_dead || (run->helper_pidfd < 0 && !leaves_others(watch))) /* a helper that is left over can wait */
		end_init(run, INIT_PATIENCE_MS); /* dead already, unless a limit ended the run */
	if (sys_wait(run->init, &status, 0, &usage) == run->init) {
		run->has_child = false;
		if (has_helper(run->plan) && !watch->is_started)
			reap_group(run->init);
		if (run->plan->has_no_init && watch->is_started) {
			watch->status = status;
			watch->has_status = true;
		}
	}
	while (hear(watch))
		;
	measure(watch->result, &usage);
}

/* The end of a program that was executed, where no limit ended it. */
static void read_status(const struct watch *watch)
{
	struct result *result = watch->result;

	if (!watch->has_status) {
		result->reason = REASON_SIGNALED; /* init was killed from outside, and the jail with it */
		result->signal = SIGKILL;
	} else if (WIFSIGNALED(watch->status)) {
		result->reason = REASON_SIGNALED;
		result->signal = WTERMSIG(watch->status);
	} else {
		result->reason = REASON_EXITED;
		result->exit_code = WEXITSTATUS(watch->status);
	}
}

static int conclude(struct watch *watch, struct error *err)
{
	struct result *result = watch->result;

	if (watch->failed_errno) {
		result->reason = REASON_SETUP;
		result->failed_step = watch->failed_step;
		result->failed_errno = watch->failed_errno;
		return explain_failure(watch->run->plan, watch->failed_step, watch->failed_errno, err);
	}
	if (watch->run->interruption) {
		result->reason = REASON_SIGNALED;
		result->signal = watch->run->interruption;
		return explain_interruption(watch->run, err);
	}
	if (watch->is_ending)
		return 0;
	if (watch->run->slots[SLOT_FILE] >= 0)
		return 0; /* that is all there was to do */
	if (!watch->is_announced)
		return error_set(err, ECHILD, "set-up died before the program was started");
	read_status(watch);
	return 0;
}

void watch_begin(struct watch *watch, struct run *run, struct result *result, const struct source *const *sources, void *owner)
{
	*watch = (struct watch){ .run = run, .result = result, .sources = sources, .owner = owner, .start_ns = sys_now_ns() };
	watch->failure = add(watch, run->wire, has_helper(run->plan) ? POLLRDHUP : POLLIN, OWNER_WIRE);
	if (watch->failure == 0)
		watch->failure = start_sources(watch);
	watch->may_have_newborn = watch->failure < 0;
}

static bool may_be_reaped(int pidfd)
{
	return pidfd < 0 || sys_wait_pidfd(pidfd, WNOHANG | WNOWAIT) != -EAGAIN;
}

bool watch_may_finish(const struct watch *watch)
{
	const struct run *run = watch->run;

	return may_be_reaped(run->has_child ? run->init_pidfd : -1) && may_be_reaped(run->program_pidfd);
}

int watch_finish(struct watch *watch, struct error *err)
{
	int rc;

	bury(watch);
	watch->result->wall_ns = sys_now_ns() - watch->start_ns;
	rc = conclude(watch, err);
	finish_sources(watch);
	return watch->failure < 0 ? error_set(err, -watch->failure, "watching the program") : rc;
}

/* Until the end of init, or, where it outlives the launcher, of the program. */
int watch(struct run *run, struct result *result, struct error *err)
{
	struct pollfd polled[WATCH_DESCRIPTORS];
	struct watch watch;
	unsigned count;

	watch_begin(&watch, run, result, sources_of_run, NULL);
	do {
		if (watch.failure < 0 || sys_rest_until_ready(&run->rest, watch.ready, watch.count) < 0)
			break;
		count = watch.count;
		memcpy(polled, watch.ready, count * sizeof(*polled));
	} while (watch_serve(&watch, polled, count));
	return watch_finish(&watch, err);
}
