/* SPDX-License-Identifier: Apache-2.0 */
/* How every tree begins and ends, in whatever way it is planned. */
#ifndef IMMURE_FEATURE_MOUNTS_H
#define IMMURE_FEATURE_MOUNTS_H

#include "feature/feature.h"

/* Nothing that is mounted from now on is seen outside. */
void mounts_begin(struct plan *plan, const struct spec *spec);
/* Finishes and adds STEP, an OP_SOURCE, for the launcher or for init. */
void mounts_add_source(struct plan *plan, struct step step, bool by_launcher);
/* Into the new root. */
void mounts_end(struct plan *plan, const struct host *host);

#endif
