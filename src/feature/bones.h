/* SPDX-License-Identifier: Apache-2.0 */
/* The choice of the skeleton for a settled tree. */
#ifndef IMMURE_FEATURE_BONES_H
#define IMMURE_FEATURE_BONES_H

#include "feature/feature.h"

/* Makes the skeleton the root, where the machine has one and it fits; every item that it holds already is marked as given. */
bool bones_use(struct plan *plan, const struct host *host);

#endif
