/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launcher: performs its steps, gives birth to init, passes the baton and watches. It believes
 * two integers from inside and nothing else. Whatever happens it kills init, reaps it, and undoes
 * what it made on the host.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "run/run.h"
#include "base/number.h"
#include "run/undo.h"
#include "sys/channel.h"
#include "sys/process.h"

static int fail_at(struct run *run, int at, int errnum, struct error *err)
{
	if (run->interruption)
		return explain_interruption(run, err);
	run->failed_step = at;
	run->failed_errno = errnum;
	return explain_failure(run->plan, at, errnum, err);
}

static int fail(struct run *run, int rc, struct error *err)
{
	return fail_at(run, run->at, -rc, err);
}

/* Whatever comes of it, run_close must follow. */
static int open_run(struct run *run, const struct plan *plan, bool is_kept)
{
	int ends[2], rc;

	*run = (struct run){ .plan = plan, .is_kept = is_kept, .wire = -1, .far_wire = -1, .init_pidfd = -1, .program_pidfd = -1, .helper_pidfd = -1, .lease = -1, .signals = -1, .parent_signal = -1,
			     .failed_step = -1, .near_streams = { -1, -1, -1 },
			     .far_streams = { -1, -1, -1 }, .slots = malloc((size_t)plan->slots * sizeof(int)) };
	if (!run->slots)
		return -ENOMEM;
	for (int i = 0; i < plan->slots; i++)
		run->slots[i] = -1;
	rc = plan->has_no_init && !plan->is_entry ? sys_share_memory(sizeof(*run->fate), (void **)&run->fate) : 0;
	if (rc >= 0 && !is_kept)
		rc = signals_block(run);
	if (rc >= 0)
		rc = channel_open(ends);
	if (rc < 0)
		return rc;
	run->wire = ends[0];
	run->far_wire = ends[1];
	sys_rest_find(&run->rest);
	return check_prepare(run);
}

/* Sleeps until init has something to say. */
static int await_baton(struct run *run, struct error *err)
{
	struct pollfd ready[2] = { { .fd = run->wire, .events = POLLIN }, { .fd = run->signals, .events = POLLIN } };

	do {
		int rc = sys_wait_ready(ready, 2, -1);

		if (rc < 0)
			return fail(run, rc, err);
		if (ready[1].revents && signals_interrupt(run) < 0)
			return explain_interruption(run, err);
	} while (!ready[0].revents);
	return 0;
}

/* Init passes the baton for the step at hand, or reports a failure instead. */
static int take_baton(struct run *run, struct error *err)
{
	struct message message;
	int fd, rc = channel_receive(run->wire, &message, &fd);

	if (fd >= 0)
		sys_close(fd);
	if (rc <= 0)
		return fail(run, rc < 0 ? rc : -ECHILD, err);
	if (message.value > 0 && message.what >= 0 && message.what < run->plan->count)
		return fail_at(run, message.what, message.value, err);
	return message.what == run->at ? 0 : fail(run, -EPROTO, err);
}

/* The next step of the launcher, from AT on; the plan's count: there is none. */
static int next_own(const struct plan *plan, int at)
{
	while (at < plan->count && plan->steps[at].side != LAUNCHER)
		at++;
	return at;
}

/* To init, behind the step at hand; to who was born before it was known for whom, with what it lends. */
static int pass_baton(const struct run *run)
{
	const struct message message = { run->at + 1, 0 };
	const bool lends = run->plan->steps[run->at].op == OP_LEND;

	return lends ? channel_send_all(run->wire, message, run->far_streams) : channel_send(run->wire, message, -1);
}

/* The steps of the launcher, from the one at hand to where the baton goes away. 1: it will come back; 0: it will not. */
static int perform_own(struct run *run, struct error *err)
{
	const struct plan *plan = run->plan;

	for (;; run->at++) {
		const struct step *step = &plan->steps[run->at];
		const bool is_followed = run->at + 1 < plan->count;
		int rc = step->op == OP_CLONE ? give_birth(run, step) : step->phase == PHASE_JOIN ? 0 : perform(run, step);

		if (rc < 0)
			return fail(run, rc, err);
		if (is_followed && step[1].side == LAUNCHER)
			continue;
		if (is_followed && step->op != OP_CLONE && pass_baton(run) < 0)
			return fail(run, -ECHILD, err);
		if (next_own(plan, run->at + 1) == plan->count)
			return 0;
		run->at = next_own(plan, run->at + 1);
		return 1;
	}
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		sys_close(fd);
}

