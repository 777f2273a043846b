/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/feature only: whether a helper that waits can wait behind the jail's filter, and what of that costs its visitor nothing. */
#ifndef IMMURE_FEATURE_ENTER_FILTER_H
#define IMMURE_FEATURE_ENTER_FILTER_H

#include "plan/plan.h"

/* All that a helper still does is allowed by the filter that JAIL's program has, and nothing is to be done just before that is loaded. */
bool may_wait_behind_filter(const struct plan *jail);

#endif
