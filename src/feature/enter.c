/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entering a jail that is there. Nothing is decided anew: the steps are those of the plan that made the jail, in another order.
 * Theory: who joins a PID namespace by setns(2) stays outside it, and only its children are in. So a helper does everything that
 * needs a privilege, and everything that takes privileges away, out of sight of the jail; the process that appears inside has
 * neither the launcher's rights nor a descriptor of it, and has nothing left to do but to load the filter and to execute.
 *
 *	launcher   bears the helper (into the jail's group where the kernel can), puts it into the jail's groups
 *	helper     takes its standard descriptors, joins the namespaces, becomes the jail's user; limits, capabilities, Landlock;
 *	           the self-check; bears the payload as a child of the launcher's, tells that it was executed, and ends
 *	payload    session, terminal, filter, program
 *
 * A helper that waits for somebody takes its descriptors when the payload is about to be born, and has the filter before, if it can.
 *
 * Where the jail has no PID namespace of its own nobody is out of its sight, and nothing would end what the program leaves behind.
 * So the newcomers are as a jail's: an init, which joins, adopts and ends them, and a payload, which is confined.
 */
#include "feature/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

#include "feature/enter_filter.h"
#include "feature/enter_user.h"
#include "feature/program.h"

enum { SCOPE_SIGNALS = 2, CONTROLS = 1 | 2 | 4 | STEP_CONTROLS, MANY_PROCESSES = 64 };

/* What all newcomers take over from the plan of the jail. */
static void begin(struct plan *plan, struct arena *arena, const struct plan *jail)
{
	memset(plan, 0, offsetof(struct plan, steps));
	plan->arena = arena;
	plan->slots = jail->slots; /* the launcher fills in those that it holds */
	plan->tree = jail->tree;
	plan->home = jail->home;
	plan->uid = jail->uid;
	plan->gid = jail->gid;
	plan->has_userns = jail->has_userns;
	plan->has_pidns = jail->has_pidns;
	plan->has_mountns = jail->has_mountns;
	plan->joins_mountns = jail->joins_mountns;
	plan->owns_pids = jail->owns_pids;
	plan->has_leased_ids = jail->has_leased_ids;
	plan->has_root_inside = jail->has_root_inside;
	plan->may_set_groups = jail->may_set_groups;
	plan->init_capabilities = jail->init_capabilities;
	plan->is_entry = true;
}

static void add(struct plan *plan, struct step step, enum side side)
{
	step.side = side;
	plan->feature = step.feature ? step.feature : "enter";
	plan_add(plan, step);
}

static void add_own(struct plan *plan, enum op op, enum side side, const char *why)
{
	add(plan, (struct step){ .op = op, .slot = SLOT_NONE, .why = why }, side);
}

static bool is_of_group(const struct step *step)
{
	return step->op == OP_CGROUP_JOIN || step->op == OP_CGROUP_VERIFY;
}

/* Born into the jail's group where SLOT_CGROUP holds one, and in the others before it does anything else. */
static void bear(struct plan *plan, const struct plan *jail)
{
	add(plan, (struct step){ .op = OP_CLONE, .slot = SLOT_CGROUP, .why = "a helper is born" }, LAUNCHER);
	for (int i = 0; i < jail->count; i++)
		if (is_of_group(&jail->steps[i]))
			add(plan, jail->steps[i], jail->steps[i].side);
}

/* Of the steps so far: who is in a user namespace cannot join it again. setns(2) */
static bool has_joined(const struct plan *plan, int slot)
{
	for (int i = 0; i < plan->count; i++)
		if (plan->steps[i].op == OP_JOIN_NAMESPACE && plan->steps[i].slot == slot)
			return true;
	return false;
}

static void join_one(struct plan *plan, int slot, uint64_t flag, const char *name, enum side side)
{
	if (slot && !has_joined(plan, slot))
		add(plan, (struct step){ .op = OP_JOIN_NAMESPACE, .phase = side == LAUNCHER ? PHASE_JOIN : PHASE_SELF, .slot = slot, .flags = flag,
			.subject = name }, side);
}

static void join_some(struct plan *plan, const struct plan *jail, uint64_t flags, enum side side)
{
	for (unsigned kind = 0; kind < NAMESPACES; kind++)
		if (flags & namespace_flags[kind])
			join_one(plan, jail->worlds[kind], namespace_flags[kind], plan_format(plan, "the jail's %s namespace", namespace_names[kind]), side);
}

/*
 * The user namespace first: it gives the right to enter the others, but for those that the jail shares with its pod, which are of
 * the one above. Who has every right enters it last, since some of the others may only be entered from outside. setns(2)
 */
static void join_all(struct plan *plan, const struct plan *jail)
{
	const uint64_t others = ~(uint64_t)CLONE_NEWUSER;

	if (jail->opens_as_launcher) {
		join_some(plan, jail, others, INIT);
		join_some(plan, jail, CLONE_NEWUSER, INIT);
		return;
	}
	join_one(plan, jail->parent_world, CLONE_NEWUSER, "the pod's user namespace", INIT);
	if (jail->parent_world)
		join_some(plan, jail, others & jail->shared_worlds, INIT);
	join_some(plan, jail, CLONE_NEWUSER, INIT);
	join_some(plan, jail, others, INIT);
}

/* Only who is born in a PID namespace is in it. The right to enter it comes with the user namespace above it. */
static void join_pids_before_birth(struct plan *plan, const struct plan *jail)
{
	const bool is_shared = jail->shared_worlds & CLONE_NEWPID;

	for (unsigned kind = 0; kind < NAMESPACES; kind++) {
		if (namespace_flags[kind] != CLONE_NEWPID || !jail->worlds[kind])
			continue;
		if (!jail->opens_as_launcher)
			join_one(plan, jail->parent_world, CLONE_NEWUSER, "the pod's user namespace", LAUNCHER);
		if (!jail->opens_as_launcher && !(jail->parent_world && is_shared))
			join_some(plan, jail, CLONE_NEWUSER, LAUNCHER);
		join_some(plan, jail, CLONE_NEWPID, LAUNCHER);
	}
}

static void join(struct plan *plan, const struct plan *jail)
{
	join_all(plan, jail);
	if (plan_has(jail, OP_CHROOT))
		add(plan, (struct step){ .op = OP_ROOT_AGAIN, .slot = SLOT_ROOT, .why = "the namespace's own root is another" }, INIT);
	if (plan_has(jail, OP_BECOME_ROOT_INSIDE))
		add(plan, *plan_find(jail, OP_BECOME_ROOT_INSIDE), INIT);
	if (jail->worlds[NAMESPACES])
		add(plan, (struct step){ .op = OP_JOIN_NAMESPACE, .slot = jail->worlds[NAMESPACES], .flags = namespace_flags[0],
			.subject = "the jail's inner user namespace" }, INIT);
}

static void take_streams(struct plan *plan, bool has_streams, enum side side)
{
	if (has_streams)
		add(plan, (struct step){ .op = OP_STANDARD, .slot = SLOT_NONE, .flags = 7, .why = "those of who asks" }, side);
	add(plan, (struct step){ .op = OP_DESCRIPTORS, .slot = SLOT_NONE, .text = "close all descriptors from 3 at exec" }, side);
	add(plan, (struct step){ .op = OP_CHECK_DESCRIPTORS, .slot = SLOT_NONE }, side);
}

/* The PID namespace bounds whom it can signal; its own domain would keep it from the jail's other processes. */
static struct step without_signal_scope(struct plan *plan, struct step step)
{
	struct landlock_rules *rules = arena_alloc(plan->arena, sizeof(*rules));

	plan->is_short |= !rules;
	if (!rules || !plan->owns_pids)
		return step;
	*rules = *(const struct landlock_rules *)step.data;
	rules->scopes &= ~(uint64_t)SCOPE_SIGNALS;
	step.data = rules;
	return step;
}

/* Checks of what is shared with the jail, which was checked when it was made; and what is done differently here. */
static bool is_left_out(const struct step *step)
{
	switch ((int)step->op) {
	case OP_CHECK_MOUNTS: case OP_DESCRIPTORS: case OP_CHECK_DESCRIPTORS: case OP_CHECK_PROCESS:
	case OP_CHDIR: case OP_CHECK_PROGRAM: case OP_DIE_WITH_LAUNCHER: case OP_OUTLIVE: return true;
	default: return false;
	}
}

/* What the newcomer wants to be, as steps of its own. */
struct wishes {
	struct step start, check, exec;
	bool has_check;
};

/* Planned as for any run, but into a place from which they are taken one by one. */
static struct wishes make_wishes(struct plan *plan, const struct enter *enter)
{
	struct wishes wishes = { 0 };
	const int first = plan->count;

	plan_program(plan, enter->spec, enter->host);
	for (int i = first; i < plan->count; i++) {
		const struct step *step = &plan->steps[i];

		if (step->op == OP_CHDIR)
			wishes.start = *step;
		if (step->op == OP_EXEC)
			wishes.exec = *step;
		if (step->op == OP_CHECK_PROGRAM)
			wishes.check = *step;
		wishes.has_check |= step->op == OP_CHECK_PROGRAM;
	}
	plan->count = first;
	return wishes;
}

/* What the payload of the jail did between its session and its filter, in its order. */
static void confine(struct plan *plan, const struct enter *enter, const struct wishes *wishes, enum side side)
{
	const struct plan *jail = enter->jail;

	for (int i = 0; i < jail->count; i++) {
		struct step step = step_of_user(plan, enter, jail->steps[i]);

		if (step.op == OP_CHDIR)
			add(plan, wishes->start, side);
		if (step.op == OP_CHECK_ROOT) {
			step.subject = wishes->start.subject;
			step.data = wishes->start.data;
			step.size = wishes->start.size;
		}
		if (step.side == PAYLOAD && step.phase >= PHASE_LIMITS && step.phase <= PHASE_CHECK && !is_left_out(&step))
			add(plan, step.op == OP_LANDLOCK ? without_signal_scope(plan, step) : step, side);
	}
}

static bool is_of_streams(const struct step *step)
{
	return step->op == OP_TERMINAL || step->op == OP_STANDARD;
}

/* A terminal of the jail's own file system where it has one; else the host's, which the launcher opens. */
static void add_terminal(struct plan *plan, const struct enter *enter)
{
	struct screen *screen = arena_alloc(plan->arena, sizeof(*screen));

	plan->is_short |= !screen;
	if (!screen)
		return;
	*screen = enter->screen;
	add(plan, (struct step){ .op = OP_TERMINAL, .subject = tree_has_own_pts(plan) ? "/dev/pts/ptmx" : NULL, .flags = CONTROLS,
		.number = plan->uid, .more = plan->gid, .slot = plan->has_leased_ids && !plan->has_userns ? SLOT_IDS : SLOT_NONE, .data = screen }, PAYLOAD);
}

static void begin_session(struct plan *plan, const struct enter *enter)
{
	const struct plan *jail = enter->jail;

	for (int i = 0; i < jail->count; i++)
		if (jail->steps[i].side == PAYLOAD && jail->steps[i].phase == PHASE_SESSION && !is_of_streams(&jail->steps[i]))
			add(plan, jail->steps[i], PAYLOAD);
	if (enter->has_terminal)
		add_terminal(plan, enter);
}

static void add_filter(struct plan *plan, const struct plan *jail, enum side side)
{
	for (int i = 0; i < jail->count; i++)
		if (jail->steps[i].side == PAYLOAD && (jail->steps[i].phase == PHASE_CLOSE || jail->steps[i].phase == PHASE_FILTER))
			add(plan, jail->steps[i], side);
}

static void execute(struct plan *plan, const struct plan *jail, const struct wishes *wishes)
{
	if (plan_has(jail, OP_CHECK_PROCESS))
		add(plan, *plan_find(jail, OP_CHECK_PROCESS), PAYLOAD);
	if (wishes->has_check) /* not by a helper, to whom the jail's /proc shows no /proc/self */
		add(plan, wishes->check, PAYLOAD);
	add_filter(plan, jail, PAYLOAD);
	add(plan, wishes->exec, PAYLOAD);
}

/* A terminal of the host's is opened before the helper is born, and its slave by the master. */
static void open_terminal(struct plan *plan, const struct enter *enter)
{
	if (enter->has_terminal && !tree_has_own_pts(plan))
		add(plan, (struct step){ .op = OP_PTY, .slot = SLOT_TERMINAL, .subject = "/dev/ptmx", .why = "the jail has no /dev/pts" }, LAUNCHER);
}

static int finish(struct plan *plan, struct error *err)
{
	return plan->is_short ? error_set(err, E2BIG, "planning to enter: more steps than a plan holds (%d)", PLAN_STEPS) : 0;
}

static void add_keyring(struct plan *plan, const struct plan *jail)
{
	if (plan_has(jail, OP_KEYRING))
		add(plan, *plan_find(jail, OP_KEYRING), INIT);
}

/* The PID namespace ends what they leave behind. */
static void enter_unseen(struct plan *plan, const struct enter *enter, const struct wishes *wishes)
{
	plan->has_no_init = true;
	bear(plan, enter->jail);
	take_streams(plan, enter->has_streams, INIT);
	join(plan, enter->jail);
	add_keyring(plan, enter->jail);
	confine(plan, enter, wishes, INIT);
	add_own(plan, OP_FORK, INIT, "a child of the launcher's, in the jail's PID namespace");
	begin_session(plan, enter);
	execute(plan, enter->jail, wishes);
}

/* What is of the program's own session, or of its streams, waits for it. */
static void prepare_session(struct plan *plan, const struct plan *jail)
{
	for (int i = 0; i < jail->count; i++)
		if (jail->steps[i].side == PAYLOAD && jail->steps[i].phase == PHASE_SESSION && !is_of_streams(&jail->steps[i]) &&
		    jail->steps[i].op != OP_SESSION)
			add(plan, jail->steps[i], INIT);
}

/* Where it starts is looked at once more: the helper may have been there for a while. */
static void check_again(struct plan *plan)
{
	const struct step *root = plan_find(plan, OP_CHECK_ROOT);

	if (root)
		add(plan, *root, INIT);
}

/* The last that costs time, with the look that comes before it. Of a session of its own setsid(2) itself will tell. */
static void filter_in_advance(struct plan *plan, const struct plan *jail)
{
	const struct step *process = plan_find(jail, OP_CHECK_PROCESS);
	struct step check = process ? *process : (struct step){ 0 };

	check.more &= ~(uint64_t)CHECK_SESSION;
	check.text = "what the program takes over from it: umask, personality, signals, keyring";
	if (process)
		add(plan, check, INIT);
	add_filter(plan, jail, INIT);
}

static void wait_unseen(struct plan *plan, const struct enter *enter, const struct wishes *wishes)
{
	const bool is_filtered = may_wait_behind_filter(enter->jail) && !wishes->has_check;

	plan->has_no_init = true;
	bear(plan, enter->jail);
	take_streams(plan, false, INIT);
	join(plan, enter->jail);
	add_keyring(plan, enter->jail);
	confine(plan, enter, wishes, INIT);
	prepare_session(plan, enter->jail);
	add(plan, (struct step){ .op = OP_DIE_WITH_LAUNCHER, .slot = SLOT_NONE, .subject = "the launcher" }, INIT);
	if (is_filtered)
		filter_in_advance(plan, enter->jail);
	add(plan, (struct step){ .op = OP_LEND, .slot = SLOT_NONE, .flags = 7, .why = "it is known who enters" }, LAUNCHER);
	add(plan, (struct step){ .op = OP_STANDARD, .slot = SLOT_NONE, .flags = 7, .why = "those of who asks" }, INIT);
	check_again(plan);
	add_own(plan, OP_FORK, INIT, "a child of the launcher's, in the jail's PID namespace");
	if (plan_has(enter->jail, OP_SESSION))
		add(plan, *plan_find(enter->jail, OP_SESSION), PAYLOAD);
	if (is_filtered)
		add(plan, wishes->exec, PAYLOAD);
	else
		execute(plan, enter->jail, wishes);
}

static bool is_of_init(const struct step *step, enum op op)
{
	return step->op == op && step->side == INIT;
}

/* As init of the jail did; by its list of children, which only the launcher's own /proc tells truly. */
static void take_care(struct plan *plan, const struct plan *jail, enum op op)
{
	for (int i = 0; i < jail->count; i++)
		if (is_of_init(&jail->steps[i], op))
			add(plan, jail->steps[i], INIT);
}

static void enter_with_init(struct plan *plan, const struct enter *enter, const struct wishes *wishes)
{
	const struct plan *jail = enter->jail;

	join_pids_before_birth(plan, jail);
	bear(plan, jail);
	take_care(plan, jail, OP_ADOPT);
	join(plan, jail);
	add_keyring(plan, jail);
	take_care(plan, jail, OP_FENCE);
	take_care(plan, jail, OP_CHECK_INIT);
	add_own(plan, OP_FORK, INIT, "it is ended with all that it leaves behind");
	take_streams(plan, enter->has_streams, PAYLOAD);
	begin_session(plan, enter);
	confine(plan, enter, wishes, PAYLOAD);
	add(plan, (struct step){ .op = OP_DIE_WITH_LAUNCHER, .slot = SLOT_NONE, .subject = "init" }, PAYLOAD);
	execute(plan, jail, wishes);
}

int plan_enter(struct plan *plan, struct arena *arena, const struct enter *enter, struct error *err)
{
	struct wishes wishes;
	int rc;

	begin(plan, arena, enter->jail);
	rc = enter_as_user(plan, enter, err);
	if (rc < 0)
		return rc;
	wishes = make_wishes(plan, enter);
	open_terminal(plan, enter);
	if (enter->awaited)
		wishes.exec.data = wishes.check.data = enter->awaited;
	if (enter->awaited)
		wait_unseen(plan, enter, &wishes);
	else if (plan->owns_pids)
		enter_unseen(plan, enter, &wishes);
	else
		enter_with_init(plan, enter, &wishes);
	return finish(plan, err);
}

/* RLIMIT_NPROC counts by user, wherever the process is. */
static bool is_few(uint64_t processes)
{
	return processes < MANY_PROCESSES;
}

static bool user_has_few(const struct plan *jail)
{
	for (int i = 0; i < jail->count; i++)
		if (jail->steps[i].op == OP_RLIMIT && jail->steps[i].flags == RLIMIT_NPROC && is_few(jail->steps[i].number))
			return true;
	return false;
}

bool may_wait(const struct plan *jail, const struct spec *spec, const struct spec *pod)
{
	return jail->owns_pids && !spec->is_ordered && !user_has_few(jail) && !is_few(spec->pids) && !(pod && is_few(pod->pids));
}

int plan_awaited(struct plan *plan, const struct enter *enter, struct arena *room, struct error *err)
{
	struct step *last = &plan->steps[plan->count - 1];
	const struct wishes wishes = make_wishes(plan, enter);

	if (plan->is_short || program_copy(enter->awaited, wishes.exec.data, wishes.start.size, room) < 0)
		return error_set(err, E2BIG, "handing over what is to be executed");
	last->subject = wishes.exec.subject;
	last->text = wishes.exec.text;
	return 0;
}

static bool is_of_identity(const struct step *step)
{
	return step->side == PAYLOAD && (step->phase == PHASE_IDENTITY || step->op == OP_DROP_BOUNDING || step->op == OP_SECUREBITS ||
					 step->op == OP_NO_NEW_PRIVS || step->op == OP_LANDLOCK);
}

int plan_fetch(struct plan *plan, struct arena *arena, const struct fetch *fetch, struct error *err)
{
	const struct plan *jail = fetch->jail;

	begin(plan, arena, jail);
	plan->has_no_init = true;
	bear(plan, jail);
	join(plan, jail);
	for (int i = 0; i < jail->count; i++) {
		struct step step = jail->steps[i];

		if (is_of_identity(&step))
			add(plan, step, INIT);
		if (step.op == OP_CAPABILITIES) { /* even those that the program has are not needed here */
			step.flags = 0;
			add(plan, step, INIT);
		}
	}
	add(plan, (struct step){ .op = OP_GIVE_FILE, .slot = SLOT_NONE, .subject = plan_copy(plan, fetch->path),
		.flags = (uint64_t)fetch->flags, .number = fetch->mode, .why = "by the jail's user, inside" }, INIT);
	return finish(plan, err);
}
