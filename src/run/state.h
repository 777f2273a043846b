/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What immure keeps on the host while jails run: locks of leased ids, and a journal for each run that leaves something
 * that its death would not take along (cgroups). A journal is written before the thing is made and locked by its owner;
 * the kernel drops the lock when the owner dies, however it dies, so a journal that can be locked belongs to a dead one.
 */
#ifndef IMMURE_RUN_STATE_H
#define IMMURE_RUN_STATE_H

#include "base/error.h"

/* Makes the state folder that holds FILE unless it is there, and opens it. -EPERM: it is another user's, or others may write it. */
int state_open_folder(const char *file);

/* A journal FILE with TEXT, locked; the descriptor holds the lock. */
int journal_open(const char *file, const char *text);
/* It is no longer needed: everything in it was undone. */
void journal_remove(const char *file);

/* What a walk over the state folder did. */
struct gc_count {
	unsigned undone;  /* journals of dead owners whose effects are gone */
	unsigned running; /* journals whose owners are alive */
	unsigned stuck;   /* something of a dead owner could not be removed; it stays noted */
	char first_stuck[256]; /* what */
	int stuck_errno;
};

/* Undoes what dead runs have left. FOLDER: the state folder; that there is none is no failure. 0 or -errno. */
int gc(const char *folder, struct gc_count *count);

#endif
