/* SPDX-License-Identifier: Apache-2.0 */
/* --result: one JSON object. Units are in the names; null means that it is not known. */
#include <inttypes.h>
#include <stdio.h>

#include "api/report.h"
#include "base/json.h"
#include "base/number.h"
#include "base/signal_name.h"
#include "filter/syscalls.h"
#include "run/evidence.h"
#include "run/run.h"

static void add_number(struct text *out, const char *name, uint64_t number)
{
	if (number == NUMBER_NONE)
		text_add(out, "    \"%s\": null", name);
	else
		text_add(out, "    \"%s\": %" PRIu64, name, number);
}

static void add_if(struct text *out, bool is_known, int number)
{
	if (is_known)
		text_add(out, "%d", number);
	else
		text_add(out, "null");
}

static void add_measures(const struct result *result, struct text *out)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "wall_ns", result->wall_ns }, { "user_ns", result->user_ns }, { "system_ns", result->system_ns },
		{ "peak_memory_bytes", result->peak_memory_bytes }, { "processes", result->processes },
		{ "oom_kills", result->oom_kills }, { "output_bytes", result->output_bytes },
		{ "own_switches", result->own_switches }, { "forced_switches", result->forced_switches },
		{ "minor_faults", result->minor_faults }, { "major_faults", result->major_faults },
	};

	text_add(out, "  \"measured\": {\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		add_number(out, rows[i].name, rows[i].value);
		text_add(out, i + 1 < ARRAY_SIZE(rows) ? ",\n" : "\n");
	}
	text_add(out, "  }\n");
}

static const char *or_null(const char *text)
{
	return text && *text ? text : NULL;
}

static void add_error(const struct immure_result *result, const struct error *failure, struct text *out)
{
	const struct immure_step *step = &result->failed;
	char story[2048];

	if (!failure->errnum) {
		text_add(out, "  \"error\": null,\n");
		return;
	}
	error_print(failure, story, sizeof(story));
	text_add(out, "  \"error\": {\n    \"step\": ");
	add_if(out, step->op, (int)step->number);
	text_add(out, ",\n    \"op\": ");
	json_add_string(out, step->op);
	text_add(out, ",\n    \"subject\": ");
	json_add_string(out, or_null(step->subject));
	text_add(out, ",\n    \"origin\": ");
	json_add_string(out, or_null(step->origin));
	text_add(out, ",\n    \"errno\": ");
	json_add_string(out, errno_name(failure->errnum));
	text_add(out, ",\n    \"id\": ");
	json_add_string(out, failure->id);
	text_add(out, ",\n    \"message\": ");
	json_add_string(out, story);
	text_add(out, "\n  },\n");
}

static void add_blocked(const struct immure_result *result, struct arena *arena, struct text *out)
{
	const struct result *facts = &result->result;
	char number[32];

	text_add(out, "  \"blocked_calls_are_named\": %s,\n", facts->names_denied_calls ? "true" : "false");
	text_add(out, "  \"blocked_calls\": [");
	for (unsigned i = 0; i < facts->blocked_count; i++) {
		const struct blocked_call *call = &facts->blocked[i];

		text_add(out, "%s\n    { \"name\": ", i ? "," : "");
		json_add_string(out, report_call(call, number));
		text_add(out, ", \"number\": %d, \"is_foreign\": %s, \"count\": %" PRIu64 ", \"reason\": ", call->number,
			 call->arch == syscall_arch() ? "false" : "true", call->count);
		json_add_string(out, report_reason(result, call, arena));
		text_add(out, " }");
	}
	text_add(out, "%s],\n", facts->blocked_count ? "\n  " : "");
	text_add(out, "  \"blocked_calls_beyond\": %" PRIu64 ",\n", facts->blocked_beyond);
}

static void add_lacks(const struct result *facts, struct text *out)
{
	text_add(out, "  \"lacks\": [");
	for (unsigned i = 0; i < facts->lacking_count; i++) {
		text_add(out, i ? ", " : "");
		json_add_string(out, facts->lacks[i]);
	}
	text_add(out, "],\n");
}

