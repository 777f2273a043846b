/* SPDX-License-Identifier: Apache-2.0 */
/* Appending, and noticing that others do. */
#include "sys/append.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "sys/file.h"

ssize_t sys_append(int fd, const struct iovec *parts, unsigned count)
{
	ssize_t done;

	do
		done = writev(fd, parts, (int)count);
	while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}

int sys_truncate(int fd, uint64_t size)
{
	return minus_errno(ftruncate(fd, (off_t)size));
}

int64_t sys_size(int fd)
{
	struct stat status;

	return fstat(fd, &status) < 0 ? -errno : (int64_t)status.st_size;
}

int64_t sys_seek(int fd, int64_t at, int whence)
{
	const off_t found = lseek(fd, at, whence);

	return found < 0 ? -errno : (int64_t)found;
}

int sys_memory_file(const char *name)
{
	return minus_errno(syscall(SYS_memfd_create, name, 1u /* MFD_CLOEXEC */));
}

bool sys_is_memory_file(int fd)
{
	return fcntl(fd, F_GET_SEALS) >= 0; /* other files have none */
}

uint64_t sys_wall_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int sys_notice_folder(int folder)
{
	auto_close int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[32];

	if (fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", folder);
	if (inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE | IN_MOVE | IN_DELETE | IN_DELETE_SELF | IN_ONLYDIR) < 0)
		return -errno;
	return take_fd(&fd);
}

void sys_hear_folder(int notice)
{
	char events[4096];

	while (sys_read(notice, events, sizeof(events)) > 0)
		;
}
