/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/api only: what is told of a run, to people and in files. */
#ifndef IMMURE_API_REPORT_H
#define IMMURE_API_REPORT_H

#include "api/api.h"
#include "base/text.h"

struct report_file {
	const char *what, *path, *run_id; /* "result", where, unique */
	int fd, folder;                   /* -1: none */
	bool has_name;                    /* a temporary one: to be removed unless it gets its own */
	char temporary[128];
};

/* PATH NULL: there is no such report. Fails when it could not be written at the end; report_file_close must follow. */
int report_file_open(struct report_file *file, const char *what, const char *path, const char *run_id, struct arena *arena,
		     struct error *err) MUST_CHECK;
int report_file_finish(struct report_file *file, const struct text *text, struct error *err) MUST_CHECK;
void report_file_close(struct report_file *file);

struct reports {
	struct report_file result, meta;
	bool are_wanted;
};

/* Opens what --result and --meta name; then signals wait until reports_close. */
int reports_open(struct reports *reports, struct immure_spec *spec, struct error *err) MUST_CHECK;
/* FAILURE: the story of a run that did not start; its errnum is 0 otherwise. */
int reports_write(struct reports *reports, struct immure_result *result, const struct error *failure, struct error *err) MUST_CHECK;
void reports_close(struct reports *reports);

/* The whole result as JSON (--result), and in the form of isolate (--meta). */
void report_json(const struct immure_result *result, const struct error *failure, struct arena *arena, struct text *out);
void report_meta(const struct immure_result *result, const struct error *failure, struct text *out);

/* The lines for a person: denied calls, limits. "" when the exit code says it all. */
void report_remark(const struct immure_result *result, struct text *out);

/* Why the profile of RESULT's plan denies CALL; in ARENA or static, never NULL. */
const char *report_reason(const struct immure_result *result, const struct blocked_call *call, struct arena *arena);
/* The call's name; a number in BUFFER (of 32 bytes) where it has none. */
const char *report_call(const struct blocked_call *call, char *buffer);

#endif
