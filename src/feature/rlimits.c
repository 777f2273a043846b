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

static void add(struct plan *plan, int resource, uint64_t soft, uint64_t hard, const struct origin *origin, const char *why)
{
	plan_add(plan, (struct step){ .op = OP_RLIMIT, .side = PAYLOAD, .phase = PHASE_LIMITS, .flags = (uint64_t)resource,
		.number = soft, .more = hard, .how = origin ? 0 : STEP_LOWER_STAYS, .origin = origin, .why = why, .slot = SLOT_NONE });
}

static void plan_rlimits(struct plan *plan, const struct spec *spec, const struct host *host)
{
	for (const struct rlimit_item *item = spec->rlimits; item; item = item->next)
		add(plan, item->resource, item->soft, item->hard, &item->origin, NULL);
	/* With a pipe as core_pattern 0 does not keep the host's handler from running, 1 does. core(5) */
	if (!is_asked(spec, RLIMIT_CORE) && !spec_leaves(spec, "limits"))
		add(plan, RLIMIT_CORE, host->core_pattern_is_pipe, host->core_pattern_is_pipe, NULL, "no core dump leaves the jail");
}

const struct feature feature_rlimits = { .name = "rlimits", .title = "Resource limits", .fields = fields, .plan = plan_rlimits };