void run_close(struct run *run)
{
	int status;

	if (run->has_child) {
		end_init(run, INIT_PATIENCE_MS);
		sys_wait(run->init, &status, 0, NULL);
		if (has_helper(run->plan))
			reap_group(run->init);
	}
	reap_helpers(run);
	undo_steps(run);
	if (run->keeper) {
		sys_signal_pidfd(run->keeper_pidfd, SIGKILL);
		sys_wait(run->keeper, &status, 0, NULL);
		sys_close(run->keeper_pidfd);
	}
	close_if_open(run->init_pidfd);
	close_if_open(run->wire);
	close_if_open(run->far_wire);
	close_if_open(run->lease);
	if (run->far_streams[2] == run->far_streams[1])
		run->far_streams[2] = -1;
	for (int i = 0; i < 3; i++) {
		close_if_open(run->near_streams[i]);
		close_if_open(run->far_streams[i]);
	}
	for (int i = SLOT_CGROUP; run->slots && i < run->plan->slots; i++)
		close_if_open(run->slots[i]);
	free(run->slots);
	if (run->fate)
		sys_forget_memory(run->fate, sizeof(*run->fate));
	signals_restore(run);
}

/* Set-up ended before the watch began: which step, or which signal, did it. */
static void blame(const struct run *run, struct result *result)
{
	if (run->interruption) {
		result->reason = REASON_SIGNALED;
		result->signal = run->interruption;
	} else if (run->failed_errno) {
		result->failed_step = run->failed_step;
		result->failed_errno = run->failed_errno;
	}
}

static void begin_result(struct result *result, const struct plan *plan)
{
	*result = (struct result){ .reason = REASON_SETUP, .failed_step = -1, .oom_kills = NUMBER_NONE, .processes = NUMBER_NONE,
				   .output_bytes = NUMBER_NONE, .lacking_count = plan->lacking_count };
	memcpy(result->lacks, plan->lacks, sizeof(plan->lacks));
}

static int perform_first(struct run *run, struct result *result, struct error *err)
{
	int rc;

	run->at = next_own(run->plan, 0);
	rc = perform_own(run, err);
	if (rc < 0)
		blame(run, result);
	return rc;
}

static int begin(struct run *run, const struct plan *plan, bool is_kept, struct result *result, struct error *err)
{
	int rc = open_run(run, plan, is_kept);

	begin_result(result, plan);
	return rc < 0 ? error_set(err, -rc, "preparing to run") : perform_first(run, result, err);
}

int run_begin(struct run *run, const struct plan *plan, struct result *result, struct error *err)
{
	return begin(run, plan, true, result, err);
}

/* Of what the jail's own run holds: whatever the plan's steps name. */
static int inherit_slots(struct run *run, const struct run *jail)
{
	const struct plan *plan = run->plan;

	run->slots[SLOT_IDS] = jail->slots[SLOT_IDS];
	for (int i = -2; i < plan->count; i++) {
		const int slot = i == -2 ? SLOT_CGROUP : i == -1 ? SLOT_ROOT : plan->steps[i].slot;

		if (slot <= SLOT_IDS || slot == SLOT_TERMINAL || slot == SLOT_LISTENER || slot >= jail->plan->slots)
			continue;
		if (run->slots[slot] < 0 && jail->slots[slot] >= 0)
			run->slots[slot] = sys_duplicate(jail->slots[slot]);
		if (run->slots[slot] < 0 && jail->slots[slot] >= 0)
			return run->slots[slot];
	}
	return 0;
}

static int inherit_streams(struct run *run, const int streams[3])
{
	for (int i = 0; streams && i < 3; i++) {
		run->far_streams[i] = sys_duplicate(streams[i]);
		if (run->far_streams[i] < 0)
			return run->far_streams[i];
	}
	return 0;
}

int run_enter(struct run *run, const struct plan *plan, const struct run *jail, const int streams[3], struct result *result,
	      struct error *err)
{
	int rc = open_run(run, plan, true);

	begin_result(result, plan);
	if (rc >= 0)
		rc = inherit_slots(run, jail);
	if (rc >= 0)
		rc = inherit_streams(run, streams);
	return rc < 0 ? error_set(err, -rc, "preparing to enter") : perform_first(run, result, err);
}

int run_take_baton(struct run *run, struct result *result, struct error *err)
{
	int rc = take_baton(run, err);

	if (rc < 0)
		blame(run, result);
	return rc;
}

int run_resume(struct run *run, struct result *result, struct error *err)
{
	int rc = perform_own(run, err);

	if (rc < 0)
		blame(run, result);
	return rc;
}

int run_go_on(struct run *run, struct result *result, struct error *err)
{
	int rc = run_take_baton(run, result, err);

	return rc < 0 ? rc : run_resume(run, result, err);
}

int run_plan(const struct plan *plan, struct result *result, struct error *err)
{
	struct run run;
	int rc = begin(&run, plan, false, result, err);

	while (rc > 0) {
		rc = await_baton(&run, err);
		if (rc < 0)
			blame(&run, result);
		else
			rc = run_go_on(&run, result, err);
	}
	if (rc == 0)
		rc = watch(&run, result, err);
	run_close(&run);
	return rc;
}
