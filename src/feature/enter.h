/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of those who enter a jail that is there: a program beside its own, or a file that is fetched or brought. */
#ifndef IMMURE_FEATURE_ENTER_H
#define IMMURE_FEATURE_ENTER_H

#include "feature/feature.h"

struct enter {
	const struct plan *jail;  /* the plan that its launcher performed: its steps are the measure */
	const struct spec *spec;  /* what that was made from, but for what the newcomer wants: command, environment, start */
	const struct host *host;
	bool is_other_user;       /* SPEC's user and group are the newcomer's; HOST has looked them up */
	bool has_other_groups;    /* SPEC's groups are */
	bool has_streams;         /* three descriptors of its own take the places of 0, 1 and 2 */
	bool has_terminal;        /* a terminal of the jail's takes them */
	struct screen screen;     /* of that terminal; 0: not known */
	struct program *awaited;  /* the program is not known yet, and will be here when the helper is told to go on; NULL: it is known */
};

/*
 * A program as confined as the jail's own, by the very steps that confined that. The launcher bears a helper, which joins
 * everything, gives its privileges away and proves it, where nobody inside can see it; only then it bears the process that
 * loads the filter and executes the program. PLAN's strings will live in ARENA, or are the jail's.
 */
int plan_enter(struct plan *plan, struct arena *arena, const struct enter *enter, struct error *err) MUST_CHECK;

/*
 * A helper that waits: all that does not depend on who enters is done, and it has the baton passed back. That can be where nobody in
 * the jail can see it, where one process more is nothing to the limits of the jail and its POD (NULL: it has none), and where the place
 * to start at is the same for all. Then the launcher lends it three descriptors.
 */
bool may_wait(const struct plan *jail, const struct spec *spec, const struct spec *pod);
/* The program of ENTER, into its AWAITED, with all that it needs; both are in ROOM, which the helper shares. The rest must be as when
 * PLAN was made. */
int plan_awaited(struct plan *plan, const struct enter *enter, struct arena *room, struct error *err) MUST_CHECK;

/* A file of the jail, opened by a helper that is the jail's user there and has no capabilities. */
struct fetch {
	const struct plan *jail;
	const char *path;         /* absolute, inside */
	int flags;                /* of open(2) */
	unsigned mode;            /* of a file that is made */
};
int plan_fetch(struct plan *plan, struct arena *arena, const struct fetch *fetch, struct error *err) MUST_CHECK;

#endif
