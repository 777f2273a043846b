/* SPDX-License-Identifier: Apache-2.0 */
/* --meta: key:value lines as isolate(1) writes them, so that judges that read those can use immure. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/report.h"
#include "base/number.h"
#include "base/signal_name.h"

static void add_seconds(struct text *out, const char *key, uint64_t nanoseconds)
{
	text_add(out, "%s:%" PRIu64 ".%03" PRIu64 "\n", key, nanoseconds / 1000000000u, nanoseconds / 1000000u % 1000u);
}

/* RE: exit code other than 0; SG: a signal; TO: a time limit; XX: the sandbox failed. Without a line: success. */
static const char *status_of(const struct result *result)
{
	switch (result->reason) {
	case REASON_EXITED: return result->output_errno ? "XX" : result->exit_code ? "RE" : NULL;
	case REASON_WALL_TIME:
	case REASON_CPU_TIME: return "TO";
	case REASON_SETUP: return "XX";
	case REASON_SIGNALED:
	case REASON_MEMORY:
	case REASON_OUTPUT:
	case REASON_BLOCKED_CALL: break;
	}
	return "SG";
}

static void add_message(const struct immure_result *result, const struct error *failure, struct text *out)
{
	const struct result *facts = &result->result;
	char story[2048], name[SIGNAL_TEXT];

	if (failure->errnum) {
		error_print(failure, story, sizeof(story));
		text_add(out, "message:%.*s\n", (int)strcspn(story, "\n"), story);
	} else if (facts->reason == REASON_WALL_TIME) {
		text_add(out, "message:Time limit exceeded (wall clock)\n");
	} else if (facts->reason == REASON_CPU_TIME) {
		text_add(out, "message:Time limit exceeded\n");
	} else if (facts->reason == REASON_EXITED && facts->exit_code) {
		text_add(out, "message:Exited with error status %d\n", facts->exit_code);
	} else if (facts->reason != REASON_EXITED) {
		text_add(out, "message:Caught fatal signal %d (%s; %s)\n", facts->signal, signal_name(facts->signal, name),
			 reason_name(facts->reason));
	}
}

static bool was_killed(enum reason reason)
{
	return reason == REASON_WALL_TIME || reason == REASON_CPU_TIME || reason == REASON_MEMORY || reason == REASON_OUTPUT;
}

void report_meta(const struct immure_result *result, const struct error *failure, struct text *out)
{
	const struct result *facts = &result->result;
	const char *status = status_of(facts);

	add_seconds(out, "time", facts->user_ns + facts->system_ns);
	add_seconds(out, "time-wall", facts->wall_ns);
	text_add(out, "max-rss:%" PRIu64 "\ncsw-voluntary:%" PRIu64 "\ncsw-forced:%" PRIu64 "\n", facts->peak_memory_bytes / 1024,
		 facts->own_switches, facts->forced_switches);
	if (facts->processes != NUMBER_NONE)
		text_add(out, "cg-mem:%" PRIu64 "\n", facts->peak_memory_bytes / 1024);
	if (facts->oom_kills != NUMBER_NONE && facts->oom_kills)
		text_add(out, "cg-oom-killed:1\n");
	if (facts->reason == REASON_EXITED)
		text_add(out, "exitcode:%d\n", facts->exit_code);
	if (facts->signal && facts->reason != REASON_WALL_TIME && facts->reason != REASON_CPU_TIME)
		text_add(out, "exitsig:%d\n", facts->signal);
	if (was_killed(facts->reason))
		text_add(out, "killed:1\n");
	if (status)
		text_add(out, "status:%s\n", status);
	add_message(result, failure, out);
}
