/* SPDX-License-Identifier: Apache-2.0 */
/* Results as exit codes and names. */
#include "run/result.h"

#include <errno.h>
#include <stdlib.h>

static const char *const names[] = {
	[REASON_EXITED] = "exited", [REASON_SIGNALED] = "signaled", [REASON_WALL_TIME] = "wall-time",
	[REASON_CPU_TIME] = "cpu-time", [REASON_MEMORY] = "memory", [REASON_OUTPUT] = "output",
	[REASON_BLOCKED_CALL] = "blocked-call", [REASON_SETUP] = "setup",
};

const char *reason_name(enum reason reason)
{
	return names[reason];
}

void result_free(struct result *result)
{
	free(result->evidence);
	result->evidence = NULL;
}

int result_exit_code(const struct result *result, const struct plan *plan)
{
	switch (result->reason) {
	case REASON_EXITED:
		return result->output_errno ? 125 : result->exit_code;
	case REASON_WALL_TIME:
	case REASON_CPU_TIME:
		return 124;
	case REASON_SETUP:
		if (result->failed_step < 0 || plan->steps[result->failed_step].op != OP_EXEC)
			return 125;
		return result->failed_errno == ENOENT || result->failed_errno == ENOTDIR ? 127 : 126;
	case REASON_SIGNALED:
	case REASON_MEMORY:
	case REASON_OUTPUT:
	case REASON_BLOCKED_CALL:
		break;
	}
	return 128 + result->signal;
}
