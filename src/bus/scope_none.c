/* SPDX-License-Identifier: Apache-2.0 */
/* A build without libsystemd. */
#include <errno.h>

#include "bus/scope.h"

int bus_start_scope(const struct scope *scope)
{
	(void)scope;
	return -ENOTSUP;
}
