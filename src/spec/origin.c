/* SPDX-License-Identifier: Apache-2.0 */
/* Origins as text. */
#include "spec/origin.h"

#include <stdio.h>

const char *origin_print(const struct origin *origin, char *buffer)
{
	if (!origin || !origin->source)
		snprintf(buffer, ORIGIN_TEXT, "default");
	else if (origin->line)
		snprintf(buffer, ORIGIN_TEXT, "%s:%d:%d", origin->source, origin->line, origin->column);
	else
		snprintf(buffer, ORIGIN_TEXT, "%s", origin->source);
	return buffer;
}
