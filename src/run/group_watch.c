/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jail's cgroup while the program runs. Exhausted memory: version 2 kills the group by itself (memory.oom.group),
 * version 1 tells an eventfd and the jail is ended here. Processor time: the group's clock is read when the limit could
 * first be reached if every processor worked for the jail, and then again. At the end the group is read, before it is removed.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include "base/number.h"
#include "run/group.h"
#include "run/watch.h"
#include "sys/folder.h"
#include "sys/process.h"

#define FIRST_LOOK_NS 1000000u     /* never oftener than this */
#define LONGEST_PAUSE_NS 1000000000u /* should there be more processors than we were told of */

struct group_state {
	const struct group_slots *slots;
	uint64_t limit_ns;
	int timer, oom, oom_control; /* -1: none */
	bool has_memory;
	bool is_over;                /* the processor time is used up */
};

static int directory(const struct watch *watch, const struct group_state *state, enum controller controller)
{
	const int slot = state->slots->slot[controller];

	return slot == SLOT_NONE ? -1 : watch->run->slots[slot];
}

/* Nanoseconds of processor time, all processes, living, dead and unreaped. NUMBER_NONE: not known. */
static uint64_t used_ns(const struct watch *watch, const struct group_state *state)
{
	const int group = directory(watch, state, CONTROLLER_CPUACCT);
	uint64_t usage;

	if (group < 0)
		return NUMBER_NONE;
	if (state->slots->version[CONTROLLER_CPUACCT] == 1)
		return group_number(group, "cpuacct.usage", NULL);
	usage = group_number(group, "cpu.stat", "usage_usec");
	return usage == NUMBER_NONE ? usage : usage * 1000;
}

static int set_timer(struct watch *watch, struct group_state *state, uint64_t left_ns)
{
	uint64_t pause = left_ns / sys_processors();

	if (pause < FIRST_LOOK_NS)
		pause = FIRST_LOOK_NS;
	if (pause > LONGEST_PAUSE_NS)
		pause = LONGEST_PAUSE_NS;
	if (state->timer >= 0) {
		watch_drop(watch, state->timer);
		sys_close(state->timer);
	}
	state->timer = sys_timer(pause);
	return state->timer < 0 ? state->timer : watch_add(watch, state->timer, POLLIN);
}

/* Version 1: "EVENTFD CONTROL" to cgroup.event_control; the kernel then adds to the eventfd. cgroup-v1/memory.rst */
static int listen_for_oom(struct watch *watch, struct group_state *state)
{
	const int group = directory(watch, state, CONTROLLER_MEMORY);
	char order[32];
	int rc;

	state->oom = sys_event();
	state->oom_control = state->oom < 0 ? -1 : sys_openat(group, "memory.oom_control", 0, 0);
	if (state->oom < 0 || state->oom_control < 0)
		return state->oom < 0 ? state->oom : state->oom_control;
	snprintf(order, sizeof(order), "%d %d", state->oom, state->oom_control);
	rc = sys_write_below(group, "cgroup.event_control", order);
	return rc < 0 ? rc : watch_add(watch, state->oom, POLLIN);
}

static int start(struct watch *watch, void *memory, const struct step *step)
{
	struct group_state *state = memory;

	*state = (struct group_state){ .slots = step->data, .limit_ns = step->number, .has_memory = step->more,
				       .timer = -1, .oom = -1, .oom_control = -1 };
	if (state->has_memory && state->slots->version[CONTROLLER_MEMORY] == 1) {
		int rc = listen_for_oom(watch, state);

		if (rc < 0)
			return rc;
	}
	return state->limit_ns == NUMBER_NONE ? 0 : set_timer(watch, state, state->limit_ns);
}

static void look_at_time(struct watch *watch, struct group_state *state)
{
	const uint64_t used = used_ns(watch, state);

	/* A clock that cannot be read is no reason to go on for ever. */
	if (used != NUMBER_NONE && used < state->limit_ns && set_timer(watch, state, state->limit_ns - used) == 0)
		return;
	watch_end(watch, REASON_CPU_TIME);
}

static void ready(struct watch *watch, void *memory, int fd, short events)
{
	struct group_state *state = memory;

	(void)events;
	if (fd == state->oom)
		watch_end(watch, REASON_MEMORY);
	else
		look_at_time(watch, state);
}

static uint64_t oom_kills(const struct watch *watch, const struct group_state *state)
{
	const int group = directory(watch, state, CONTROLLER_MEMORY);

	if (group < 0)
		return NUMBER_NONE;
	if (state->slots->version[CONTROLLER_MEMORY] == 1)
		return group_number(group, "memory.oom_control", "oom_kill");
	return group_number(group, "memory.events", "oom_kill");
}

static void measure_time(const struct watch *watch, const struct group_state *state)
{
	const bool is_old = state->slots->version[CONTROLLER_CPUACCT] == 1;
	const int group = directory(watch, state, CONTROLLER_CPUACCT);
	uint64_t user, system;

	if (group < 0)
		return;
	user = is_old ? group_number(group, "cpuacct.usage_user", NULL) : group_number(group, "cpu.stat", "user_usec");
	system = is_old ? group_number(group, "cpuacct.usage_sys", NULL) : group_number(group, "cpu.stat", "system_usec");
	if (user == NUMBER_NONE || system == NUMBER_NONE)
		return;
	watch->result->user_ns = is_old ? user : user * 1000;
	watch->result->system_ns = is_old ? system : system * 1000;
}

static void measure(const struct watch *watch, const struct group_state *state)
{
	const int memory = directory(watch, state, CONTROLLER_MEMORY), pids = directory(watch, state, CONTROLLER_PIDS);
	const bool is_old = state->slots->version[CONTROLLER_MEMORY] == 1;
	uint64_t peak = memory < 0 ? NUMBER_NONE
				   : group_number(memory, is_old ? "memory.max_usage_in_bytes" : "memory.peak", NULL);
	uint64_t processes = pids < 0 ? NUMBER_NONE : group_number(pids, "pids.peak", NULL);

	measure_time(watch, state);
	if (peak != NUMBER_NONE)
		watch->result->peak_memory_bytes = peak;
	if (processes != NUMBER_NONE)
		watch->result->processes = processes - (processes > 0); /* without init */
	watch->result->oom_kills = oom_kills(watch, state);
}

/* Whatever ended first, a jail that has used up what it was given was ended by that. */
static void judge(struct watch *watch, const struct group_state *state)
{
	struct result *result = watch->result;
	const bool is_own_end = result->reason == REASON_EXITED || result->reason == REASON_SIGNALED;
	const uint64_t used = state->limit_ns == NUMBER_NONE ? 0 : used_ns(watch, state);

	if (!is_own_end || watch->run->interruption)
		return;
	if (result->oom_kills != NUMBER_NONE && result->oom_kills > 0)
		result->reason = REASON_MEMORY;
	else if (used != NUMBER_NONE && used >= state->limit_ns)
		result->reason = REASON_CPU_TIME;
	else
		return;
	result->signal = SIGKILL;
}

static void finish(struct watch *watch, void *memory)
{
	struct group_state *state = memory;

	if (state->slots) {
		measure(watch, state);
		judge(watch, state);
	}
	if (state->timer >= 0)
		sys_close(state->timer);
	if (state->oom >= 0)
		sys_close(state->oom);
	if (state->oom_control >= 0)
		sys_close(state->oom_control);
}

const struct source source_group = {
	.name = "group", .size = sizeof(struct group_state), .op = OP_CGROUP_WATCH, .start = start, .ready = ready, .finish = finish,
};
