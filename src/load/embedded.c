/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up embedded texts. */
#include "load/embedded.h"

#include <string.h>

#include "base/text.h"

const struct embedded_text *embedded_find(const struct embedded_text *texts, const char *name)
{
	for (; texts->name; texts++)
		if (strcmp(texts->name, name) == 0)
			return texts;
	return NULL;
}

const char *embedded_nearest(const struct embedded_text *texts, const char *name)
{
	unsigned least = (unsigned)strlen(name) / 3 + 2;
	const char *nearest = NULL;

	for (; texts->name; texts++) {
		const unsigned distance = text_distance(texts->name, name);

		if (distance >= least)
			continue;
		least = distance;
		nearest = texts->name;
	}
	return nearest;
}
