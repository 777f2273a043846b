/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The self-check: just before the filter and exec, what is in force is compared with what was asked;
 * any difference ends the run. Steps of the plan are the source of what to expect, so a step that
 * some feature adds is checked without a word here.
 */
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/statvfs.h>

#include "feature/capability.h"
#include "feature/identity.h"

static struct step check_step(enum op op)
{
	return (struct step){ .op = op, .side = PAYLOAD, .phase = PHASE_CHECK, .slot = SLOT_NONE };
}

static const struct step *find_step(const struct plan *plan, enum side side, enum op op)
{
	for (int i = 0; i < plan->count; i++)
		if (plan->steps[i].side == side && plan->steps[i].op == op)
			return &plan->steps[i];
	return NULL;
}

/*
 * Namespaces whose being new another act has proved: in a new user namespace it would have failed with EPERM
 * on what belongs to the outer one. Reading costs 14 us each (decision 0001), so these are not read.
 */
static uint64_t proved(const struct plan *plan)
{
	static const struct { enum side side; enum op op; uint64_t flag; } proofs[] = {
		{ LAUNCHER, OP_ID_MAP, CLONE_NEWUSER }, { INIT, OP_OWN_ID_MAP, CLONE_NEWUSER }, { LAUNCHER, OP_SUBID_MAP, CLONE_NEWUSER },
		{ INIT, OP_HOST_NAME, CLONE_NEWUTS }, { INIT, OP_LOOPBACK, CLONE_NEWNET }, { INIT, OP_PIVOT, CLONE_NEWNS },
	};
	uint64_t flags = 0;

	if (!(plan->clone_flags & CLONE_NEWUSER))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(proofs); i++)
		if (find_step(plan, proofs[i].side, proofs[i].op))
			flags |= proofs[i].flag;
	return flags;
}

/* Every namespace that was asked for must be another than the launcher's, every joined one that which was named. */
static void check_namespaces(struct plan *plan)
{
	struct step step = check_step(OP_CHECK_NAMESPACES);

	step.side = INIT; /* while the host's /proc is still there */
	step.phase = PHASE_ROOT;
	step.flags = plan->clone_flags | (plan->process ? CLONE_NEWUSER : 0);
	for (int i = 0; i < plan->count; i++)
		if (plan->steps[i].op == OP_UNSHARE)
			step.flags |= plan->steps[i].flags;
	step.flags &= ~proved(plan);
	step.why = "those that no other act has proved new";
	if (step.flags)
		plan_add(plan, step);
}

static void check_init(struct plan *plan, const struct spec *spec)
{
	struct step step = check_step(OP_CHECK_INIT);

	step.side = INIT;
	step.phase = PHASE_READY;
	step.how = spec_leaves(spec, "dumpable") ? STEP_LEFT : 0;
	step.number = plan->has_no_init || (plan->owns_pids && !plan->outlives) ? SIGKILL : 0;
	plan_add(plan, step);
}

static void check_root(struct plan *plan)
{
	const struct step *start = find_step(plan, PAYLOAD, OP_CHDIR);
	struct step step = check_step(OP_CHECK_ROOT);

	if (!start)
		return;
	step.slot = plan->has_mountns ? SLOT_ROOT : SLOT_NONE;
	step.subject = start->subject;
	step.data = start->data;
	plan_add(plan, step);
}

/* Only what is compared is named. */
static const char *process_words(struct plan *plan, const struct step *step)
{
	const char *persona = step->more & CHECK_PERSONALITY ? plan_format(plan, ", personality 0x%llx", (unsigned long long)step->flags) : "";

	return plan_format(plan, "that the umask is %04llo%s%s%s%s", (unsigned long long)step->number, persona,
			   step->more & CHECK_SESSION ? ", the session its own" : step->more & CHECK_INITS_SESSION ? ", the session init's" : "",
			   step->more & CHECK_KEYRING ? ", the keyring new" : "",
			   step->how & STEP_LEFT ? "" : ", no signal blocked");
}

static void check_process(struct plan *plan)
{
	const struct step *mask = find_step(plan, PAYLOAD, OP_UMASK), *persona = find_step(plan, PAYLOAD, OP_PERSONALITY);
	const struct step *signals = find_step(plan, PAYLOAD, OP_SIGNALS);
	struct step step = check_step(OP_CHECK_PROCESS);

	if (!mask)
		return;
	step.number = mask->number;
	step.flags = persona ? persona->flags : 0;
	step.more = (find_step(plan, INIT, OP_KEYRING) ? CHECK_KEYRING : 0) | (find_step(plan, PAYLOAD, OP_SESSION) ? CHECK_SESSION : 0) |
		    (find_step(plan, INIT, OP_SESSION) ? CHECK_INITS_SESSION : 0) | (persona ? CHECK_PERSONALITY : 0);
	step.how = signals ? signals->how : STEP_LEFT;
	step.text = process_words(plan, &step);
	plan_add(plan, step);
}

