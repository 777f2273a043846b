/* SPDX-License-Identifier: Apache-2.0 */
/* The filter of calls that reach past a jail that lacks a wall. Compiled here, for such jails are few. */
#include "feature/reach.h"

#include <string.h>

#include "filter/filter.h"

static bool sees_others(const struct plan *plan)
{
	return !plan->owns_pids;
}

static bool has_hosts_tree(const struct plan *plan)
{
	return !plan->has_mountns && !plan->joins_mountns;
}

/* 0 is the caller itself, and so is PRIO_PROCESS with 0. prlimit(2), setpriority(2), ioprio_set(2), sched_setaffinity(2) */
static const struct {
	bool (*is_open)(const struct plan *plan);
	const char *call, *conditions; /* NULL: always */
} rows[] = {
	{ sees_others, "prlimit64", "low(arg0) != 0, arg2 != 0" },
	{ sees_others, "setpriority", "low(arg0) != 0" },
	{ sees_others, "setpriority", "low(arg1) != 0" },
	{ sees_others, "ioprio_set", "low(arg0) != 1" },
	{ sees_others, "ioprio_set", "low(arg1) != 0" },
	{ sees_others, "sched_setaffinity", "low(arg0) != 0" },
	{ sees_others, "sched_setattr", "low(arg0) != 0" },
	{ sees_others, "sched_setparam", "low(arg0) != 0" },
	{ sees_others, "sched_setscheduler", "low(arg0) != 0" },
	{ has_hosts_tree, "socket", "low(arg0) == AF_UNIX" },
	{ has_hosts_tree, "io_uring_setup", NULL }, /* of what a ring does no filter sees anything, and it makes sockets: IORING_OP_SOCKET */
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

static int add_rules(struct plan *plan, const struct spec *spec, const struct profile **profile)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(rows); i++) {
		const char *text = rows[i].conditions ? plan_format(plan, "%s(%s)", rows[i].call, rows[i].conditions) : rows[i].call;

		if (!rows[i].is_open(plan) || is_allowed(spec, rows[i].call))
			continue;
		rc = text ? profile_deny(plan->arena, profile, text, SPEC_ORIGIN(spec, seccomp), NULL) : -1;
	}
	return rc;
}

static void add_step(struct plan *plan, const struct spec *spec, const struct filter *filter, uint32_t denied)
{
	struct sock_filter *program = arena_alloc(plan->arena, filter->count * sizeof(*program));

	plan->is_short |= !program;
	if (!program)
		return;
	filter_retarget(filter, denied, program);
	plan_add(plan, (struct step){ .op = OP_FILTER, .side = PAYLOAD, .phase = PHASE_FILTER, .slot = SLOT_NONE,
		.subject = "of calls that reach past the jail", .data = program, .size = filter->count, .origin = SPEC_ORIGIN(spec, seccomp),
		.why = has_hosts_tree(plan) ? "it has no tree of its own" : "it has no PID namespace of its own" });
}

void plan_reach(struct plan *plan, const struct spec *spec, uint32_t denied)
{
	static const struct profile nothing = { .name = "reach", .fallback = FILTER_ALLOW, .denied = FILTER_ERRNO };
	const struct filter_options options = { .has_foreign_arch = spec->foreign_arch };
	const struct profile *profile = &nothing;
	struct filter filter;
	int rc = add_rules(plan, spec, &profile);

	if (rc == 0 && profile->rule_count)
		rc = filter_compile(plan->arena, profile, &options, &filter, NULL);
	plan->is_short |= rc < 0;
	if (rc == 0 && profile->rule_count)
		add_step(plan, spec, &filter, denied);
}
