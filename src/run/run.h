/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a plan. Three performers share its one order of steps: the launcher (the caller), init
 * (PID 1 of the jail) and the payload (init's child, which becomes the program). Only the holder of
 * the baton acts; where the side changes between launcher and init, a message passes it.
 *
 * Where the plan has no OP_FORK, what is born performs the payload's steps itself and becomes the program. It says that it is
 * about to before its filters are loaded; the end of the wire then means that it did, and its own end is the program's.
 *
 * What crosses the wire is two integers: {step, 0} passes the baton, {step, errno} reports a failure,
 * {step of exec, -pid} that the program was executed (with the descriptor of its denied calls),
 * {WIRE_STATUS, status} how it ended; {WIRE_TERMINAL, 0} brings a terminal's master out, {WIRE_ROOT, 0}, {WIRE_NAMESPACE - kind, 0}
 * what a keeper holds, {WIRE_FILE, 0} a file that is fetched; {WIRE_SIGNAL, signal} a signal in;
 * {WIRE_SEEN, 0} is the first of all where the launcher is hidden (birth.c); {WIRE_BORN, 0}
 * the first of who will be a program in a jail that is there, with its pidfd. The launcher holds the same plan and finds the words.
 */
#ifndef IMMURE_RUN_RUN_H
#define IMMURE_RUN_RUN_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "plan/plan.h"
#include "run/result.h"
#include "sys/file.h"
#include "sys/rest.h"
#include "sys/namespace.h"

enum { WIRE_STATUS = -1, WIRE_TERMINAL = -2, WIRE_SIGNAL = -3, WIRE_SEEN = -4, WIRE_ROOT = -5, WIRE_FILE = -6, WIRE_BORN = -7,
       WIRE_NAMESPACE = -16 /* and below */ };

/* In memory that the launcher shares with the process that becomes the program: the step that failed behind the filter. */
struct fate {
	int step, errnum;    /* errno 0: none failed */
};

/* Init's helpers while it sets up: below those that are given out again, so that the program has number 2. kernel/pid.c, RESERVED_PIDS */
enum { HELPER_PID = 299 };

enum { HELD = PLAN_HELD + 20 }; /* and what a run needs itself */

struct run {
	const struct plan *plan;
	int *slots;           /* plan->slots run-time values: descriptors, leased ids; -1: empty */
	int wire;             /* this side's end */
	int far_wire;         /* the other side's, until birth */
	int at;               /* the step at hand */
	pid_t init;           /* as the launcher sees it */
	int init_pidfd;
	int lease;            /* holds the lock on leased ids; -1: none */
	uint32_t owner;       /* to whom a new user namespace belongs; 0: the caller */
	pid_t keeper;         /* keeps a scope of systemd's alive; 0: none */
	int keeper_pidfd;
	bool is_kept;         /* whose launcher serves others beside it */
	bool is_hidden;       /* the launcher is not dumpable */
	bool has_child;       /* init is alive or not yet reaped */
	int program_pidfd;    /* into a jail that is there: whom the helper has borne, the launcher's child as well; -1: not known, or the same as init */
	int helper_pidfd;     /* once init is that program: who let it in and is not yet reaped; -1: nobody */
	uint64_t namespaces[NAMESPACES]; /* the launcher's own, where the self-check compares them; 0: not looked at */
	int keyring;          /* its session keyring, or -errno */
	struct fate *fate;    /* without an init: what the process says once it may not speak any more; NULL: there is an init */
	int payload_errno;    /* set by the payload, in the memory it borrows from init: why the step at hand failed */
	pid_t payload;        /* as init sees it */
	pid_t network_helper; /* init's own, which makes the network namespace; -errno: there is none */
	int held[HELD];       /* what init keeps open while the jail lives */
	unsigned held_count;
	size_t start;         /* the payload: which place of OP_CHDIR it is in */
	bool is_fenced;       /* init: kill(-1) reaches the jail and nothing else */

	int near_streams[3];  /* pipes instead of the standard descriptors: the launcher's ends; -1: none */
	int far_streams[3];   /* and the program's, until birth; the second and third may be the same */

	int signals;          /* a signalfd of everything that the launcher gets; -1: none */
	sigset_t signals_before; /* the caller's mask */
	struct sigaction children_before; /* what the caller does with SIGCHLD, where that was changed */
	bool has_children_before;
	int parent_signal;    /* what the launcher got when its parent died, before this was changed; -1: it was not */
	bool are_signals_blocked;
	uint64_t early_signals; /* came before there was anybody to pass them on to; bit n-1 */
	int failed_step, failed_errno; /* the launcher's own; errno 0: none */
	int interruption;     /* the signal that ended the run before the program was there; 0: none */
	struct sys_rest rest; /* what launcher and init, each for itself, can do without while they wait */
};

/* Who enters a jail is borne by a helper, which ends then; otherwise by an init of its own. */
static inline bool has_helper(const struct plan *plan)
{
	return plan->is_entry && plan->has_no_init;
}

/* What init asks for its own namespaces where its tree may have no /proc; -1: the one that is mounted. */
static inline int other_proc(const struct run *run)
{
	return run->plan->proc ? run->slots[run->plan->proc] : -1;
}

/* Notes what the self-check will compare with, in the launcher. 0 or -errno. */
int check_prepare(struct run *run);

/* Performs STEP on the side that holds it. 0 or -errno. */
int perform(struct run *run, const struct step *step);

/* STEP is OP_CLONE. 0: init lives; -errno: the step at hand failed, which is then the one to blame. */
int give_birth(struct run *run, const struct step *step);
/* Init and all that it started end; it is not yet reaped. One that must end its own children is waited for: so long at most; 0: not
 * at all, it ends in its own time. */
enum { INIT_PATIENCE_MS = 5000 };
void end_init(const struct run *run, int patience_ms);
/* Into a jail that is there: reaps whoever has let the program in, and one that was borne and not told of. Both are dead, or die. */
void reap_helpers(struct run *run);
void reap_helper(struct run *run); /* the first alone, who is dead */
/*
 * The same for one who did not come so far as to tell of itself: it is in the group that LEADER, who is dead and reaped, had, and was
 * killed with it. Who is there for another reason is not waited for long.
 */
void reap_group(pid_t leader);
/* Whether PID, a child of the launcher's, is one that this run will wait for. */
bool run_awaits(const struct run *run, pid_t pid);

/* FD stays open in init as long as it lives; HELD at most. */
void hold(struct run *run, int fd);
/* Closes all others, from FIRST on. */
int close_all_but_held(const struct run *run, int first) MUST_CHECK;

/* In the child: descriptors by which only the launcher tells are closed, or their readers would wait for the child as well. */
void forget_tellers(const struct run *run);

/* The child's whole life; never returns. */
_Noreturn void init_live(struct run *run);
/* The payload's: from the step after OP_FORK to exec. Returns an exit status only on failure. */
int payload_live(void *run);

/* Reports the failure of the step at hand. */
void report_failure(const struct run *run, int rc);

/* Runs PLAN to its end and fills RESULT. 0: the program was started, RESULT says how it ended; negative errno: it was not, and
 * ERR says why. Nothing is left behind either way. */
int run_plan(const struct plan *plan, struct result *result, struct error *err) MUST_CHECK;

/*
 * The same in pieces, for a process that serves several runs, each of which has nothing to do with its signals. 1: init has the
 * baton; once the wire is readable run_go_on takes it back. 0: set-up is init's now, and the watch begins (run/watch.h). Negative
 * errno: it failed, RESULT and ERR say how. run_close follows in any case, behind the end of a watch that began.
 */
int run_begin(struct run *run, const struct plan *plan, struct result *result, struct error *err) MUST_CHECK;

/*
 * The same for a plan of feature/enter.h, into the jail of another run, which is watched; its descriptors are duplicated. STREAMS:
 * what becomes 0, 1 and 2, or NULL; they stay the caller's.
 */
int run_enter(struct run *run, const struct plan *plan, const struct run *jail, const int streams[3], struct result *result,
	      struct error *err) MUST_CHECK;
int run_go_on(struct run *run, struct result *result, struct error *err) MUST_CHECK;
/* The two halves of that, where the launcher has a reason to keep the baton for a while. */
int run_take_baton(struct run *run, struct result *result, struct error *err) MUST_CHECK;
int run_resume(struct run *run, struct result *result, struct error *err) MUST_CHECK;
/* Init is killed if it lives, and what was made on the host is undone. */
void run_close(struct run *run);

/* From the birth of init to its end: signals, time, notifications. Fills RESULT; 0 or -errno with ERR told. */
int watch(struct run *run, struct result *result, struct error *err) MUST_CHECK;

/*
 * From before the first step to after the last undo no signal ends the launcher: signals_block in the beginning,
 * signals_restore at the end. signals_interrupt, while init is being set up: -EINTR when the run is asked to end.
 */
int signals_block(struct run *run) MUST_CHECK;
void signals_restore(struct run *run);
int signals_interrupt(struct run *run) MUST_CHECK;
/* In the child: SIGCHLD as the caller had it. */
int signals_give_children_back(const struct run *run) MUST_CHECK;

/* A signal ended the run before the program was there. Returns -EINTR. */
int explain_interruption(const struct run *run, struct error *err);

/* The plan would ask systemd, which only the full build can. Returns -ENOTSUP. */
int explain_no_scope(struct error *err);

/* Puts words to a failed step: what, why, and the remedy for this op and errno. */
int explain_failure(const struct plan *plan, int at, int errnum, struct error *err);

#endif
