/* SPDX-License-Identifier: Apache-2.0 */
/* How a mount of the host's shows its ids to a jail with leased ones. */
#ifndef IMMURE_FEATURE_OWNER_H
#define IMMURE_FEATURE_OWNER_H

#include "feature/feature.h"

/* Sets ITEM's ids (and adds the step that makes its map), or refuses in the plan's story. IS_ROOT: ITEM is the root of --root DIR. */
void owner_map(struct plan *plan, const struct spec *spec, const struct host *host, struct tree_item *item, bool is_root);

#endif
