/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/host only: cgroup v2, where one place serves all controllers. */
#ifndef IMMURE_HOST_UNIFIED_H
#define IMMURE_HOST_UNIFIED_H

#include "host/host.h"

/* Gives the controllers that version 1 does not hold to version 2, with the place for a group or what is in its way. */
void try_unified(struct host *host);

/* Whether LIST, the content of a file cgroup.controllers, has CONTROLLER, or version 2 does that for every group. */
bool unified_has(const char *list, enum controller controller);

#endif
