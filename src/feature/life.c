/* SPDX-License-Identifier: Apache-2.0 */
/* Who lives how long: whether there is an init, what ends with whom. */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "feature/feature.h"

static const char *const inits[] = { [INIT_OWN] = "yes", [INIT_NONE] = "no", NULL };
static const char *const lifetimes[] = { [LIFETIME_LAUNCHER] = "launcher", [LIFETIME_OWN] = "own", NULL };

static const struct field fields[] = {
	{ .key = "init", .type = FIELD_ENUM, FIELD(init), .choices = inits, .fallback = "yes", .since = "0.1",
	  .help = "a process of immure's own in the jail, which reaps orphans; no: the program itself is the first process",
	  .detail = "With no the program is process 1 of a new PID namespace: the kernel gives it orphans to reap, ignores signals that "
		    "it has no handler for, and ends the jail with it. Denied calls are denied by the kernel and not named. Without a PID "
		    "namespace nobody could end what the program leaves behind, so that needs --lifetime own." },
	{ .key = "lifetime", .type = FIELD_ENUM, FIELD(lifetime), .choices = lifetimes, .fallback = "launcher", .since = "0.1",
	  .help = "launcher: the jail ends with the program, and with the launcher; own: it goes on until its last process has ended",
	  .detail = "With own the launcher reports how the program ended and leaves; what the program started lives on, and so does the "
		    "whole jail when the launcher is killed. Before the program is there a jail never outlives its launcher. What the "
		    "launcher does until the end cannot be had with it: limits by cgroups, wall time, a count of output. A terminal "
		    "or pipes of immure's end when the launcher leaves." },
	{ .key = "die-with-parent", .type = FIELD_FLAG, FIELD(dies_with_parent), .since = "0.1",
	  .help = "the launcher is killed when the process that started it dies, and by --lifetime launcher the jail with it",
	  .detail = "Where there is neither an init nor a PID namespace the program is killed as well when the launcher dies." },
	{ .key = "lock-file", .type = FIELD_STRINGS, FIELD(lock_files), .metavar = "PATH", .example = "/app/.ref", .since = "0.1",
	  .help = "a file of the jail that init locks for reading while the jail lives; may be repeated",
	  .detail = "By fcntl(2), F_SETLK. Somebody outside who wants to change what the jail uses sees by the lock that it is in use." },
	{ .key = "hold-fd", .type = FIELD_WORDS, FIELD(hold_fds), .metavar = "N", .example = "5", .since = "0.1", .is_hidden_in_files = true,
	  .help = "a descriptor that init keeps open while the jail lives, and the program does not get",
	  .detail = "Who reads the other end of a pipe sees its end when the last process of the jail is gone. With --init no it stays "
		    "open in the program." },
	{ .key = "info-fd", .type = FIELD_NAME, FIELD(info_fd), .metavar = "N", .example = "6", .since = "0.1", .is_hidden_in_files = true,
	  .help = "write pid and namespaces of the jail's first process to this descriptor, as JSON, and close it",
	  .detail = "{\"child-pid\": N, \"mnt-namespace\": N, ...}: the inode numbers of the namespaces that are new, but for the user's and time's." },
	{ .key = "status-fd", .type = FIELD_NAME, FIELD(status_fd), .metavar = "N", .example = "7", .since = "0.1", .is_hidden_in_files = true,
	  .help = "write the same to this descriptor as a line of JSON, and in the end {\"exit-code\": N}",
	  .detail = "There is no exit code where the program was never executed." },
	{ .key = "block-fd", .type = FIELD_NAME, FIELD(block_fd), .metavar = "N", .example = "8", .since = "0.1", .is_hidden_in_files = true,
	  .help = "wait for a byte or the end on this descriptor when all is set up, before the program begins" },
	{ .key = "maps-fd", .type = FIELD_NAME, FIELD(maps_fd), .metavar = "N", .example = "9", .since = "0.1", .is_hidden_in_files = true,
	  .help = "somebody else writes the id maps of the new user namespace: wait for a byte or the end on this descriptor",
	  .detail = "The process to write them for is told by --info-fd. Afterwards the program becomes --user and --group, which must be "
		    "mapped; without these it is whoever the maps make of the caller." },
	{ 0 },
};

static int check_descriptor(const struct origin *origin, const char *text, uint64_t least, struct error *err)
{
	char where[ORIGIN_TEXT];
	uint64_t number;

	if (!text || (number_parse(text, INT32_MAX, &number) == 0 && number >= least))
		return 0;
	return error_mistake(err, "%s: \"%s\" is not the number of a descriptor%s", origin_print(origin, where), text, least ? " from 3" : "");
}

