/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's environment. */
#include "sys/environment.h"

#include <stdlib.h>

const char *sys_variable(const char *name)
{
	return getenv(name);
}
