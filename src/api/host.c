/* SPDX-License-Identifier: Apache-2.0 */
/* The exported part about machines: doctor, facts, and planning for another one. For the full library only. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>

#include "api/api.h"
#include "base/json.h"
#include "base/text.h"
#include "feature/feature.h"
#include "filter/filter.h"
#include "host/cgroups.h"
#include "host/doctor.h"
#include "host/facts.h"
#include "host/probe.h"
#include "host/trial.h"
#include "load/yaml.h"
#include "sys/attempt.h"
#include "sys/file.h"

int immure_spec_host(struct immure_spec *spec, const char *path, struct immure_error *out)
{
	auto_arena struct arena arena = { 0 };
	struct error err = { 0 };
	struct host host = { 0 };
	struct node *root;
	int rc = load_file(&arena, path, &root, &err);

	if (rc == 0)
		rc = facts_read(&host, root, &err);
	if (rc < 0) {
		arena_free(&host.arena);
		error_while(&err, "reading the facts of a machine");
		return tell(out, &err, rc, 125);
	}
	arena_free(&spec->host.arena);
	spec->host = host;
	spec->is_probed = spec->is_foreign = true;
	spec->is_resolved = false;
	return 0;
}

static int probe(struct host *host, struct error *err)
{
	struct spec spec = { 0 };
	int rc = spec_default(&spec, err);

	if (rc == 0)
		rc = host_look_at_caller(&spec, err);
	host->caller.cwd = arena_copy(&host->arena, spec.caller.cwd);
	host->caller.runtime = spec.caller.runtime;
	if (rc == 0)
		rc = host_probe_basic(host, err);
	if (rc == 0)
		rc = host_probe_spec(host, &spec, err);
	if (rc == 0)
		rc = host_probe_cgroups(host, &spec, err);
	arena_free(&spec.arena);
	return rc;
}

int immure_facts(char **result, struct immure_error *out)
{
	struct error err = { 0 };
	struct host host = { 0 };
	struct text text = { 0 };
	int rc = probe(&host, &err);

	if (rc == 0)
		facts_write(&host, &text);
	if (rc == 0 && text.is_short)
		rc = error_set(&err, ENOMEM, "telling the facts");
	arena_free(&host.arena);
	if (rc == 0)
		*result = text.bytes;
	else
		text_free(&text);
	return tell(out, &err, rc, 125);
}

/* ---- doctor ---- */

/* The run with every default, in a child that shares this. */
struct rehearsal {
	const char *program;
	struct immure_error *err; /* in memory that the child shares */
};

static int rehearse(void *argument)
{
	struct rehearsal *rehearsal = argument;
	struct immure_spec *spec = immure_spec_new();
	char *command[] = { (char *)rehearsal->program, NULL };
	struct immure_result *result = NULL;
	int rc = spec ? immure_spec_command(spec, command, rehearsal->err) : -ENOMEM;

	if (rc == 0) /* the caller's terminal is left alone */
		rc = immure_spec_set(spec, "tty", "no", NULL, rehearsal->err);
	if (rc == 0)
		rc = immure_run(spec, &result, rehearsal->err);
	return rc < 0 ? rc : result && immure_result_exit_code(result) == 0 ? 0 : -EBADE;
}

static const char *find_program(void)
{
	static const char *const programs[] = { "/bin/true", "/usr/bin/true", "/run/current-system/sw/bin/true" };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (sys_exists(programs[i]))
			return programs[i];
	return "/bin/true";
}

/* Whether "immure run /bin/true" works, by running it. */
static void check_run(struct doctor *doctor, struct finding *finding)
{
	struct rehearsal rehearsal = { find_program(), sys_shared_memory(sizeof(struct immure_error)) };
	const struct trial trial = { .body = rehearse, .argument = &rehearsal };
	int rc = rehearsal.err ? trial_run(&trial, NULL) : -ENOMEM;
	const char *remedy;

	finding->name = "run";
	finding->meaning = "immure run with its defaults";
	if (rc >= 0) {
		answer(doctor, finding, VERDICT_YES, "immure run %s ended well", rehearsal.program);
	} else {
		answer(doctor, finding, VERDICT_NO, "immure run %s failed: %s", rehearsal.program, strerror(-rc));
		remedy = rehearsal.err ? strstr(rehearsal.err->text, "\n  try: ") : NULL;
		if (rehearsal.err && *rehearsal.err->text)
			blame(doctor, finding, "%.*s", (int)strcspn(rehearsal.err->text, "\n"), rehearsal.err->text);
		if (remedy)
			advise(doctor, finding, "%s", remedy + sizeof("\n  try: ") - 1);
	}
	if (rehearsal.err)
		sys_free_shared_memory(rehearsal.err, sizeof(*rehearsal.err));
}

