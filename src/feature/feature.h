/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A feature is one way of confining: its options as rows, a check, and a plan. Features are pure:
 * no system call, no clock, no environment; what they know of the machine is in the host facts.
 */
#ifndef IMMURE_FEATURE_FEATURE_H
#define IMMURE_FEATURE_FEATURE_H

#include "host/host.h"
#include "plan/plan.h"
#include "plan/tree.h"
#include "spec/field.h"
#include "spec/spec.h"

struct feature {
	const char *name;
	const char *title;          /* heading in help and manual */
	const struct field *fields; /* ends with a row without a key; NULL: none */
	/* Refuses what cannot be asked for or cannot be had here; NULL: nothing to refuse. */
	int (*check)(const struct spec *spec, const struct host *host, struct error *err);
	/* Adds steps; NULL: none. */
	void (*plan)(struct plan *plan, const struct spec *spec, const struct host *host);
};

/* In the order in which they plan; NULL-terminated. The reason for the order is in all.c. */
extern const struct feature *const features[];

/* The row of KEY, or of the letter; NULL: there is none. */
const struct field *find_field(const char *key);
const struct field *find_field_by_letter(char letter);
/* The known key nearest to KEY, for messages; NULL: none is near. */
const char *find_nearest_key(const char *key);

/* Every member to its default. -ENOMEM on exhausted memory. */
int spec_default(struct spec *spec, struct error *err) MUST_CHECK;

/* plan = f(spec, host). What PLAN held before does not matter; its strings will live in ARENA. */
int plan_make(struct plan *plan, struct arena *arena, const struct spec *spec, const struct host *host,
	      struct error *err) MUST_CHECK;

#define FIELD(member) .offset = offsetof(struct spec, member)

#endif
