/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a tree while it is planned in order. Below a directory that immure has made itself everything is known,
 * so what leads there needs no look for links; what lies in somebody's folder is known to the kernel alone.
 */
#ifndef IMMURE_FEATURE_PLACES_H
#define IMMURE_FEATURE_PLACES_H

#include "plan/plan.h"

enum known_kind {
	KNOWN_DIRECTORY, /* immure's own: what is not known in it is not there */
	KNOWN_FOREIGN,   /* a directory with contents of somebody's */
	KNOWN_FILE, KNOWN_LINK,
};

struct known_place {
	const char *path;   /* absolute, clean */
	unsigned length;    /* of path */
	enum known_kind kind;
	int within;         /* the slot of the mount that it is on */
	unsigned skip;      /* how much of a path below it leads to that mount */
};

struct places {
	struct known_place *list;
	int count, room;
};

/* Room for what one tree can hold at most. False: no memory. */
bool places_begin(struct places *places, struct arena *arena, int room);

/* The deepest known place that PATH is, or lies under; the root is always known. */
const struct known_place *places_above(const struct places *places, const char *path);

/* Whether PATH can be reached, and what is there is known, or known not to be. */
bool places_know(const struct places *places, const char *path);

/* PATH was made, on the same mount as what it lies in. */
void places_add(struct places *places, const char *path, enum known_kind kind);

/* The mount in SLOT now covers PATH, with all that was below. */
void places_cover(struct places *places, const char *path, enum known_kind kind, int slot);

/* Something was put where links of somebody's may have led: nothing is certain any more. */
void places_forget(struct places *places);

/* STEP acts on its subject, which is known: how it gets there. */
void places_lead(const struct places *places, struct step *step);

#endif
