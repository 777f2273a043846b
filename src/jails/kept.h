/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run that the keeper serves beside others: a jail, what the jails of a pod share, a visit. Planned by its owner, then set up,
 * watched and closed here, in the pieces of run/run.h; nothing in it waits for anybody.
 */
#ifndef IMMURE_JAILS_KEPT_H
#define IMMURE_JAILS_KEPT_H

#include "plan/plan.h"
#include "run/watch.h"
#include "spec/spec.h"

enum kept_stage {
	KEPT_PLANNED,   /* nothing runs */
	KEPT_SET_UP,    /* init has the baton */
	KEPT_READY,     /* where it waits: it has done all that it can before it is told for whom */
	KEPT_WATCHED,   /* it is about to execute the program, or has */
	KEPT_DEAD,      /* its end was seen, and kept_finish is to follow */
	KEPT_OVER,      /* nothing of it lives, but perhaps who let the program in; what was made on the host is there until kept_close */
	KEPT_CLOSED,
};

struct kept {
	enum kept_stage stage;
	int timer;               /* the owner's; -1: none */
	const struct source *const *sources; /* what is watched, and for whom */
	void *owner;
	bool waits;              /* once the baton comes back it stays here until kept_resume */
	struct spec spec;
	struct arena arena;      /* owns the plan's strings */
	struct plan *plan;
	struct run run;
	struct watch watch;
	struct result result;
	struct error err;        /* why it did not start */
	unsigned polled, polled_count; /* the keeper's: its part of what is being polled */
};

enum { KEPT_DESCRIPTORS = WATCH_DESCRIPTORS + 1 };

/* Makes room for a plan. SOURCES are watched for OWNER, once it is set up. kept_free follows only success. */
int kept_open(struct kept *kept, const struct source *const *sources, void *owner) MUST_CHECK;
void kept_free(struct kept *kept);

/* Says how systemd is asked for a scope, if the plan does; -ENOTSUP: it does, and this build cannot. */
int kept_set_scope(struct kept *kept, scope_starter *start_scope, struct error *err) MUST_CHECK;
/* Takes what run_begin or run_enter have answered: RC. Negative errno: it failed, and is over. kept_close may follow at once, or later. */
int kept_begin(struct kept *kept, int rc) MUST_CHECK;
/* Kills what lives, and undoes what was made on the host. May be called at any stage. */
void kept_close(struct kept *kept);

/* Names the descriptors to poll, at most KEPT_DESCRIPTORS: the timer first, if there is one. */
unsigned kept_poll(const struct kept *kept, struct pollfd *fds);
/* Takes the timer out of what was polled, which then is for kept_serve: whether it fired. */
bool kept_take_timer(const struct kept *kept, const struct pollfd **polled, unsigned *count);
/* What follows from what was polled; the stage tells it. KEPT_OVER: set-up failed, and ERR is told. */
void kept_serve(struct kept *kept, const struct pollfd *polled, unsigned count);
/* Set-up that was KEPT_READY goes on. Negative errno: it failed, and is over. */
int kept_resume(struct kept *kept) MUST_CHECK;
/* As watch_finish. */
int kept_finish(struct kept *kept) MUST_CHECK;

/* It fires once, after so long; anew if there is one. 0 or -errno. */
int kept_set_timer(struct kept *kept, uint64_t nanoseconds) MUST_CHECK;
void kept_stop_timer(struct kept *kept);

#endif
