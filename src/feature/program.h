/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/feature only: the program's words, variables, and where it is looked for and started. */
#ifndef IMMURE_FEATURE_PROGRAM_H
#define IMMURE_FEATURE_PROGRAM_H

#include "feature/feature.h"

/* The steps that change to the place where the program starts, and that execute it. Needs plan->home. */
void plan_program(struct plan *plan, const struct spec *spec, const struct host *host);

/* A copy of FROM, which has PLACES environments, with all that it refers to; in ROOM. 0 or -ENOMEM, and then TO is not for use. */
int program_copy(struct program *to, const struct program *from, size_t places, struct arena *room) MUST_CHECK;

#endif