static int check_descriptors(const struct spec *spec, struct error *err)
{
	const struct { const struct origin *origin; const char *text; } rows[] = {
		{ SPEC_ORIGIN(spec, info_fd), spec->info_fd }, { SPEC_ORIGIN(spec, status_fd), spec->status_fd },
		{ SPEC_ORIGIN(spec, block_fd), spec->block_fd }, { SPEC_ORIGIN(spec, maps_fd), spec->maps_fd },
	};
	char first[ORIGIN_TEXT], second[ORIGIN_TEXT];
	unsigned held = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (check_descriptor(rows[i].origin, rows[i].text, 0, err) < 0)
			return -EINVAL;
		for (size_t j = 0; rows[i].text && j < i; j++)
			if (rows[j].text && strcmp(rows[i].text, rows[j].text) == 0)
				return error_mistake(err, "%s and %s are the same descriptor", origin_print(rows[j].origin, first),
						     origin_print(rows[i].origin, second));
	}
	for (const struct string_item *item = spec->hold_fds; item; item = item->next, held++)
		if (check_descriptor(&item->origin, item->text, 3, err) < 0)
			return -EINVAL;
	for (const struct string_item *item = spec->lock_files; item; item = item->next, held++)
		if (item->text[0] != '/')
			return error_mistake(err, "--lock-file %s: the place inside must be an absolute path", item->text);
	return held > PLAN_HELD ? error_mistake(err, "--lock-file, --hold-fd: at most %d together", PLAN_HELD) : 0;
}

static bool has_own_pids(const struct spec *spec, const struct host *host)
{
	return spec->pidns.mode == NAMESPACE_NEW && !host->has_no_namespaces;
}

static int check(const struct spec *spec, const struct host *host, struct error *err)
{
	if (check_descriptors(spec, err) < 0)
		return -EINVAL;
	if (spec->maps_fd && (spec->userns.mode != NAMESPACE_NEW || host->has_no_namespaces))
		return error_mistake(err, "--maps-fd: there is no new user namespace whose maps could be written");
	if (spec->init == INIT_NONE && spec->lock_files) {
		error_mistake(err, "--lock-file: without an init nobody would hold the lock");
		error_remedy(err, "E-LOCK-INIT", "leave out --init no");
		return -EINVAL;
	}
	if (spec->init != INIT_NONE || spec->lifetime == LIFETIME_OWN || has_own_pids(spec, host))
		return 0;
	error_mistake(err, "--init no: without a PID namespace of the jail's own nobody would end what the program leaves behind");
	error_remedy(err, "E-INIT-LIFETIME", "say --lifetime own and let it live, or use a PID namespace or an init");
	return -EINVAL;
}

static uint64_t number_of(const char *text)
{
	uint64_t number = 0;

	number_parse(text, INT32_MAX, &number);
	return number;
}

/* While /proc/PID of the newborn is still the caller's: it hides later. */
static void plan_telling(struct plan *plan, const struct spec *spec)
{
	struct step step = { .op = OP_TELL_BIRTH, .side = LAUNCHER, .phase = PHASE_ADOPT, .slot = SLOT_NONE,
			     .flags = (plan->clone_flags & ~(uint64_t)CLONE_NEWUSER) | CLONE_NEWNS };

	if (spec->info_fd) {
		step.number = number_of(spec->info_fd);
		step.origin = SPEC_ORIGIN(spec, info_fd);
		plan_add(plan, step);
	}
	if (spec->status_fd) {
		step.op = OP_TELL_LIFE;
		step.number = number_of(spec->status_fd);
		step.origin = SPEC_ORIGIN(spec, status_fd);
		plan_add(plan, step);
	}
	if (spec->maps_fd)
		plan_add(plan, (struct step){ .op = OP_AWAIT, .side = LAUNCHER, .phase = PHASE_ADOPT, .slot = SLOT_NONE,
			.number = number_of(spec->maps_fd), .origin = SPEC_ORIGIN(spec, maps_fd), .why = "somebody writes the id maps" });
}

static void plan_blocking(struct plan *plan, const struct spec *spec)
{
	if (spec->block_fd)
		plan_add(plan, (struct step){ .op = OP_AWAIT, .side = INIT, .phase = PHASE_FORK, .slot = SLOT_NONE,
			.number = number_of(spec->block_fd), .origin = SPEC_ORIGIN(spec, block_fd), .why = "all is set up" });
}

static void plan_holding(struct plan *plan, const struct spec *spec)
{
	for (const struct string_item *item = spec->lock_files; item; item = item->next)
		plan_add(plan, (struct step){ .op = OP_LOCK_FILE, .side = INIT, .phase = PHASE_READY, .slot = SLOT_NONE,
			.subject = plan_copy(plan, item->text), .origin = SPEC_ORIGIN(spec, lock_files) });
	for (const struct string_item *item = spec->hold_fds; item && !plan->has_no_init; item = item->next)
		plan_add(plan, (struct step){ .op = OP_HOLD, .side = INIT, .phase = PHASE_READY, .slot = SLOT_NONE,
			.number = number_of(item->text), .origin = SPEC_ORIGIN(spec, hold_fds) });
}

