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

const struct host_device *host_find_device(const struct host *host, const char *name)
{
	for (const struct host_device *device = host->devices; device; device = device->next)
		if (strcmp(device->name, name) == 0)
			return device;
	return NULL;
}

bool host_kernel_is(const struct host *host, int major, int minor)
{
	return host->kernel_major > major || (host->kernel_major == major && host->kernel_minor >= minor);
}
