/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's environment. */
#include "sys/environment.h"

#include <errno.h>
#include <stdint.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { INITIAL_STACK = 8 << 20, MOST_WORDS = 1 << 18 };
#include <string.h>
#include <sys/auxv.h>

const char *sys_variable(const char *name)
{
	return getenv(name);
}

/* The kernel lays words, variables and the path of the executable one after the other at the top of the stack. */
void sys_forget_arguments(void)
{
	const uintptr_t first = (uintptr_t)program_invocation_name, end = getauxval(AT_EXECFN);
	const uintptr_t most = 8 << 20; /* whoever moved the name elsewhere is left alone */

	if (end > first && end - first < most)
		memset(program_invocation_name, 0, end - first);
}

/*
 * The kernel lays out, upwards: argc, argv, NULL, envp, NULL, the auxiliary vector, then the strings of argv, of envp and the
 * program's name. So argv is found below the first envp; whoever has moved environ elsewhere (setenv) keeps its words.
 */
static char **initial_words(uintptr_t *count)
{
	const uintptr_t end = getauxval(AT_EXECFN), at = (uintptr_t)environ;
	char **below = environ - 1;

	if (!end || at > end || end - at > INITIAL_STACK || *below)
		return NULL;
	for (*count = 0; *count < MOST_WORDS; ++*count)
		if ((uintptr_t)below[-1 - (intptr_t)*count] == *count)
			return below - *count;
	return NULL;
}

void sys_wipe_command_line(void)
{
	uintptr_t count;
	char **words = initial_words(&count);

	for (uintptr_t i = 0; words && i < count; i++)
		memset(words[i], 0, strlen(words[i]));
}
