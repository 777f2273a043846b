/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/filter only: what tools/gen-filters.c wrote. */
#ifndef IMMURE_FILTER_SHIPPED_H
#define IMMURE_FILTER_SHIPPED_H

#include "filter/filter.h"

/* A profile's tree, see filter/pack.h. */
struct packed {
	const unsigned char *bytes;
	size_t size;
};

/* One row each per profile, in order of name. */
extern const struct filter shipped_filters[];
extern const struct packed shipped_sources[];
extern const unsigned shipped_count;

#endif
