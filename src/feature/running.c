/* SPDX-License-Identifier: Apache-2.0 */
/* How the program is run: its terminal, its time, its output, and what is reported of it. */
#include "feature/feature.h"

static const char *const tty_modes[] = { "auto", "yes", "no", NULL };

static const struct field fields[] = {
	{ .key = "tty", .letter = 't', .type = FIELD_ENUM, FIELD(tty), .choices = tty_modes, .fallback = "auto", .since = "0.1",
	  .help = "a terminal of the jail's own: auto when the caller has one on stdin, yes, or no" },
	{ .key = "wall-time", .type = FIELD_DURATION, FIELD(wall_time_ns), .fallback = "none", .example = "10s", .since = "0.1",
	  .help = "end the jail after this time; exit code 124" },
	{ .key = "output-size", .type = FIELD_SIZE, FIELD(output_bytes), .fallback = "none", .example = "1M", .since = "0.1",
	  .help = "end the jail when it has written this much to stdout and stderr together" },
	{ .key = "result", .type = FIELD_PATH, FIELD(result_path), .example = "result.json", .since = "0.1", .is_hidden_in_files = true,
	  .help = "write what happened, what was in force and what was measured, as JSON" },
	{ .key = "meta", .type = FIELD_PATH, FIELD(meta_path), .example = "meta.txt", .since = "0.1", .is_hidden_in_files = true,
	  .help = "write the measurements as key:value lines, in the form of isolate" },
	{ .key = "quiet", .letter = 'q', .type = FIELD_FLAG, FIELD(is_quiet), .since = "0.1",
	  .help = "say nothing on stderr about blocked calls and limits" },
	{ 0 },
};

static void plan_running(struct plan *plan, const struct spec *spec, const struct host *host)
{
	(void)host;
	if (spec->wall_time_ns != NUMBER_NONE)
		plan_add(plan, (struct step){ .op = OP_WALL_TIME, .side = LAUNCHER, .phase = PHASE_OPEN, .slot = SLOT_NONE,
			.number = spec->wall_time_ns, .origin = SPEC_ORIGIN(spec, wall_time_ns) });
}

const struct feature feature_running = {
	.name = "running", .title = "Running and reporting", .fields = fields, .plan = plan_running,
};
