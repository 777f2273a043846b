/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that reports an error, once; and what is worth saying of a run. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

int complain(const struct immure_error *err)
{
	fprintf(stderr, "immure: %s\n", err->text);
	return err->exit_code;
}

void remark(const struct immure_result *result)
{
	const char *line = immure_result_remark(result);

	for (; *line; line += strcspn(line, "\n") + 1)
		fprintf(stderr, "immure: %.*s\n", (int)strcspn(line, "\n"), line);
}

int end_output(int exit_code)
{
	const int errnum = fflush(stdout) == 0 ? 0 : errno;

	if (!errnum && !ferror(stdout))
		return exit_code;
	if (errnum != EPIPE)
		fprintf(stderr, "immure: standard output%s%s\n", errnum ? ": " : " did not take everything", errnum ? strerror(errnum) : "");
	return exit_code ? exit_code : 125;
}
