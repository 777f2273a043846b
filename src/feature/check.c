/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The self-check: just before the filter and exec, what is in force is compared with what was asked;
 * any difference ends the run. Steps of the plan are the source of what to expect, so a step that
 * some feature adds is checked without a word here.
 */
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/statvfs.h>

#include "feature/capability.h"
#include "feature/feature.h"

#define NEWTIME 0x00000080

static struct step check_step(enum op op)
{
	return (struct step){ .op = op, .side = PAYLOAD, .phase = PHASE_CHECK, .slot = SLOT_NONE };
}

/* Every namespace that was asked for must be another than the launcher's. */
static void check_namespaces(struct plan *plan)
{
	struct step step = check_step(OP_CHECK_NAMESPACES);

	step.side = INIT; /* while the host's /proc is still there */
	step.phase = PHASE_ROOT;
	step.flags = plan->clone_flags;
	for (int i = 0; i < plan->count; i++)
		if (plan->steps[i].op == OP_UNSHARE || plan->steps[i].op == OP_JOIN_NAMESPACE)
			step.flags |= plan->steps[i].flags;
	if (step.flags)
		plan_add(plan, step);
}

static void check_identity(struct plan *plan)
{
	struct step step = check_step(OP_CHECK_IDENTITY);
	const struct step *groups = NULL;

	step.slot = SLOT_NONE;
	for (int i = 0; i < plan->count; i++) {
		if (plan->steps[i].op == OP_GROUPS)
			groups = &plan->steps[i];
		if (plan->steps[i].op == OP_UID)
			step.slot = plan->steps[i].slot;
	}
	step.number = plan->uid;
	step.more = plan->gid;
	step.data = groups ? groups->data : NULL;
	step.size = groups ? groups->size : 0;
	step.flags = groups != NULL; /* the list of groups is ours to decide */
	plan_add(plan, step);
}

static void check_privileges(struct plan *plan, const struct spec *spec, const struct host *host)
{
	struct step step = check_step(OP_CHECK_CAPABILITIES);

	step.flags = capabilities_asked(spec);
	step.number = host->last_capability;
	for (int i = 0; i < plan->count; i++) {
		if (plan->steps[i].op == OP_DROP_BOUNDING)
			step.more |= 1; /* the bounding set is ours */
		if (plan->steps[i].op == OP_SECUREBITS)
			step.size = (size_t)plan->steps[i].number;
	}
	plan_add(plan, step);
}

static void check_mounts(struct plan *plan)
{
	struct mount_expectation *rows = arena_alloc(plan->arena, (TREE_ITEMS + 1) * sizeof(*rows));
	struct step step = check_step(OP_CHECK_MOUNTS);

	plan->is_short |= !rows;
	if (!rows || !plan->has_mountns)
		return;
	for (int i = 0; i < plan->tree->count; i++) {
		const struct tree_item *item = &plan->tree->items[i];
		struct mount_expectation row = { .path = item->target, .set = ST_NOSUID };

		if (item->kind == TREE_DIRECTORY || item->kind == TREE_FILE || item->kind == TREE_SYMLINK || item->is_optional)
			continue;
		row.set |= item->is_writable ? 0 : ST_RDONLY;
		row.set |= item->may_hold_devices ? 0 : ST_NODEV;
		rows[step.size++] = row;
	}
	step.data = rows;
	plan_add(plan, step);
}

static void check_limits(struct plan *plan)
{
	for (int i = 0; i < plan->count; i++) {
		struct step step = plan->steps[i];

		if (step.op != OP_RLIMIT)
			continue;
		step.op = OP_CHECK_LIMIT;
		step.phase = PHASE_CHECK;
		plan_add(plan, step);
	}
}

static void check_descriptors(struct plan *plan)
{
	struct step step = check_step(OP_CHECK_DESCRIPTORS);

	for (int i = 0; i < plan->count; i++) {
		if (plan->steps[i].op != OP_DESCRIPTORS)
			continue;
		step.data = plan->steps[i].data;
		step.size = plan->steps[i].size;
		plan_add(plan, step);
		return;
	}
}

static void plan_check(struct plan *plan, const struct spec *spec, const struct host *host)
{
	check_namespaces(plan);
	check_identity(plan);
	check_privileges(plan, spec, host);
	check_mounts(plan);
	check_limits(plan);
	check_descriptors(plan);
}

const struct feature feature_check = { .name = "self-check", .title = "Self-check", .plan = plan_check };
