/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/feature only: somebody else than the jail's program, in the steps by which that became who it is. */
#ifndef IMMURE_FEATURE_ENTER_USER_H
#define IMMURE_FEATURE_ENTER_USER_H

#include "feature/enter.h"

/*
 * PLAN's ids become those that are asked for. Refused are: ids that the jail's map does not hold; the host's root; any change where
 * the jail's program kept the caller's ids or the map is not known; a root of the jail's that would have capabilities that its
 * program has not.
 */
int enter_as_user(struct plan *plan, const struct enter *enter, struct error *err) MUST_CHECK;
/* STEP of the jail's plan, for PLAN's ids. */
struct step step_of_user(struct plan *plan, const struct enter *enter, struct step step);

#endif
