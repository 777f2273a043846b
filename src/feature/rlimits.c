/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits of each process. getrlimit(2) */
#include <linux/capability.h>
#include <sys/resource.h>

#include "feature/feature.h"

static const struct field fields[] = {
	{ .key = "rlimit", .type = FIELD_RLIMITS, FIELD(rlimits), .example = "nofile=256", .since = "0.1",
	  .help = "a resource limit of each process; may be repeated" },
	{ 0 },
};

static bool is_asked(const struct spec *spec, int resource)
{
	for (const struct rlimit_item *item = spec->rlimits; item; item = item->next)
		if (item->resource == resource)
			return true;
	return false;
}

/* A later layer comes behind the earlier ones, and what is said last counts. */
static bool is_overruled(const struct rlimit_item *item)
{
	for (const struct rlimit_item *later = item->next; later; later = later->next)
		if (later->resource == item->resource)
			return true;
	return false;
}

/* Setting up opens descriptors, so how many there may be is limited behind it; the capability to raise that limit is gone by then. */
static void add_asked(struct plan *plan, const struct rlimit_item *item)
{
	struct step step = { .op = OP_RAISE_LIMIT, .side = PAYLOAD, .phase = PHASE_LIMITS, .slot = SLOT_NONE, .flags = (uint64_t)item->resource,
			     .number = item->soft, .more = item->hard, .origin = &item->origin };

	if (item->resource == RLIMIT_NOFILE && !plan->has_userns)
		plan_add(plan, step);
	step.op = OP_RLIMIT;
	step.phase = item->resource == RLIMIT_NOFILE ? PHASE_CLOSE : PHASE_LIMITS;
	plan_add(plan, step);
}

static void plan_rlimits(struct plan *plan, const struct spec *spec, const struct host *host)
{
	for (const struct rlimit_item *item = spec->rlimits; item; item = item->next)
		if (!is_overruled(item))
			add_asked(plan, item);
	/* With a pipe as core_pattern 0 does not keep the host's handler from running, 1 does. core(5) */
	if (!is_asked(spec, RLIMIT_CORE) && !spec_leaves(spec, "limits"))
		plan_add(plan, (struct step){ .op = OP_RLIMIT, .side = PAYLOAD, .phase = PHASE_LIMITS, .slot = SLOT_NONE, .flags = RLIMIT_CORE,
			.number = host->core_pattern_is_pipe, .more = host->core_pattern_is_pipe, .how = STEP_LOWER_STAYS,
			.why = "no core dump leaves the jail" });
}

const struct feature feature_rlimits = { .name = "rlimits", .title = "Resource limits", .fields = fields, .plan = plan_rlimits };
