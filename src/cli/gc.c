/* SPDX-License-Identifier: Apache-2.0 */
/* immure gc: cleans up after dead runs. */
#include <stdio.h>

#include "cli/cli.h"

int cli_gc(int argc, char *argv[])
{
	struct immure_error err;
	int count;

	(void)argv;
	if (argc > 0) {
		fprintf(stderr, "immure: gc takes no arguments\n");
		return 125;
	}
	count = immure_gc(&err);
	if (count < 0)
		return complain(&err);
	if (count)
		printf("cleaned up after %d dead run%s\n", count, count == 1 ? "" : "s");
	return 0;
}
