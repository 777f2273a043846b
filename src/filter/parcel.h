/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled filters and the profiles they come from as bytes: who compiled one need not be who loads it. */
#ifndef IMMURE_FILTER_PARCEL_H
#define IMMURE_FILTER_PARCEL_H

#include "base/parcel.h"
#include "filter/filter.h"

void parcel_add_filter(struct text *out, const struct filter *filter);
void parcel_add_profile(struct text *out, const struct profile *profile);

/* In ARENA, but for texts, which stay in the parcel's own bytes. NULL: the parcel is bad, or no memory. */
const struct profile *parcel_take_profile(struct parcel *from, struct arena *arena);
/* Only of the instructions that filter_compile writes, whose jumps stay inside, and which ends: filter_run may be given it. */
const struct filter *parcel_take_filter(struct parcel *from, struct arena *arena);

#endif
