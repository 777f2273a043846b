/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the facts. */
#include "host/host.h"

#include <string.h>

static const struct host_path nobody_looked = { .kind = PATH_MISSING };

const struct host_path *host_look(const struct host *host, const char *path)
{
	for (const struct host_path *entry = host->paths; entry; entry = entry->next)
		if (strcmp(entry->path, path) == 0)
			return entry;
	return &nobody_looked;
}

bool host_kernel_is(const struct host *host, int major, int minor)
{
	return host->kernel_major > major || (host->kernel_major == major && host->kernel_minor >= minor);
}