/* What stays as the caller has it. */
static void add_left(const struct plan *plan, struct text *out)
{
	text_add(out, "  \"left\": [");
	for (unsigned i = 0; i < plan->left_count; i++) {
		text_add(out, i ? ", " : "");
		json_add_string(out, plan->left[i]);
	}
	text_add(out, "],\n");
}

static void add_namespaces(const struct evidence *evidence, struct text *out)
{
	text_add(out, "    \"namespaces\": {");
	for (int i = 0; i < NAMESPACES; i++) {
		text_add(out, "%s\n      \"%s\": ", i ? "," : "", namespace_names[i]);
		if (evidence->namespaces[i].inode)
			text_add(out, "{ \"inode\": %" PRIu64 ", \"is_own\": %s }", evidence->namespaces[i].inode,
				 evidence->namespaces[i].is_own ? "true" : "false");
		else
			text_add(out, "null");
	}
	text_add(out, "\n    },\n");
}

static void add_state(const struct evidence *evidence, struct text *out)
{
	static const char *const sets[] = { "inheritable", "permitted", "effective", "bounding", "ambient" };

	text_add(out, "    \"host_uid\": %" PRIu32 ",\n    \"host_gid\": %" PRIu32 ",\n", evidence->uid[1], evidence->gid[1]);
	text_add(out, "    \"host_groups\": ");
	json_add_string(out, evidence->groups);
	text_add(out, ",\n    \"capabilities\": {");
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		text_add(out, "%s \"%s\": \"0x%" PRIx64 "\"", i ? "," : "", sets[i], evidence->capabilities[i]);
	text_add(out, " },\n    \"no_new_privileges\": %s,\n", evidence->no_new_privileges == 1 ? "true" : "false");
	text_add(out, "    \"seccomp_filters\": %d,\n", evidence->seccomp == 2 ? evidence->seccomp_filters : 0);
}

/* Landlock alone cannot be read back: what the kernel took without an error is told. */
static void add_in_force(const struct immure_result *result, struct text *out)
{
	const struct evidence *evidence = result->result.evidence;
	const struct step *landlock = plan_find(&result->plan, OP_LANDLOCK), *filter = plan_find(&result->plan, OP_SECCOMP);

	if (!evidence || !evidence->init) {
		text_add(out, "  \"in_force\": null,\n");
		return;
	}
	text_add(out, "  \"in_force\": {\n");
	add_namespaces(evidence, out);
	if (evidence->has_status)
		add_state(evidence, out);
	text_add(out, "    \"seccomp_profile\": ");
	json_add_string(out, filter ? filter->subject : NULL);
	text_add(out, ",\n    \"landlock_abi\": %" PRIu64 ",\n    \"uid_map\": ", landlock ? landlock->number : 0);
	json_add_string(out, evidence->uid_map);
	text_add(out, ",\n    \"gid_map\": ");
	json_add_string(out, evidence->gid_map);
	text_add(out, ",\n    \"cgroup\": ");
	json_add_string(out, evidence->cgroup);
	text_add(out, "\n  },\n");
}

void report_json(const struct immure_result *result, const struct error *failure, struct arena *arena, struct text *out)
{
	const struct result *facts = &result->result;
	char name[SIGNAL_TEXT];

	text_add(out, "{\n  \"version\": 1,\n  \"immure\": \"%s\",\n  \"reason\": \"%s\",\n", IMMURE_VERSION, reason_name(facts->reason));
	text_add(out, "  \"exit_code\": %d,\n  \"program_exit_code\": ", result->exit_code);
	add_if(out, facts->reason == REASON_EXITED, facts->exit_code);
	text_add(out, ",\n  \"signal\": ");
	json_add_string(out, facts->signal ? signal_name(facts->signal, name) : NULL);
	text_add(out, ",\n");
	add_error(result, failure, out);
	add_blocked(result, arena, out);
	add_lacks(facts, out);
	add_left(&result->plan, out);
	add_in_force(result, out);
	add_measures(facts, out);
	text_add(out, "}\n");
}
