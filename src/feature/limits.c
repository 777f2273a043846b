/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of the jail as a whole: memory, processors, processes, I/O. */
#include <linux/capability.h>
#include <sys/resource.h>

#include "feature/capability.h"
#include "feature/feature.h"
#include "feature/group.h"

static const struct field fields[] = {
	{ .key = "memory", .letter = 'm', .type = FIELD_SIZE, FIELD(memory_bytes), .fallback = "none", .example = "256M", .since = "0.1",
	  .help = "memory of the whole jail; when it is exhausted the jail ends" },
	{ .key = "swap", .type = FIELD_SIZE, FIELD(swap_bytes), .fallback = "0", .example = "64M", .since = "0.1",
	  .help = "swap besides the memory; counts only with --memory" },
	{ .key = "cpus", .type = FIELD_SHARE, FIELD(cpus_thousandths), .fallback = "none", .example = "0.5", .since = "0.1",
	  .help = "processors that the whole jail may use at once" },
	{ .key = "cpu-time", .type = FIELD_DURATION, FIELD(cpu_time_ns), .fallback = "none", .example = "2s", .since = "0.1",
	  .help = "processor time of the whole jail, all its processes together" },
	{ .key = "pids", .type = FIELD_COUNT, FIELD(pids), .fallback = "1024", .example = "64", .since = "0.1",
	  .help = "processes and threads of the whole jail" },
	{ .key = "io-max", .type = FIELD_STRINGS, FIELD(io_max), .metavar = "DEVICE:LIMITS", .example = "/dev/sda:rbps=1M,wiops=100", .since = "0.1",
	  .help = "block I/O per second on a device: rbps, wbps, riops, wiops; may be repeated" },
	{ 0 },
};

/*
 * How far RLIMIT_NPROC limits the jail. Since Linux 5.14 it counts per user namespace and id; before, per host id,
 * which is the same thing where the id was leased for this jail alone. clone(2), user_namespaces(7)
 */
enum hold { HOLDS_NOTHING, HOLDS_PARTLY, HOLDS_ALL };

static bool has_own_userns(const struct spec *spec, const struct host *host)
{
	return spec->userns.mode == NAMESPACE_NEW && !host->has_no_namespaces;
}

/* Whether the ids will be leased: nobody else on the machine has them. */
static bool has_own_ids(const struct spec *spec, const struct host *host)
{
	const bool may_map = HOST_HAS_CAP(host, CAP_SETUID) && HOST_HAS_CAP(host, CAP_SETGID);

	if (has_own_userns(spec, host))
		return !spec->uid_maps && (spec->ids == IDS_RANGE || (spec->ids == IDS_AUTO && may_map));
	return host->uid == 0 && !spec->user && spec->userns.mode != NAMESPACE_JOIN;
}

static enum hold nproc_holds(const struct spec *spec, const struct host *host)
{
	/* A change of id begins a new count; the other two are not counted at all. */
	const uint64_t evading = 1ull << CAP_SETUID | 1ull << CAP_SYS_RESOURCE | 1ull << CAP_SYS_ADMIN;
	const bool is_counted_apart = has_own_userns(spec, host) && host_kernel_is(host, 5, 14);

	if (spec->allow_host_root || !(is_counted_apart || has_own_ids(spec, host)))
		return HOLDS_NOTHING;
	return capabilities_possible(spec, host) & evading ? HOLDS_PARTLY : HOLDS_ALL;
}

static bool is_pids_insisted(const struct spec *spec)
{
	return spec_requires(spec, "pids") || (SPEC_ORIGIN(spec, pids)->layer != LAYER_DEFAULT && !spec_may_lack(spec, "pids"));
}

static int check(const struct spec *spec, const struct host *host, struct error *err)
{
	const bool insists = spec->pids != NUMBER_NONE && is_pids_insisted(spec) && nproc_holds(spec, host) != HOLDS_ALL;

	return check_group(spec, host, insists, err);
}

static void plan_limits(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const enum hold hold = nproc_holds(spec, host);
	/* Where init has the program's id, it counts as well. */
	const bool counts_init = !plan->has_no_init && plan->has_userns && (!plan->has_root_inside || plan->uid == 0);

	if (plan_group(plan, spec, host, hold != HOLDS_ALL) || spec->pids == NUMBER_NONE || hold == HOLDS_NOTHING)
		return;
	plan_add(plan, (struct step){ .op = OP_RLIMIT, .side = PAYLOAD, .phase = PHASE_LIMITS, .flags = RLIMIT_NPROC,
		.number = spec->pids + counts_init, .more = spec->pids + counts_init, .how = STEP_LOWER_STAYS,
		.origin = SPEC_ORIGIN(spec, pids), .why = counts_init ? "init counts as well" : NULL, .slot = SLOT_NONE });
}

const struct feature feature_limits = { .name = "limits", .title = "Limits", .fields = fields, .check = check, .plan = plan_limits };
