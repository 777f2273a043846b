/* SPDX-License-Identifier: Apache-2.0 */
/* The exported half of the keeper's own life. */
#include "api/api.h"
#include "jails/keeper.h"

int immure_keeper(const char *pod)
{
	return keeper_live(pod, modules.start_scope);
}
