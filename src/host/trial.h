/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trying something in a child of its own: whatever it does to itself ends with it, and a time limit ends it when it hangs.
 * For doctor only; a run never tries.
 */
#ifndef IMMURE_HOST_TRIAL_H
#define IMMURE_HOST_TRIAL_H

#include <stdint.h>

/* How far it came. */
enum trial_stage {
	TRIAL_BIRTH, /* the child could not be born into its namespaces */
	TRIAL_MAP,   /* it could not map its id in its user namespace */
	TRIAL_BODY,  /* the rest */
};

struct trial {
	uint64_t namespaces;          /* CLONE_NEW*; in a new user namespace the caller's ids are mapped to themselves */
	int (*body)(void *argument);  /* in the child, which is a fork: 0 or more, or -errno; no malloc there. NULL: nothing more */
	void *argument;
};

/* What BODY returned, or -errno of an earlier stage; -ETIMEDOUT: it hung; -ECHILD: it was killed. *STAGE may be NULL. */
int trial_run(const struct trial *trial, enum trial_stage *stage);

#endif
