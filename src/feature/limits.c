/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of the jail as a whole: memory, processors, processes, I/O. */
#include <sys/resource.h>

#include "feature/feature.h"

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
	{ .key = "io-max", .type = FIELD_STRINGS, FIELD(io_max), .example = "/dev/sda:rbps=1M,wiops=100", .since = "0.1",
	  .help = "block I/O per second on a device: rbps, wbps, riops, wiops; may be repeated" },
	{ 0 },
};

static void plan_limits(struct plan *plan, const struct spec *spec, const struct host *host)
{
	(void)host;
	if (spec->pids != NUMBER_NONE)
		plan_add(plan, (struct step){ .op = OP_RLIMIT, .side = PAYLOAD, .phase = PHASE_LIMITS, .flags = RLIMIT_NPROC,
			.number = spec->pids, .more = spec->pids, .origin = SPEC_ORIGIN(spec, pids), .slot = SLOT_NONE });
}

const struct feature feature_limits = { .name = "limits", .title = "Limits", .fields = fields, .plan = plan_limits };
