/* SPDX-License-Identifier: Apache-2.0 */
/* The tree that is built in order. */
#include "feature/ordered.h"

const struct feature feature_ordered = {
	.name = "ordered", .title = "A tree in order", .fields = ordered_fields, .check = ordered_check,
};