static void check_filters(struct doctor *doctor, struct finding *finding)
{
	const struct filter *filter = filter_find("default");

	finding->name = "filters";
	finding->meaning = "the shipped filters were compiled for this processor";
	answer(doctor, finding, filter && filter->count > 1 ? VERDICT_YES : VERDICT_NO, "%s; the filter default has %u instructions",
	       doctor->host->architecture, filter ? (unsigned)filter->count : 0);
	if (finding->verdict == VERDICT_YES)
		return;
	blame(doctor, finding, "this build has no compiled filters");
	advise(doctor, finding, "build immure with libseccomp");
}

/* The quick executable stands beside the full one, and hands over to it by its name. */
static void check_executables(struct doctor *doctor, struct finding *finding)
{
	char path[4096], other[4096 + 8];
	ssize_t length = sys_readlink("/proc/self/exe", path, sizeof(path));
	const size_t suffix = sizeof("-full") - 1;

	finding->name = "executables";
	finding->meaning = "immure starts quickly and finds its full executable";
	if (length <= (ssize_t)suffix || strcmp(path + length - suffix, "-full") != 0) {
		answer(doctor, finding, VERDICT_PARTLY, "%s carries all by itself", length > 0 ? path : "this program");
		blame(doctor, finding, "it is no pair of a quick and a full executable: a program with the library, or a build without musl");
		return;
	}
	snprintf(other, sizeof(other), "%.*s", (int)(length - (ssize_t)suffix), path);
	answer(doctor, finding, sys_exists(other) ? VERDICT_YES : VERDICT_PARTLY, "%s%s", path,
	       sys_exists(other) ? ", and the quick one beside it" : " alone");
	if (finding->verdict == VERDICT_YES)
		return;
	blame(doctor, finding, "%s is missing", other);
	advise(doctor, finding, "install both; runs start slower without it");
}

static void print_text(const struct finding *findings, unsigned count, struct text *out)
{
	for (unsigned i = 0; i < count; i++) {
		const struct finding *at = &findings[i];

		text_add(out, "%-7s %-19s %s\n", verdict_name(at->verdict), at->name, at->meaning);
		text_add(out, "        %-19s   %s\n", "", at->found ? at->found : "");
		if (at->cause)
			text_add(out, "        %-19s   why: %s\n", "", at->cause);
		if (at->remedy)
			text_add(out, "        %-19s   try: %s\n", "", at->remedy);
	}
}

static void add_member(struct text *out, const char *key, const char *value, const char *after)
{
	text_add(out, "\"%s\": ", key);
	json_add_string(out, value);
	text_add(out, "%s", after);
}

static void print_json(const struct finding *findings, unsigned count, bool works, const struct host *host, struct text *out)
{
	text_add(out, "{\n\"version\": \"%s\",\n\"works\": %s,\n\"checks\": [", IMMURE_VERSION, works ? "true" : "false");
	for (unsigned i = 0; i < count; i++) {
		text_add(out, "%s\n  { ", i ? "," : "");
		add_member(out, "name", findings[i].name, ", ");
		add_member(out, "verdict", verdict_name(findings[i].verdict), ",\n    ");
		add_member(out, "meaning", findings[i].meaning, ",\n    ");
		add_member(out, "found", findings[i].found, ",\n    ");
		add_member(out, "cause", findings[i].cause, ",\n    ");
		add_member(out, "remedy", findings[i].remedy, " }");
	}
	text_add(out, "\n],\n\"facts\": ");
	facts_write(host, out);
	text_add(out, "}\n");
}

static void print_headline(const struct finding *run, const struct host *host, struct text *out)
{
	if (run->verdict == VERDICT_YES)
		text_add(out, "immure run works here (Linux %d.%d, %s, %s)\n\n", host->kernel_major, host->kernel_minor, host->architecture,
			 host->uid ? "without root" : "as root");
	else
		text_add(out, "immure run does not work here: %s\n\n", run->cause ? run->cause : run->found);
}

int immure_doctor(enum immure_format format, char **result, int *works, struct immure_error *out)
{
	struct finding findings[DOCTOR_FINDINGS + 3] = { 0 };
	auto_arena struct arena arena = { 0 };
	struct doctor doctor = { .arena = &arena };
	struct error err = { 0 };
	struct host host = { 0 };
	struct text text = { 0 };
	int rc = probe(&host, &err);
	unsigned count = 3;

	doctor.host = &host;
	if (rc == 0) {
		check_run(&doctor, &findings[0]);
		check_filters(&doctor, &findings[1]);
		check_executables(&doctor, &findings[2]);
		count += doctor_examine(&arena, &host, findings + count);
		*works = findings[0].verdict == VERDICT_YES;
		if (format == IMMURE_JSON) {
			print_json(findings, count, *works, &host, &text);
		} else {
			print_headline(&findings[0], &host, &text);
			print_text(findings, count, &text);
		}
		if (text.is_short)
			rc = error_set(&err, ENOMEM, "examining this machine");
	}
	arena_free(&host.arena);
	if (rc == 0)
		*result = text.bytes;
	else
		text_free(&text);
	return tell(out, &err, rc, 125);
}
