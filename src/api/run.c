/* SPDX-License-Identifier: Apache-2.0 */
/* The exported half about explaining and running. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/report.h"
#include "base/text.h"
#include "feature/feature.h"
#include "host/cgroups.h"
#include "host/probe.h"
#include "run/run.h"
#include "sys/environment.h"

const char *immure_version(void)
{
	return IMMURE_VERSION;
}

/* A copy: what the process was started with is blotted out in the child. */
static int copy_environment(struct spec *spec, struct error *err)
{
	const char *const *variables = sys_variables();
	const char **copy;
	size_t count = 0;

	while (variables && variables[count])
		count++;
	copy = arena_alloc(&spec->arena, (count + 1) * sizeof(*copy));
	for (size_t i = 0; copy && i < count; i++) {
		copy[i] = arena_copy(&spec->arena, variables[i]);
		if (!copy[i])
			copy = NULL;
	}
	spec->caller_environment = copy;
	return copy ? 0 : error_set(err, ENOMEM, "reading the environment");
}

/* "NAME" alone asks for the caller's value. */
static int fill_environment(struct spec *spec, struct error *err)
{
	if (spec->env_base == ENV_CALLER && copy_environment(spec, err) < 0)
		return -ENOMEM;
	for (struct string_item *item = spec->env; item; item = item->next) {
		const char *value = strchr(item->text, '=') ? NULL : sys_variable(item->text);

		if (!value)
			continue;
		item->text = arena_format(&spec->arena, "%s=%s", item->text, value);
		if (!item->text)
			return error_set(err, ENOMEM, "filling the environment");
	}
	return 0;
}

static bool needs_compiler(const struct spec *spec)
{
	if (spec->seccomp_allow || spec->seccomp_deny)
		return true;
	return strcmp(spec->seccomp, "off") != 0 &&
	       (spec->foreign_arch || spec->may_nest || strchr(spec->seccomp, '/') || strchr(spec->seccomp, '.'));
}

static int compile_filter(struct spec *spec, struct error *err)
{
	spec->custom_filter = NULL; /* of what was asked before */
	spec->custom_profile = NULL;
	if (!needs_compiler(spec))
		return 0;
	if (!modules.compile_filter)
		return error_set(err, ENOTSUP, "this build has no compiler of filters");
	return modules.compile_filter(spec, err);
}

static bool reads_descriptors(const struct spec *spec)
{
	for (const struct mount *mount = spec->mounts; mount; mount = mount->next)
		if (mount->content == CONTENT_DESCRIPTOR)
			return true;
	return spec->seccomp_fds;
}

/* What is read from a descriptor can be read once, and the build to which a run is left wants to read it. */
static int leave_scope(struct immure_spec *spec, struct error *err)
{
	int rc = 0;

	if (modules.start_scope || !reads_descriptors(&spec->spec))
		return 0;
	spec->host.caller = spec->spec.caller;
	if (!spec->is_probed)
		rc = host_probe_basic(&spec->host, err);
	spec->is_probed = rc == 0;
	if (rc < 0 || !cgroups_are_asked(&spec->spec, &spec->host))
		return rc;
	rc = host_probe_cgroups(&spec->host, &spec->spec, err);
	return rc == 0 && cgroups_may_want_scope(&spec->host) ? explain_no_scope(err) : rc;
}

/* Nothing is asked of this machine: all that is known is in the facts. */
static int resolve_foreign(struct immure_spec *spec, struct error *err)
{
	int rc = spec_make_absolute(&spec->spec, spec->host.caller.cwd, err);

	return rc < 0 ? rc : compile_filter(&spec->spec, err);
}

int resolve(struct immure_spec *spec, struct error *err)
{
	int rc = spec->is_foreign ? 0 : host_look_at_standard(&spec->spec, err);

	if (rc < 0 || spec->is_resolved)
		return rc;
	spec_leave_limits(&spec->spec);
	if (spec->is_foreign)
		return resolve_foreign(spec, err);
	if (spec_joins_jail(&spec->spec))
		rc = modules.find_joined ? modules.find_joined(&spec->spec, err) : error_set(err, ENOTSUP, "this build finds no jails");
	if (rc == 0)
		rc = host_look_at_caller(&spec->spec, err);
	if (rc == 0)
		rc = spec_make_absolute(&spec->spec, spec->spec.caller.cwd, err);
	if (rc == 0) /* first, for it may be left to another build: what is read from a descriptor can be read once */
		rc = compile_filter(&spec->spec, err);
	if (rc == 0)
		rc = leave_scope(spec, err);
	if (rc == 0)
		rc = host_read_contents(&spec->spec, err);
	if (rc == 0)
		rc = host_read_programs(&spec->spec, err);
	return rc < 0 ? rc : fill_environment(&spec->spec, err);
}

static int probe(struct immure_spec *spec, struct error *err)
{
	int rc = 0;

	spec->host.has_keeper = spec->spec.is_kept = spec_stays(&spec->spec);
	spec->host.keeps_input = spec->spec.keeps_input || !spec->spec.is_detached;
	if (spec->is_foreign)
		return 0;
	spec->host.caller = spec->spec.caller;
	if (!spec->is_probed)
		rc = host_probe_basic(&spec->host, err);
	spec->is_probed = rc == 0;
	return rc < 0 || spec->is_resolved ? rc : host_probe_spec(&spec->host, &spec->spec, err);
}

