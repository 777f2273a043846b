/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/api only: what the opaque types hold, and the modules that a build may leave out. */
#ifndef IMMURE_API_API_H
#define IMMURE_API_API_H

#include "base/error.h"
#include "base/text.h"
#include "host/host.h"
#include "immure.h"
#include "plan/plan.h"
#include "run/result.h"
#include "spec/spec.h"

struct immure_spec {
	struct spec spec;
	struct host host;      /* probed once, at the first need */
	bool is_probed, is_resolved;
	bool is_foreign;       /* the facts are another machine's: it can be planned for, not run on */
};

struct immure_result {
	struct result result;
	struct arena arena;    /* owns the plan's strings */
	const struct profile *profile; /* of a filter that was compiled for this run, owned by the spec; NULL: a shipped one */
	int exit_code;
	struct text remark;    /* lines for a person */
	struct immure_step failed; /* OP NULL: no step has */
	struct plan plan;      /* last: it is large, and its end is never touched */
};

/* What a full build adds; in the small one each is NULL. */
struct modules {
	int (*load)(struct spec *spec, const char *path, struct error *err);
	scope_starter *start_scope;
	int (*compile_filter)(struct spec *spec, struct error *err);
	int (*find_joined)(struct spec *spec, struct error *err);
};
extern const struct modules modules;

/* Puts a PID where a jail's name is in --net join:NAME and the like. */
int find_joined(struct spec *spec, struct error *err) MUST_CHECK;

/* Copies the story outwards. Returns RC. */
int tell(struct immure_error *out, const struct error *err, int rc, int exit_code);

/*
 * Between a merged spec and its plan there are two halves. Resolving belongs to the process that asks: absolute paths, contents of
 * files, values of variables, the filter; what it finds is in the spec. Probing belongs to where the plan is made: facts of the
 * machine. A spec that is resolved can be written as words (feature/words.h) and probed for by another process.
 */
int resolve(struct immure_spec *spec, struct error *err) MUST_CHECK;
/* Both, here. */
int prepare(struct immure_spec *spec, struct error *err) MUST_CHECK;

#endif
