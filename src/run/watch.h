/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launcher while the program runs: one poll loop over a table of sources of events (watch.c). A
 * source is a file of its own that knows one thing: signals, time, the terminal, output, denied calls,
 * limits. None trusts the jail, and none may block.
 *
 * The order of a run:	start of every source, in the order of the table
 *			ready, for each descriptor that is; started, when the program was executed
 *			init is killed or dead, and reaped: nothing of the jail runs any more
 *			finish of every source whose start was called, in the order of the table
 * What steps made on the host (cgroups, ...) is undone only after that.
 */
#ifndef IMMURE_RUN_WATCH_H
#define IMMURE_RUN_WATCH_H

#include <poll.h>

#include "run/evidence.h"
#include "run/run.h"

struct watch;

struct source {
	const char *name;
	size_t size;       /* of its state, which begins zeroed; 0: it has none */
	/* The first step of this op in the plan is what it is for; without one the source sleeps. OPS: it is always there. */
	enum op op;
	/* Before the wait. Opens what is needed and names it by watch_add. -errno: the jail is ended, and the run fails. */
	int (*start)(struct watch *watch, void *state, const struct step *step);
	/* The program was executed (or is just about to die trying). NULL: does not matter. */
	void (*started)(struct watch *watch, void *state);
	/* FD, named by watch_add, has EVENTS of poll(2). NULL: it has no descriptors. */
	void (*ready)(struct watch *watch, void *state, int fd, short events);
	/* SIGNAL came to the launcher, and is going to be passed on where that makes sense. NULL: does not matter. */
	void (*signal)(struct watch *watch, void *state, int signal);
	/* The jail is dead and its end is in the result; what was measured is added, descriptors are closed. NULL: nothing to do. */
	void (*finish)(struct watch *watch, void *state);
};

enum { WATCH_DESCRIPTORS = 24, WATCH_SOURCES = 12 };

struct watch {
	struct run *run;
	struct result *result;
	const struct source *const *sources; /* NULL-terminated; in this order they start and finish */
	void *owner;       /* for sources that know whose run this is */
	bool never_waits;  /* others are served beside this run */
	int failure;       /* a source could not start: -errno */
	bool is_announced; /* the program was executed; without an init: is about to be */
	bool is_started;   /* the program was executed */
	bool is_newborn_dead; /* one that was borne and not told of */
	bool may_have_newborn; /* it told of itself, or of what was told something was lost */
	bool is_dead;      /* who is waited for by a pidfd is, and need only be reaped */
	bool is_ending;    /* watch_end was called; the result says why */
	bool has_status;   /* init reported how the program ended: */
	int status;        /* as wait(2) has it */
	int failed_step, failed_errno; /* a step inside failed; errno 0: none did */
	uint64_t start_ns; /* when that was; before it, when the watch began */
	pid_t program;     /* the program's pid as init knows it, or as a helper does, which is outside like the launcher; 0: not known yet */

	/* the loop's own */
	void *states[WATCH_SOURCES];
	const struct step *steps[WATCH_SOURCES];
	struct pollfd ready[WATCH_DESCRIPTORS];
	unsigned char owners[WATCH_DESCRIPTORS];
	unsigned count;
	int current;       /* the source that is being called */
};

/*
 * A watch in pieces: begun, then as long as watch_serve says so the COUNT descriptors in READY are polled, by whom and with whatever
 * else, and what was polled is handed back. watch_finish follows in any case: the jail is dead then, RESULT says how it ended; 0 or
 * -errno with ERR told, as watch.
 */
void watch_begin(struct watch *watch, struct run *run, struct result *result, const struct source *const *sources, void *owner);
bool watch_serve(struct watch *watch, const struct pollfd *polled, unsigned count) MUST_CHECK;
int watch_finish(struct watch *watch, struct error *err) MUST_CHECK;
/* Into a jail that is there: whether watch_finish would have to wait for somebody who is dead, because he is traced. ptrace(2) */
bool watch_may_finish(const struct watch *watch);

/* Into a jail that is there: who let the program in, and had waited for it, ends only by this, once it was executed. */
void watch_dismiss_helper(const struct watch *watch);
/* The same, and it is gone then. */
void watch_reap_helper(struct watch *watch);

/* Polls FD for EVENTS on behalf of the source that is being called, which goes on owning it. -ENOSPC: the table is full. */
int watch_add(struct watch *watch, int fd, short events) MUST_CHECK;
/* FD is polled for EVENTS from now on; 0: not at all, not even for its end. */
void watch_change(struct watch *watch, int fd, short events);
/* FD is no longer polled. */
void watch_drop(struct watch *watch, int fd);

/* A limit is broken: kills the whole jail at once. The first reason given stays. */
void watch_end(struct watch *watch, enum reason reason);

/* What comes from outside may overtake the news that the program was executed: waits a moment for it. Whether it came. */
bool watch_await_start(struct watch *watch);

/* Asks init to do what SIGNAL means: it is delivered to the program; SIGTSTP stops everything in the jail, SIGCONT continues it. */
void watch_signal(struct watch *watch, int signal);

/* Tells every source about a signal. */
void watch_tell(struct watch *watch, int signal);

extern const struct source source_signals, source_wall_time, source_streams, source_denied_calls, source_group, source_evidence, source_life;

#endif
