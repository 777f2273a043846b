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

/* How each of the standard descriptors reaches the program: a bit each. What is in neither is passed through as it is. */
struct streams {
	unsigned terminal, pipes;
	bool is_controlling;
};

enum { IN = 1, OUT = 2, ERR = 4 };

/* A jail that stays writes to its keeper; whoever attaches sees it from there. */
static struct streams streams_of_keeper(const struct spec *spec, const struct host *host)
{
	if (spec->tty == TTY_YES || (spec->tty == TTY_AUTO && host->caller.stdin_is_tty && !spec->is_detached))
		return (struct streams){ .terminal = IN | OUT | ERR, .is_controlling = true };
	return (struct streams){ .pipes = OUT | ERR | (host->keeps_input ? IN : 0) };
}

/* The caller's terminal is never given to the jail: whoever has it can type into it. TIOCSTI, TIOCLINUX: ioctl_tty(2) */
static struct streams choose_streams(const struct spec *spec, const struct host *host)
{
	const unsigned ttys = (host->caller.stdin_is_tty ? IN : 0) | (host->caller.stdout_is_tty ? OUT : 0) | (host->caller.stderr_is_tty ? ERR : 0);
	struct streams streams = { 0 };

	if (host->has_keeper)
		return streams_of_keeper(spec, host);
	if (spec_leaves(spec, "terminal")) {
		streams.pipes = spec->output_bytes == NUMBER_NONE ? 0 : OUT | ERR;
		return streams;
	}
	streams.is_controlling = spec->tty == TTY_YES || (spec->tty == TTY_AUTO && host->caller.stdin_is_tty);
	if (spec->tty == TTY_YES)
		streams.terminal = IN | OUT | ERR;
	else if (spec->tty == TTY_AUTO)
		streams.terminal = ttys;
	else
		streams.pipes = ttys;
	if (spec->output_bytes != NUMBER_NONE)
		streams.pipes |= (OUT | ERR) & ~streams.terminal;
	return streams;
}

static void plan_pipes(struct plan *plan, const struct spec *spec, const struct host *host, unsigned pipes)
{
	const bool is_limited = spec->output_bytes != NUMBER_NONE;
	const bool is_one = !host->has_keeper && host->caller.stderr_is_stdout && (pipes & (OUT | ERR)) == (OUT | ERR);
	const struct origin *origin = is_limited ? SPEC_ORIGIN(spec, output_bytes) : SPEC_ORIGIN(spec, tty);

	plan_add(plan, (struct step){ .op = OP_PIPES, .side = LAUNCHER, .phase = PHASE_OPEN, .slot = SLOT_NONE,
		.flags = pipes | (is_one ? STEP_ONE_PIPE : 0), .number = spec->output_bytes, .origin = origin,
		.text = is_limited ? plan_format(plan, "; end the jail after %llu bytes", (unsigned long long)spec->output_bytes) : "",
		.why = is_limited ? "to count what is written" : host->has_keeper ? "the keeper reads what is written"
										  : "the caller's terminal stays outside" });
	plan_add(plan, (struct step){ .op = OP_STANDARD, .side = PAYLOAD, .phase = PHASE_SESSION, .slot = SLOT_NONE,
		.flags = pipes, .origin = origin });
}

/* Where no terminal can be made for the jail, pipes keep the caller's outside. Who insists (--tty yes) is told. */
static void do_without_terminal(struct plan *plan, const struct spec *spec, const struct host *host, struct streams *streams)
{
	if (!streams->terminal || spec->tty != TTY_AUTO || !host->has_no_pty || tree_has_own_pts(plan))
		return;
	streams->pipes |= streams->terminal;
	streams->terminal = 0;
	plan_note(plan, "no terminal of its own: neither the host nor the jail has /dev/pts; the program gets pipes");
}

/* A keeper has no terminal whose size could be taken over: it is what was said. NULL: there is no keeper. */
static const struct screen *screen_of(struct plan *plan, const struct host *host)
{
	struct screen *screen = host->has_keeper ? arena_alloc(plan->arena, sizeof(*screen)) : NULL;

	plan->is_short |= host->has_keeper && !screen;
	if (screen)
		*screen = (struct screen){ host->screen_rows, host->screen_columns };
	return screen;
}

static void plan_terminal(struct plan *plan, const struct spec *spec, const struct host *host, const struct streams *streams)
{
	const bool has_own = tree_has_own_pts(plan);
	const struct origin *origin = SPEC_ORIGIN(spec, tty);

	if (!has_own)
		plan_add(plan, (struct step){ .op = OP_PTY, .side = LAUNCHER, .phase = PHASE_OPEN, .slot = SLOT_TERMINAL,
			.subject = "/dev/ptmx", .origin = origin, .why = "the jail has no /dev/pts" });
	plan_add(plan, (struct step){ .op = OP_TERMINAL, .side = PAYLOAD, .phase = PHASE_SESSION,
		.subject = has_own ? "/dev/pts/ptmx" : NULL, .flags = streams->terminal | (streams->is_controlling ? STEP_CONTROLS : 0),
		.number = plan->uid, .more = plan->gid, .slot = plan->has_leased_ids && !plan->has_userns ? SLOT_IDS : SLOT_NONE,
		.data = screen_of(plan, host), .origin = origin, .why = "the caller's terminal stays outside" });
}

static void plan_running(struct plan *plan, const struct spec *spec, const struct host *host)
{
	struct streams streams = choose_streams(spec, host);

	do_without_terminal(plan, spec, host, &streams);
	if (spec->wall_time_ns != NUMBER_NONE)
		plan_add(plan, (struct step){ .op = OP_WALL_TIME, .side = LAUNCHER, .phase = PHASE_OPEN, .slot = SLOT_NONE,
			.number = spec->wall_time_ns, .origin = SPEC_ORIGIN(spec, wall_time_ns) });
	if (spec->result_path)
		plan_add(plan, (struct step){ .op = OP_EVIDENCE, .side = LAUNCHER, .phase = PHASE_OPEN, .slot = SLOT_NONE,
			.origin = SPEC_ORIGIN(spec, result_path) });
	if (streams.pipes)
		plan_pipes(plan, spec, host, streams.pipes);
	if (streams.terminal)
		plan_terminal(plan, spec, host, &streams);
}

const struct feature feature_running = {
	.name = "running", .title = "Running and reporting", .fields = fields, .plan = plan_running,
};