const char *identity_words(struct plan *plan, const struct step *step)
{
	const char *uid = step->flags & CHECK_USER ? plan_format(plan, "uid is %u", plan->uid) : "";
	const char *gid = step->flags & CHECK_GROUP ? plan_format(plan, *uid ? ", gid %u" : "gid is %u", plan->gid) : "";
	const char *before = *uid || *gid ? ", groups" : "the number of groups is";

	return plan_format(plan, "that %s%s%s", uid, gid,
			   step->flags & CHECK_GROUPS ? plan_format(plan, "%s %zu", before, step->size) : "");
}

static void check_identity(struct plan *plan, const struct spec *spec)
{
	const bool is_left = spec_leaves(spec, "ids");
	struct step step = check_step(OP_CHECK_IDENTITY);
	const struct step *groups = NULL;

	step.slot = SLOT_NONE;
	for (int i = 0; i < plan->count; i++) {
		if (plan->steps[i].op == OP_GROUPS)
			groups = &plan->steps[i];
		if (plan->steps[i].op == OP_UID)
			step.slot = plan->steps[i].slot;
	}
	if (plan_find(plan, OP_AWAIT) && plan_find(plan, OP_AWAIT)->side == LAUNCHER && !plan_find(plan, OP_UID))
		return; /* who it is was decided by others */
	step.number = plan->uid;
	step.more = plan->gid;
	step.data = groups ? groups->data : NULL;
	step.size = groups ? groups->size : 0;
	/* Each only where it is ours to decide. */
	step.flags = (groups ? CHECK_GROUPS : 0) | (is_left && !spec->user ? 0 : CHECK_USER) | (is_left && !spec->group ? 0 : CHECK_GROUP);
	step.text = identity_words(plan, &step);
	if (step.flags)
		plan_add(plan, step);
}

static const char *privilege_words(struct plan *plan, const struct step *step)
{
	if (step->more == CHECK_BOUNDING)
		return plan_format(plan, "that the bounding set is 0x%llx, and no_new_privs", (unsigned long long)step->flags);
	if (!(step->more & CHECK_SETS))
		return "no_new_privs";
	return plan_format(plan, step->flags ? "that %s are 0x%llx%s, and no_new_privs" : "that %s are %llu%s, and no_new_privs",
			   step->more & CHECK_BOUNDING ? "all five sets" : "all sets but the bounding one", (unsigned long long)step->flags,
			   step->how & STEP_OPTIONAL ? " (the ambient one, unless securebits forbid it)" : "");
}

static void check_privileges(struct plan *plan, const struct spec *spec, const struct host *host)
{
	struct step step = check_step(OP_CHECK_CAPABILITIES);

	step.flags = capabilities_asked(spec, host);
	step.more = spec_leaves(spec, "capabilities") ? 0 : CHECK_SETS;
	step.number = host->last_capability;
	for (int i = 0; i < plan->count; i++) {
		if (plan->steps[i].op == OP_DROP_BOUNDING) {
			step.more |= CHECK_BOUNDING;
			step.flags = plan->steps[i].flags;
		}
		if (plan->steps[i].op == OP_SECUREBITS)
			step.size = (size_t)plan->steps[i].number;
		if (plan->steps[i].op == OP_AMBIENT)
			step.how = plan->steps[i].how;
	}
	step.text = privilege_words(plan, &step);
	plan_add(plan, step);
}

static void check_ordered(struct plan *plan)
{
	struct step step = check_step(OP_CHECK_MOUNTS);

	step.data = plan->mounts;
	step.size = plan->mount_count;
	plan_add(plan, step);
}

static void check_mounts(struct plan *plan)
{
	struct mount_expectation *rows = arena_alloc(plan->arena, ((size_t)plan->tree->count + 1) * sizeof(*rows));
	struct step step = check_step(OP_CHECK_MOUNTS);

	plan->is_short |= !rows;
	if (!rows || !plan->has_mountns)
		return;
	for (int i = 0; i < plan->tree->count; i++) {
		const struct tree_item *item = &plan->tree->items[i];
		struct mount_expectation row = { .path = item->target, .set = ST_NOSUID, .is_optional = item->is_optional };

		if (item->kind == TREE_DIRECTORY || item->kind == TREE_FILE || item->kind == TREE_SYMLINK)
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
		step.phase = step.phase == PHASE_CLOSE ? PHASE_CLOSE : PHASE_CHECK;
		plan_add(plan, step);
	}
}

static void check_descriptors(struct plan *plan)
{
	struct step step = check_step(OP_CHECK_DESCRIPTORS);

	for (int i = 0; i < plan->count; i++) {
		if (plan->steps[i].op != OP_DESCRIPTORS || plan->steps[i].how & STEP_LEFT)
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
	check_init(plan, spec);
	check_root(plan);
	check_process(plan);
	check_identity(plan, spec);
	check_privileges(plan, spec, host);
	if (plan->mounts)
		check_ordered(plan);
	else
		check_mounts(plan);
	check_limits(plan);
	check_descriptors(plan);
}

const struct feature feature_check = { .name = "self-check", .title = "Self-check", .plan = plan_check };
