/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside a tree that is built in order: how a mount, or something that is made, comes to its place, and what is known and
 * expected of it afterwards.
 */
#ifndef IMMURE_FEATURE_ORDER_H
#define IMMURE_FEATURE_ORDER_H

#include "feature/feature.h"
#include "feature/places.h"
#include "sys/mount_flags.h"

enum { ORDER_SAFE = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };

/* The tree as far as it has come. */
struct order {
	struct plan *plan;
	const struct spec *spec;
	const struct host *host;
	struct places places;
	struct mount_expectation *rows;
	size_t row_count;
	const struct mount *mount; /* at hand */
	unsigned parent_mode;      /* of what has to be made above it */
	bool is_owned;             /* what is made has to be given to the program's user */
};

bool order_is_root(const char *target);

/* A step of init's for the mount at hand. */
struct step order_step(const struct order *order, enum op op, const char *subject);

/* Nothing is on TARGET, and that is known. */
bool order_is_free(const struct order *order, const char *target);
/* Adds STEP, which makes its subject where nothing is yet, on a mount of immure's own; what leads there is made first. */
void order_make(struct order *order, struct step step, enum known_kind kind);
/* Adds STEP, which makes something that is no mount, where links of somebody's may lie on the way. */
void order_make_unknown(struct order *order, struct step step);

/* ATTRIBUTES: what the self-check will find on TARGET. IS_CERTAIN: no link can have led elsewhere; otherwise any other place
 * but the root may be what was covered. */
void order_expect(struct order *order, const char *target, uint64_t attributes, bool is_certain, bool is_optional);

/* The slot for what is going to be mounted on TARGET: the first mount of all, when it is one on "/", is the root itself. */
int order_slot(struct order *order, const char *target);
/* Opens the host's SOURCE. Its slot. */
int order_source(struct order *order, const char *source, const char *target, uint64_t attributes);
/* The mount in SLOT onto TARGET. KIND: what is known of its inside; KNOWN_FILE: it is one. */
void order_put(struct order *order, int slot, const char *target, enum known_kind kind, uint64_t attributes);
/* Both for a new file system. Its slot. */
int order_new(struct order *order, const char *type, const char *options, const char *target, uint64_t attributes);

#endif
