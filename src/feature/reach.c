/* SPDX-License-Identifier: Apache-2.0 */
/* The filter of calls that reach past a jail that lacks a wall. Compiled here, for such jails are few. */
#include "feature/reach.h"

#include <linux/seccomp.h>
#include <string.h>
#include <sys/socket.h>

#include "filter/filter.h"
#include "filter/syscalls.h"

/* What is asked of the rows: the jail, and the filter that was chosen for it. */
struct jail {
	const struct plan *plan;
	const struct spec *spec;
	const struct filter *filter;
};

static bool sees_others(const struct jail *jail)
{
	return !jail->plan->owns_pids;
}

static bool has_hosts_tree(const struct jail *jail)
{
	return !jail->plan->has_mountns && !jail->plan->joins_mountns;
}

static bool permits(const struct jail *jail, const char *call, uint64_t first)
{
	const uint64_t args[FILTER_ARGS] = { first };

	return filter_run(jail->filter, syscall_number(call), args) == SECCOMP_RET_ALLOW;
}

/* The hypervisor and other guests are reached past every network namespace. vsock(7) */
static bool leaves_network(const struct jail *jail)
{
	return jail->spec->net.mode != NAMESPACE_HOST && permits(jail, "socket", AF_VSOCK);
}

/* Of what a ring does no filter sees anything, and it makes sockets: IORING_OP_SOCKET. */
static bool has_blind_rings(const struct jail *jail)
{
	return (has_hosts_tree(jail) || jail->spec->net.mode != NAMESPACE_HOST) && permits(jail, "io_uring_setup", 0);
}

/* 0 is the caller itself, and so is PRIO_PROCESS with 0. prlimit(2), setpriority(2), ioprio_set(2), sched_setaffinity(2) */
static const struct {
	bool (*is_open)(const struct jail *jail);
	const char *call, *conditions; /* NULL: always */
	bool is_hidden;                /* libraries have another way */
} rows[] = {
	{ sees_others, "prlimit64", "low(arg0) != 0, arg2 != 0", false },
	{ sees_others, "setpriority", "low(arg0) != 0", false },
	{ sees_others, "setpriority", "low(arg1) != 0", false },
	{ sees_others, "ioprio_set", "low(arg0) != 1", false },
	{ sees_others, "ioprio_set", "low(arg1) != 0", false },
	{ sees_others, "sched_setaffinity", "low(arg0) != 0", false },
	{ sees_others, "sched_setattr", "low(arg0) != 0", false },
	{ sees_others, "sched_setparam", "low(arg0) != 0", false },
	{ sees_others, "sched_setscheduler", "low(arg0) != 0", false },
	{ has_hosts_tree, "socket", "low(arg0) == AF_UNIX", false },
	{ leaves_network, "socket", "low(arg0) == AF_VSOCK", false },
	{ has_blind_rings, "io_uring_setup", NULL, true },
};

/* By name, with conditions or without. */
static bool is_allowed(const struct spec *spec, const char *call)
{
	const size_t length = strlen(call);

	for (const struct string_item *item = spec->seccomp_allow; item; item = item->next)
		if (strncmp(item->text, call, length) == 0 && strchr(" (", item->text[length]))
			return true;
	return false;
}

static int add_rules(struct plan *plan, const struct jail *jail, const struct profile **profile)
{
	const struct spec *spec = jail->spec;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(rows); i++) {
		const char *text = rows[i].conditions ? plan_format(plan, "%s(%s)", rows[i].call, rows[i].conditions) : rows[i].call;

		if (!rows[i].is_open(jail) || is_allowed(spec, rows[i].call))
			continue;
		rc = !text ? -1 : (rows[i].is_hidden ? profile_hide : profile_deny)(plan->arena, profile, text, SPEC_ORIGIN(spec, seccomp), NULL);
	}
	return rc;
}

static const char *reason(const struct jail *jail)
{
	if (has_hosts_tree(jail))
		return "it has no tree of its own";
	return sees_others(jail) ? "it has no PID namespace of its own" : "no network namespace knows of them";
}

static void add_step(struct plan *plan, const struct jail *jail, const struct filter *filter, uint32_t denied)
{
	const struct spec *spec = jail->spec;
	struct sock_filter *program = arena_alloc(plan->arena, filter->count * sizeof(*program));

	plan->is_short |= !program;
	if (!program)
		return;
	filter_retarget(filter, denied, program);
	plan_add(plan, (struct step){ .op = OP_FILTER, .side = PAYLOAD, .phase = PHASE_FILTER, .slot = SLOT_NONE,
		.subject = "of calls that reach past the jail", .data = program, .size = filter->count, .origin = SPEC_ORIGIN(spec, seccomp),
		.why = reason(jail) });
}

void plan_reach(struct plan *plan, const struct spec *spec, const struct filter *chosen, uint32_t denied)
{
	const struct jail jail = { plan, spec, chosen };
	static const struct profile nothing = { .name = "reach", .fallback = FILTER_ALLOW, .denied = FILTER_ERRNO };
	const struct filter_options options = { .has_foreign_arch = spec->foreign_arch };
	const struct profile *profile = &nothing;
	struct filter filter;
	int rc = add_rules(plan, &jail, &profile);

	if (rc == 0 && profile->rule_count)
		rc = filter_compile(plan->arena, profile, &options, &filter, NULL);
	plan->is_short |= rc < 0;
	if (rc == 0 && profile->rule_count)
		add_step(plan, &jail, &filter, denied);
}
