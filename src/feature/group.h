/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/feature only: the cgroup that carries the limits of the jail as a whole. */
#ifndef IMMURE_FEATURE_GROUP_H
#define IMMURE_FEATURE_GROUP_H

#include "feature/feature.h"

/* Refuses limits for which there is no controller here, unless --may-lack names them. NEEDS_PIDS: the number of processes is one. */
int check_group(const struct spec *spec, const struct host *host, bool needs_pids, struct error *err);

/* Makes the group, sets its limits, moves init in and reads that back. NEEDS_PIDS: nothing else limits the processes.
 * Returns whether the group limits them. */
bool plan_group(struct plan *plan, const struct spec *spec, const struct host *host, bool needs_pids);

#endif
