/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/jails only: what reads and takes away what is on disk, and the stories of what does not belong there. */
#ifndef IMMURE_JAILS_LOCK_H
#define IMMURE_JAILS_LOCK_H

#include "jails/state.h"

/* The story of RC, a failure with WHAT of NAME. Returns RC. */
int state_tell(int rc, const char *what, const char *name, struct error *err);

/* The folder "jails" of POD. */
int jails_open(const struct state *state, const char *pod, struct error *err) MUST_CHECK;
/* Without stories. */
int open_jails(int pod); /* the folder "jails" of a pod's */
/* The lock of the pod whose folder is POD; refused unless it is the user's own file. */
int open_pod_lock(int pod, int flags);
/* Under the lock: takes away what can be told to be nobody's. 1: something went; 0, -errno. */
int pod_collect(const struct state *state, const char *pod);
int name_collect(const struct state *state, const char *name);
int pod_remove_files(const struct state *state, const char *pod, int folder);

#endif
