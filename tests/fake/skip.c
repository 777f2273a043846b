/* SPDX-License-Identifier: Apache-2.0 */
/* For the self-check's tests: the op named by IMMURE_SKIP silently does nothing (the N-th one with IMMURE_SKIP=name:N). */
#include <stdlib.h>
#include <string.h>

#include "run/run.h"

int __real_perform(struct run *run, const struct step *step);
int __wrap_perform(struct run *run, const struct step *step);

/* Init wipes the environment, so it is kept from the start. */
static char skipped[64];

__attribute__((constructor)) static void remember(void)
{
	const char *asked = getenv("IMMURE_SKIP");

	strncpy(skipped, asked ? asked : "", sizeof(skipped) - 1);
}

/* How many steps of the same op and side come before this one. */
static int number_of(const struct run *run, const struct step *step)
{
	int before = 0;

	for (const struct step *at = run->plan->steps; at < step; at++)
		before += at->op == step->op;
	return before + 1;
}

int __wrap_perform(struct run *run, const struct step *step)
{
	const size_t length = strcspn(skipped, ":");
	const char *name = op_name(step->op);

	if (strlen(name) != length || strncmp(name, skipped, length) != 0)
		return __real_perform(run, step);
	if (skipped[length] && atoi(skipped + length + 1) != number_of(run, step))
		return __real_perform(run, step);
	return 0;
}
