/* SPDX-License-Identifier: Apache-2.0 */
/* The full build: what needs a library, or memory that a common run shall not spend. */
#include "api/api.h"
#include "bus/scope.h"
#include "load/filter.h"
#include "load/policy.h"

const struct modules modules = {
	.compile_filter = filter_load,
	.start_scope = bus_start_scope,
	.load = policy_load,
	.find_joined = find_joined,
};
