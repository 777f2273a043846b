/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that reports an error, once. */
#include <stdio.h>

#include "cli/cli.h"

int complain(const struct immure_error *err)
{
	fprintf(stderr, "immure: %s\n", err->text);
	return err->exit_code;
}
