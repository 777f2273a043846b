/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a keeper: which executable, and what it gets. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "jails/client.h"
#include "jails/keeper.h"
#include "sys/detach.h"
#include "sys/file.h"

enum { PATH = 4096 };

/* Beside the executable that runs, where that is one of immure's; otherwise PATH is empty. */
static void name_own(char *path, size_t room, const char *name)
{
	ssize_t length = sys_readlink("/proc/self/exe", path, room);
	char *slash = length > 0 ? strrchr(path, '/') : NULL;

	if (!slash || strncmp(slash + 1, "immure", 6) != 0 || (size_t)(slash + 1 - path) + strlen(name) >= room)
		path[0] = '\0';
	else
		strcpy(slash + 1, name);
}

static int execute(const struct keeper_start *start, bool needs_full)
{
	char own[PATH], installed[PATH];
	const char *const name = needs_full ? "immure-full" : "immure";
	const char *paths[] = { own, installed, NULL };
	const char *argv[] = { "immure", "keeper", start->pod, NULL };
	const int fds[] = { start->listener, start->lock, start->folder };

	name_own(own, sizeof(own), name);
	snprintf(installed, sizeof(installed), "%s/%s", IMMURE_BINDIR, name);
	_Static_assert(KEEPER_LISTENER == 3 && KEEPER_LOCK == 4 && KEEPER_FOLDER == 5 && KEEPER_FIRST_FREE == 3 + ARRAY_SIZE(fds),
		       "they are handed over in this order");
	return sys_start_detached(own[0] ? paths : paths + 1, argv, fds, ARRAY_SIZE(fds));
}

int keeper_start(const struct keeper_start *start, struct error *err)
{
	int rc = execute(start, start->needs_full);

	if (rc == -ENOENT && !start->needs_full)
		rc = execute(start, true);
	return rc < 0 ? error_set(err, -rc, "starting the keeper of %s", start->pod) : 0;
}
