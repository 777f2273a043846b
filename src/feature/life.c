/* SPDX-License-Identifier: Apache-2.0 */
/* Who lives how long: whether there is an init, what ends with whom. */
#include <errno.h>

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
	{ 0 },
};

static bool has_own_pids(const struct spec *spec, const struct host *host)
{
	return spec->pidns.mode == NAMESPACE_NEW && !host->has_no_namespaces;
}

static int check(const struct spec *spec, const struct host *host, struct error *err)
{
	if (spec->init != INIT_NONE || spec->lifetime == LIFETIME_OWN || has_own_pids(spec, host))
		return 0;
	error_mistake(err, "--init no: without a PID namespace of the jail's own nobody would end what the program leaves behind");
	error_remedy(err, "E-INIT-LIFETIME", "say --lifetime own and let it live, or use a PID namespace or an init");
	return -EINVAL;
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
static void refuse_what_needs_launcher(struct plan *plan, const struct spec *spec, const struct host *host)
{
	char where[ORIGIN_TEXT];

	(void)spec;
	(void)host;
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

const struct feature feature_lifetime = { .name = "lifetime", .title = "Life cycle", .plan = refuse_what_needs_launcher };
