/* SPDX-License-Identifier: Apache-2.0 */
/* A cgroup on the host, after it was made. */
#include "run/group.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "sys/file.h"
#include "sys/folder.h"
#include "sys/process.h"

enum { MEMBERS = 32 << 10 };

/* One pass over the members; returns how many there were, or -errno. A pid of 0 is a process that cannot be seen from here. */
static int kill_members(int group)
{
	char *text = malloc(MEMBERS);
	ssize_t length = text ? sys_read_below(group, "cgroup.procs", text, MEMBERS) : -ENOMEM;
	int count = 0;

	/* A full buffer is a fork bomb: what was read of it is killed all the same. */
	if (length == -EFBIG)
		text[MEMBERS - 1] = '\0';
	for (char *at = text; (length >= 0 || length == -EFBIG) && *at; count++) {
		char *end;
		long pid = strtol(at, &end, 10);

		if (end == at)
			break;
		if (pid > 0 && *end == '\n')
			sys_kill((pid_t)pid, SIGKILL);
		at = end + (*end == '\n');
	}
	free(text);
	return length < 0 && length != -EFBIG ? (int)length : count;
}

/* Where the kernel cannot kill a group at once, no new process may appear meanwhile: no pids left (pids), or all stopped
 * (freezer, version 1). What the group does not have is not there to be written. */
static void kill_group(int group)
{
	if (sys_write_below(group, "cgroup.kill", "1") == 0)
		return;
	sys_write_below(group, "pids.max", "0");
	sys_write_below(group, "freezer.state", "FROZEN");
	kill_members(group);
	sys_write_below(group, "freezer.state", "THAWED");
}

/* Groups that lie in it: of a pod, its members', whose own journals may come later. */
static int visit_below(void *argument, const char *name)
{
	const int *above = argument;
	auto_close int group = sys_openat(*above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	if (group < 0)
		return 0; /* a file of the kernel's */
	kill_group(group);
	(void)!sys_each_entry(group, visit_below, &group);
	(void)!sys_unlinkat(*above, name, AT_REMOVEDIR); /* if not now, then in the next round */
	return 0;
}

int group_remove(const char *path, int patience_ms)
{
	auto_close int group = sys_open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	int rc = group == -ENOENT ? 0 : group < 0 ? group : -EBUSY;

	for (int waited_ms = 0; rc == -EBUSY && waited_ms < patience_ms; waited_ms++) {
		rc = sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
		if (rc != -EBUSY)
			break;
		if (waited_ms % 16 == 0) {
			kill_group(group);
			(void)!sys_each_entry(group, visit_below, &group);
		}
		sys_wait_ready(NULL, 0, 1);
	}
	return rc == -ENOENT ? 0 : rc;
}

uint64_t group_number(int group, const char *file, const char *key)
{
	char text[8192];
	const char *at = text;
	size_t size = key ? strlen(key) : 0;

	if (sys_read_below(group, file, text, sizeof(text)) <= 0)
		return NUMBER_NONE;
	while (key && at && !(strncmp(at, key, size) == 0 && at[size] == ' ')) {
		at = strchr(at, '\n');
		at += at != NULL;
	}
	if (!at)
		return NUMBER_NONE;
	at += size + (key != NULL);
	return *at >= '0' && *at <= '9' ? strtoull(at, NULL, 10) : NUMBER_NONE;
}
