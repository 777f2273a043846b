/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's environment. */
#include "sys/environment.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

const char *sys_variable(const char *name)
{
	return getenv(name);
}

const char *const *sys_variables(void)
{
	return (const char *const *)environ;
}

/* The kernel lays words, variables and the path of the executable one after the other at the top of the stack. */
void sys_forget_arguments(void)
{
	const uintptr_t first = (uintptr_t)program_invocation_name, end = getauxval(AT_EXECFN);
	const uintptr_t most = 8 << 20; /* whoever moved the name elsewhere is left alone */

	if (end > first && end - first < most)
		memset(program_invocation_name, 0, end - first);
}
