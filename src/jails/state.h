/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is on disk of jails that stay, in the state folder of the user:
 *
 *	pods/POD/lock             a byte of it is locked (fcntl(2), OFD) as long as the pod's keeper lives, however it ends
 *	pods/POD/socket           the keeper's
 *	pods/POD/pod.json
 *	pods/POD/jails/JAIL/      spec.json, state.json, log, log.1
 *	names/NAME -> POD         one for each pod and jail: a name is taken by making its link, which only one can
 *
 * A jail by itself is a pod of its own name and has one link. Names are taken, and what is on disk is taken away, with a flock(2)
 * on pods/, so that nobody takes what is half made for what a dead keeper has left. Reading needs no lock.
 *
 * Every file is reached by descriptors from the folder, never through a link, and must be the user's own: see store.h.
 */
#ifndef IMMURE_JAILS_STATE_H
#define IMMURE_JAILS_STATE_H

#include "base/error.h"
#include "base/text.h"
#include "jails/names.h"

#define STATE_LOCK "lock"
#define STATE_SOCKET "socket"
#define STATE_POD "pod.json"
#define STATE_SPEC "spec.json"
#define STATE_JAIL "state.json"
/* state.json begins with this, and then "running", "ended", ... in quotes: that is all that is read of it without a reader of JSON. */
#define STATE_BEGIN "{\"state\": "

enum { STATE_FILE_MOST = 1 << 20, STATE_PATH = 96 };

struct state {
	int pods, names;  /* descriptors of the folders; -1: closed */
	bool never_waits; /* -EBUSY at once where somebody else holds the lock; otherwise after some seconds */
	bool is_locked;   /* it is the caller's already: see state_lock() */
	char path[STATE_PATH]; /* of pods; "": it is long */
};

/* A descriptor that holds the lock on all that is on disk until it is closed. Who sets IS_LOCKED then has it for what follows. */
int state_lock(const struct state *state, struct error *err) MUST_CHECK;

/* Makes the folders that are not there yet. FOLDER: the host's state_folder. */
int state_open(struct state *state, const char *folder, struct error *err) MUST_CHECK;
void state_close(struct state *state);
#define auto_state __attribute__((cleanup(state_close)))

/* A pod that is being started. The lock lives as long as any copy of its descriptor, so it is handed to the keeper by exec. */
struct pod_place {
	int folder, jails, lock; /* -1: none */
};
void pod_place_close(struct pod_place *place);
#define auto_pod_place __attribute__((cleanup(pod_place_close)))

/* Takes POD's name and makes its folders, with the keeper's lock held. -EEXIST: the name is taken, and ERR says by what: one that
 * runs, has ended (E-STATE-TAKEN), or whose keeper was killed (E-STATE-LOST). */
int pod_reserve(const struct state *state, const char *pod, struct pod_place *place, struct error *err) MUST_CHECK;
/* Takes JAIL's name for POD, whose keeper lives, and makes its folder, whose descriptor is returned. JAIL may be POD's own name. */
int jail_reserve(const struct state *state, const char *pod, const char *jail, struct error *err) MUST_CHECK;

/* The pod of a jail or pod NAME. -ENOENT and E-STATE-NONE: there is none. */
int state_find(const struct state *state, const char *name, char pod[NAME_ROOM], struct error *err) MUST_CHECK;
/* Descriptors of the folders of a pod, and of a jail in it. -ENOENT as above; -EPERM and E-STATE-OWNER: not the user's own. */
int pod_open(const struct state *state, const char *pod, struct error *err) MUST_CHECK;
int jail_open(const struct state *state, const char *pod, const char *jail, struct error *err) MUST_CHECK;

/* Whether a keeper holds POD's lock. 1, 0 or -errno. */
int pod_is_kept(const struct state *state, const char *pod);

enum jail_state { JAIL_RUNNING, JAIL_ENDED, JAIL_LOST };
/* "running", "ended", "lost" */
const char *jail_state_name(enum jail_state state);

struct state_entry {
	const char *pod, *jail; /* JAIL NULL: the pod itself; its jails follow it */
	enum jail_state state;  /* of a pod: RUNNING or LOST */
	int folder;             /* its own; closed after the visit */
};
/* Calls VISIT for each pod and jail; stops at the first negative answer and returns it. What is not the user's own is left out. */
int state_each(const struct state *state, int (*visit)(void *argument, const struct state_entry *entry), void *argument) MUST_CHECK;

/* Takes away JAIL of POD with its name. It does not run: the caller is the keeper, or the keeper is dead. -ENOTEMPTY and
 * E-STATE-STRANGE: there are files that are not immure's; they stay. */
int jail_remove(const struct state *state, const char *pod, const char *jail, struct error *err) MUST_CHECK;
/* POD with all its jails and names. LOCK: the keeper's own, as it held it; -1: of a dead keeper. -EBUSY and E-STATE-TAKEN: it lives. */
int pod_remove(const struct state *state, const char *pod, int lock, struct error *err) MUST_CHECK;

/*
 * For immure gc: what killed starters and keepers have left and nobody could ask for. Names without a pod, pods without a jail,
 * sockets and unfinished files of dead keepers. A jail whose keeper is dead stays, with its log, until it is removed by name.
 * Returns how many pods and names were taken away, or -errno.
 */
int state_collect(const struct state *state) MUST_CHECK;

#endif
