/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a wall is missing, calls reach past the jail of which Landlock knows nothing: without a PID namespace of its own the jail may
 * bound and slow down other processes of its id, and RLIMIT_CPU of 0 is as good as SIGKILL; without a tree of its own it may talk to every
 * service that listens at a path; and a network of its own does not keep it from the hypervisor. They are denied by a filter of their own,
 * whatever the chosen one permits.
 */
#ifndef IMMURE_FEATURE_REACH_H
#define IMMURE_FEATURE_REACH_H

#include "feature/feature.h"

struct filter;

/* For a jail that has the filter CHOSEN. It must be loaded before the others, which may forbid to load another. DENIED: SECCOMP_RET_... */
void plan_reach(struct plan *plan, const struct spec *spec, const struct filter *chosen, uint32_t denied);

#endif