/* Where descriptors are left to the program, those are not that were meant for immure. */
static void plan_own_descriptors(struct plan *plan, const struct spec *spec)
{
	const char *const own[] = { spec->block_fd, spec->maps_fd, spec->info_fd, spec->status_fd };
	size_t count = 0, most = ARRAY_SIZE(own);
	int32_t *numbers;

	for (const struct string_item *item = spec->seccomp_fds; item; item = item->next)
		most++;
	numbers = arena_alloc(plan->arena, most * sizeof(*numbers));
	plan->is_short |= !numbers;
	for (size_t i = 0; numbers && i < ARRAY_SIZE(own); i++)
		if (own[i])
			numbers[count++] = (int32_t)number_of(own[i]);
	for (const struct string_item *item = spec->seccomp_fds; numbers && item; item = item->next)
		numbers[count++] = (int32_t)number_of(item->text);
	if (count && spec_leaves(spec, "descriptors"))
		plan_add(plan, (struct step){ .op = OP_CLOSE_ON_EXEC, .side = PAYLOAD, .phase = PHASE_PRIVILEGE, .slot = SLOT_NONE,
			.data = numbers, .size = count, .why = "these were meant for immure" });
}

/* First of all: what others ask about. */
static void plan_life(struct plan *plan, const struct spec *spec, const struct host *host)
{
	(void)host;
	plan->has_no_init = spec->init == INIT_NONE;
	plan->outlives = spec->lifetime == LIFETIME_OWN;
	plan->leaves_signals = spec_leaves(spec, "signals");
	if (spec->dies_with_parent)
		plan_add(plan, (struct step){ .op = OP_DIE_WITH_PARENT, .side = LAUNCHER, .phase = PHASE_LEASE, .slot = SLOT_NONE,
			.origin = SPEC_ORIGIN(spec, dies_with_parent) });
	plan_blocking(plan, spec);
	plan_holding(plan, spec);
	plan_own_descriptors(plan, spec);
}

const struct feature feature_life = { .name = "life", .title = "Life cycle", .fields = fields, .check = check, .plan = plan_life };

/* What only the launcher does, until the end. NULL: it is none of that. */
static const char *needs_launcher(const struct plan *plan, const struct step *step)
{
	switch ((int)step->op) {
	case OP_WALL_TIME: return "a wall-clock limit";
	case OP_CGROUP_CREATE:
	case OP_CGROUP_SCOPE: return "limits by a cgroup, which must be removed";
	case OP_PIPES: return step->number != NUMBER_NONE ? "a count of output" : NULL;
	case OP_LEASE_IDS: return plan->has_no_init ? "leased ids, without an init that holds them," : NULL;
	default: return NULL;
	}
}

/* Near the end, when it is known what the others planned. */
static void refuse_what_needs_launcher(struct plan *plan)
{
	char where[ORIGIN_TEXT];

	for (int i = 0; plan->outlives && !plan->is_refused && i < plan->count; i++) {
		const struct step *step = &plan->steps[i];
		const char *what = needs_launcher(plan, step);

		if (!what)
			continue;
		error_mistake(plan->err, "--lifetime own: %s (%s) cannot go on without the launcher", what,
			      step->origin ? origin_print(step->origin, where) : step->feature);
		error_remedy(plan->err, "E-LIFETIME-OWN", "leave it out (--pids none, --ids single), or use --lifetime launcher");
		plan->is_refused = true;
	}
}

/* What is undone, or seen by others, only when init is gone. */
static bool is_ended_by_init(enum op op)
{
	switch ((int)op) {
	case OP_CGROUP_CREATE:
	case OP_CGROUP_SCOPE:
	case OP_JOURNAL:
	case OP_LEASE_IDS:
	case OP_LOCK_FILE:
	case OP_HOLD: return true;
	default: return false;
	}
}

static bool may_leave_teardown(const struct plan *plan)
{
	if (!plan->owns_pids || plan->outlives || plan->has_no_init)
		return false;
	for (int i = 0; i < plan->count; i++)
		if (is_ended_by_init(plan->steps[i].op))
			return false;
	return true;
}

static void plan_lifetime(struct plan *plan, const struct spec *spec, const struct host *host)
{
	(void)host;
	plan->leaves_teardown = spec_leaves(spec, "teardown") && may_leave_teardown(plan);
	plan_telling(plan, spec);
	refuse_what_needs_launcher(plan);
}

const struct feature feature_lifetime = { .name = "lifetime", .title = "Life cycle", .plan = plan_lifetime };
