/* SPDX-License-Identifier: Apache-2.0 */
/* Reports: which files, when they are opened and written, and what both forms and the remark share. */
#include "api/report.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "filter/profile.h"
#include "filter/syscalls.h"

int reports_open(struct reports *reports, struct immure_spec *spec, struct error *err)
{
	struct arena *arena = &spec->spec.arena;
	const char *run_id = arena_format(arena, "%s-%p", spec->host.run_id ? spec->host.run_id : "run", (void *)spec);
	int rc;

	reports->are_wanted = spec->spec.result_path || spec->spec.meta_path;
	rc = report_file_open(&reports->result, "result", spec->spec.result_path, run_id, arena, err);
	if (rc == 0)
		rc = report_file_open(&reports->meta, "meta", spec->spec.meta_path, run_id, arena, err);
	return rc;
}

int reports_write(struct reports *reports, struct immure_result *result, const struct error *failure, struct error *err)
{
	auto_arena struct arena arena = { 0 };
	auto_text struct text json = { 0 }, meta = { 0 };
	int rc = 0;

	if (reports->result.fd >= 0) {
		report_json(result, failure, &arena, &json);
		rc = report_file_finish(&reports->result, &json, err);
	}
	if (rc == 0 && reports->meta.fd >= 0) {
		report_meta(result, failure, &meta);
		rc = report_file_finish(&reports->meta, &meta, err);
	}
	return rc;
}

void reports_close(struct reports *reports)
{
	report_file_close(&reports->result);
	report_file_close(&reports->meta);
}

const char *report_call(const struct blocked_call *call, char *buffer)
{
	const char *name = call->arch == syscall_arch() ? syscall_name(call->number) : syscall_foreign_name(call->number);

	if (name)
		return name;
	snprintf(buffer, 32, "system call %d", call->number);
	return buffer;
}

const char *report_reason(const struct immure_result *result, const struct blocked_call *call, struct arena *arena)
{
	const struct step *step = plan_find(&result->plan, OP_SECCOMP);
	const struct profile *profile = result->profile;

	if (call->arch != syscall_arch())
		return "a call of the processor's other architecture";
	if (!profile && (!step || profile_shipped(arena, step->subject, &profile, NULL) < 0))
		return "the profile does not allow it";
	return profile_explain(profile, call->number, call->args);
}

static void remark_calls(const struct immure_result *result, struct text *out)
{
	const struct result *facts = &result->result;
	auto_arena struct arena arena = { 0 };
	char number[32];

	for (unsigned i = 0; i < facts->blocked_count && i < 5; i++) {
		const struct blocked_call *call = &facts->blocked[i];
		const char *name = report_call(call, number);

		text_add(out, "blocked: %s (%llu time%s): %s", name, (unsigned long long)call->count, call->count == 1 ? "" : "s",
			 report_reason(result, call, &arena));
		if (name != number)
			text_add(out, "  try: --seccomp-allow %s", name);
		text_add(out, "\n");
	}
	if (facts->blocked_count > 5)
		text_add(out, "blocked: %u more kinds of calls; --result names them\n", facts->blocked_count - 5);
}

void report_remark(const struct immure_result *result, struct text *out)
{
	static const char *const ends[] = {
		[REASON_WALL_TIME] = "the jail was ended: its time was over",
		[REASON_CPU_TIME] = "the jail was ended: its processor time was used up",
		[REASON_MEMORY] = "the jail was ended: its memory was exhausted",
		[REASON_OUTPUT] = "the jail was ended: it wrote more than it may",
		[REASON_BLOCKED_CALL] = "the program was ended: it made a call that is blocked",
	};
	const struct result *facts = &result->result;

	remark_calls(result, out);
	if ((size_t)facts->reason < ARRAY_SIZE(ends) && ends[facts->reason])
		text_add(out, "%s\n", ends[facts->reason]);
	if (facts->output_errno)
		text_add(out, "the program's output could not be written: %s\n", strerror(facts->output_errno));
}
