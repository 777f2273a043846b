/* SPDX-License-Identifier: Apache-2.0 */
/* Which namespaces the caller is in. */
#include "sys/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/mount.h"
#include "sys/mount_flags.h"

const char *const namespace_names[NAMESPACES] = { "user", "pid", "mnt", "net", "uts", "ipc", "cgroup", "time" };
const uint64_t namespace_flags[NAMESPACES] = { 0x10000000, 0x20000000, 0x00020000, 0x40000000, 0x04000000, 0x08000000,
					       0x02000000, 0x00000080 };

/* PIDFD_GET_*_NAMESPACE of linux/pidfd.h, since Linux 6.11; the same order. */
static const unsigned char requests[NAMESPACES] = { 9, 5, 3, 4, 10, 2, 1, 7 };

static int open_by_pidfd(int pidfd, unsigned kind)
{
	return pidfd < 0 ? -ENOTTY : minus_errno(ioctl(pidfd, _IO(0xff, requests[kind]), 0));
}

static int ask_pidfd(int pidfd, unsigned kind, uint64_t *inode)
{
	auto_close int fd = open_by_pidfd(pidfd, kind);
	struct stat state;

	if (fd < 0)
		return fd;
	if (fstat(fd, &state) < 0)
		return -errno;
	*inode = state.st_ino;
	return 0;
}

static int read_link_below(int folder, const char *path, char *text, size_t room)
{
	const ssize_t length = readlinkat(folder, path, text, room - 1);

	if (length < 0)
		return -errno;
	text[length] = '\0';
	return 0;
}

/* Where no /proc is mounted, who may mount one reads a proc that is attached nowhere. fsmount(2) */
static int read_detached_link(const char *path, char *text, size_t room)
{
	auto_close int proc = sys_new_mount("proc", NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);

	return proc < 0 ? -ENOENT : read_link_below(proc, path, text, room);
}

/* The link says "net:[4026531840]". PROC: where it is; -1: where /proc is mounted. */
static int read_link(int proc, const char *process, unsigned kind, uint64_t *inode)
{
	char path[48], text[64];
	const char *digits, *below = path + strlen("/proc/");
	int rc;

	snprintf(path, sizeof(path), "/proc/%s/ns/%s", process, namespace_names[kind]);
	rc = proc < 0 ? (int)sys_readlink(path, text, sizeof(text)) : read_link_below(proc, below, text, sizeof(text));
	if (rc == -ENOENT && proc < 0)
		rc = read_detached_link(below, text, sizeof(text));
	if (rc < 0)
		return rc;
	digits = strchr(text, '[');
	*inode = digits ? strtoull(digits + 1, NULL, 10) : 0;
	return *inode ? 0 : -EBADMSG;
}

int sys_own_namespace(int pidfd, int proc, unsigned kind, uint64_t *inode)
{
	int rc = ask_pidfd(pidfd, kind, inode);

	/* An older kernel, or one built without this kind, which then has no file in /proc either. */
	return rc < 0 ? read_link(proc, "self", kind, inode) : 0;
}

int sys_namespace_of(int pidfd, int pid, unsigned kind, uint64_t *inode)
{
	int rc = ask_pidfd(pidfd, kind, inode);
	char process[16];

	snprintf(process, sizeof(process), "%d", pid);
	return rc < 0 ? read_link(-1, process, kind, inode) : 0;
}

int sys_open_own_namespace(int pidfd, int proc, unsigned kind)
{
	char path[32];
	int fd = open_by_pidfd(pidfd, kind);

	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/ns/%s", namespace_names[kind]);
	return proc < 0 ? sys_open(path, O_RDONLY, 0) : sys_openat(proc, path + strlen("/proc/"), O_RDONLY, 0);
}