int prepare(struct immure_spec *spec, struct error *err)
{
	int rc = resolve(spec, err);

	if (rc == 0)
		rc = probe(spec, err);
	spec->is_resolved = rc == 0;
	return rc;
}

static int plan_and_run(struct immure_spec *spec, struct immure_result *result, struct error *err)
{
	int rc;

	if (spec->is_foreign)
		return error_mistake(err, "the facts are another machine's: it can be planned for, not run on");
	if (spec_stays(&spec->spec))
		return error_mistake(err, "a jail that stays (--name, --detach, --pod) is started by immure_start()");
	rc = spec->spec.command ? prepare(spec, err) : error_mistake(err, "there is no program to run");
	result->profile = spec->spec.custom_profile;
	if (rc == 0)
		rc = plan_make(&result->plan, &result->arena, &spec->spec, &spec->host, err);
	if (rc == 0 && !modules.start_scope && plan_has(&result->plan, OP_CGROUP_SCOPE)) {
		result->plan.count = 0; /* nothing of it may be done here */
		rc = explain_no_scope(err);
	}
	result->plan.start_scope = modules.start_scope;
	return rc < 0 ? rc : run_plan(&result->plan, &result->result, err);
}

/* In words of the result's own: the spec may go before it. */
static void note_failure(struct immure_result *result)
{
	const struct result *facts = &result->result;
	const struct step *step = facts->failed_step >= 0 ? &result->plan.steps[facts->failed_step] : NULL;
	const bool has_origin = step && step->origin && step->origin->source;
	const char *subject, *origin;
	char where[ORIGIN_TEXT];

	if (!step)
		return;
	subject = step->subject ? arena_copy(&result->arena, step->subject) : NULL;
	origin = has_origin ? arena_copy(&result->arena, origin_print(step->origin, where)) : NULL;
	result->failed = (struct immure_step){ .number = (unsigned)facts->failed_step + 1, .op = op_name(step->op),
		.subject = subject ? subject : "", .origin = origin ? origin : "", .flags = step->flags,
		.is_file = !!(step->how & STEP_OF_FILE), .errnum = facts->failed_errno };
}

/* The small build leaves to the full one what it cannot do; that one reports. */
static bool is_left_to_another(const struct immure_result *result, int rc)
{
	return rc == -ENOTSUP && !modules.load && result->plan.count == 0;
}

/* One that cannot be written is told, instead of what it would have said. A frame of its own: while a jail runs, room for one error is enough. */
static __attribute__((noinline)) int report(struct reports *reports, struct immure_result *result, struct error *err)
{
	struct error other = { 0 };
	int rc = reports_write(reports, result, err, &other);

	if (rc < 0)
		*err = other;
	return rc;
}

/* Runs, with reports around it. A report that cannot be written is a failure as well: somebody counts on it. */
static int run_and_report(struct immure_spec *spec, struct immure_result *result, struct error *err)
{
	struct reports reports = { 0 };
	int rc = reports_open(&reports, spec, err), run_rc = rc;

	if (rc == 0) {
		run_rc = plan_and_run(spec, result, err);
		note_failure(result);
		result->exit_code = result_exit_code(&result->result, &result->plan);
		if (run_rc < 0)
			error_while(err, "run %s", spec->spec.command ? spec->spec.command[0] : "nothing");
		if (!is_left_to_another(result, run_rc))
			rc = report(&reports, result, err);
	}
	reports_close(&reports);
	if (rc < 0)
		result->exit_code = 125;
	return rc < 0 ? rc : run_rc;
}

int immure_run(struct immure_spec *spec, struct immure_result **output, struct immure_error *out)
{
	struct immure_result *result = calloc(1, sizeof(*result));
	struct error err = { 0 };
	int rc;

	*output = NULL;
	if (!result)
		return tell(out, &err, error_set(&err, ENOMEM, "running"), 125);
	result->result = (struct result){ .reason = REASON_SETUP, .failed_step = -1, .oom_kills = NUMBER_NONE,
					  .processes = NUMBER_NONE, .output_bytes = NUMBER_NONE };
	rc = run_and_report(spec, result, &err);
	if (rc == 0 && !spec->spec.is_quiet)
		report_remark(result, &result->remark);
	*output = result;
	return tell(out, &err, rc, result->exit_code);
}

void immure_result_free(struct immure_result *result)
{
	if (!result)
		return;
	arena_free(&result->arena);
	text_free(&result->remark);
	result_free(&result->result);
	free(result);
}

int immure_result_exit_code(const struct immure_result *result)
{
	return result->exit_code;
}

const char *immure_result_reason(const struct immure_result *result)
{
	return reason_name(result->result.reason);
}

const char *immure_result_remark(const struct immure_result *result)
{
	return result->remark.bytes ? result->remark.bytes : "";
}

const struct immure_step *immure_result_failed_step(const struct immure_result *result)
{
	return result->failed.op ? &result->failed : NULL;
}

int immure_option_at(unsigned index, struct immure_option *option)
{
	for (const struct feature *const *f = features; *f; f++) {
		for (const struct field *row = (*f)->fields; row && row->key; row++) {
			if (index--)
				continue;
			*option = (struct immure_option){ .key = row->key, .metavar = field_metavar(row), .help = row->help,
				.detail = row->detail, .example = row->example, .fallback = row->fallback, .since = row->since,
				.section = (*f)->title, .type = field_type_name(row),
				.choices = row->choices, .letter = row->letter, .is_list = field_is_list(row),
				.is_for_words_only = row->is_hidden_in_files };
			return 0;
		}
	}
	return -ENOENT;
}
