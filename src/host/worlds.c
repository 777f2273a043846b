/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about namespaces and ids that only some specs need. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "host/probe.h"
#include "host/subids.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/process.h"

enum { ALL_MOUNTS = 0x8000 /* AT_RECURSIVE */, INITIAL_TMPFS = 0x01021994, INITIAL_RAMFS = 0x858458f6 };

/* In a child, which ends with what it tried. Only mounting shows whether a user namespace gives what it should. */
static _Noreturn void try_namespaces(const struct spec *spec)
{
	int flags = spec->userns.mode == NAMESPACE_NEW ? CLONE_NEWUSER : 0, rc;
	const bool has_mounts = spec->mountns.mode == NAMESPACE_NEW;

	flags |= has_mounts ? CLONE_NEWNS : 0;
	flags |= spec->pidns.mode == NAMESPACE_NEW ? CLONE_NEWPID : 0;
	flags |= spec->net.mode == NAMESPACE_NEW || spec->net.mode == NAMESPACE_BARE ? CLONE_NEWNET : 0;
	rc = sys_unshare(flags);
	if (rc == 0 && (flags & CLONE_NEWUSER) && !sys_exists("/proc/self/uid_map"))
		rc = -ENOENT;
	if (rc == 0 && has_mounts)
		rc = sys_set_propagation("/", ALL_MOUNTS, MS_PRIVATE);
	sys_exit(rc < 0 ? 1 : 0);
}

/* Tried once, and only when the user permits to do without: a run that must have them finds out by itself. */
static int probe_namespaces(struct host *host, const struct spec *spec, struct error *err)
{
	int status = 0;
	pid_t pid = sys_fork_with_descriptors();

	if (pid == 0)
		try_namespaces(spec);
	if (pid < 0)
		return error_set(err, -pid, "trying namespaces");
	if (sys_wait(pid, &status, 0, NULL) == pid)
		host->has_no_namespaces = status != 0;
	return 0;
}

/* "1 1 0:2 / / rw - rootfs rootfs rw": a mount that is its own parent cannot be pivoted. Asked only where "/" is in memory. */
static void probe_root(struct host *host)
{
	char text[4096], *line;
	auto_close int fd = -1;
	unsigned long flags;
	ssize_t size;
	long magic = 0;
	int self, parent;

	if (sys_mount_flags("/", &flags, &magic) < 0 || (magic != INITIAL_TMPFS && (unsigned)magic != (unsigned)INITIAL_RAMFS))
		return;
	fd = sys_open("/proc/self/mountinfo", O_RDONLY, 0);
	size = fd < 0 ? -1 : sys_read(fd, text, sizeof(text) - 1);
	if (size < 0) { /* without /proc: a rootfs is all that can be there so early */
		host->root_is_rootfs = true;
		return;
	}
	text[size] = '\0';
	for (line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (sscanf(line, "%d %d %*s / / ", &self, &parent) == 2 && strstr(line, " - rootfs ") &&
		    strstr(line, " - rootfs ") < (strchr(line, '\n') ? strchr(line, '\n') : line + strlen(line)))
			host->root_is_rootfs = true;
}

/* An outer container's /proc/sys cannot be written, so the number of user namespaces inside cannot be set there. */
static void probe_limits(struct host *host)
{
	unsigned long flags = 0;
	long magic;

	host->has_fixed_sysctls = sys_mount_flags("/proc/sys/user", &flags, &magic) == 0 && (flags & MS_RDONLY);
}

static void probe_joined(struct host *host, const struct spec *spec)
{
	char path[64], text[32];

	if (spec->userns.mode != NAMESPACE_JOIN || spec->userns.target[0] == '/')
		return;
	snprintf(path, sizeof(path), "/proc/%.20s/setgroups", spec->userns.target);
	host->joined_denies_groups = sys_read_file(path, text, sizeof(text)) > 0 && strncmp(text, "deny", 4) == 0;
}

int host_probe_worlds(struct host *host, const struct spec *spec, struct error *err)
{
	int rc = 0;

	if (spec->mountns.mode == NAMESPACE_NEW)
		probe_root(host);
	if (spec->net.mode == NAMESPACE_NEW)
		host->processors = sys_own_processors();
	if (spec->is_holder || (spec->userns.mode == NAMESPACE_NEW && !spec->may_nest))
		probe_limits(host);
	probe_joined(host, spec);
	if (spec->ids == IDS_SUBID)
		rc = host_probe_subids(host, err);
	if (rc == 0 && spec_may_lack(spec, "namespaces"))
		rc = probe_namespaces(host, spec, err);
	return rc;
}
