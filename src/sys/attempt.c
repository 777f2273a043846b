/* SPDX-License-Identifier: Apache-2.0 */
/* Calls with arguments that cannot work. */
#include "sys/attempt.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/file.h"

#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif

static const long numbers[] = {
	[ATTEMPT_CLONE3] = SYS_clone3, [ATTEMPT_PIDFD_OPEN] = SYS_pidfd_open, [ATTEMPT_CLOSE_RANGE] = SYS_close_range,
	[ATTEMPT_OPENAT2] = SYS_openat2, [ATTEMPT_OPEN_TREE] = SYS_open_tree, [ATTEMPT_OPEN_TREE_ATTR] = SYS_open_tree_attr,
	[ATTEMPT_MOUNT_SETATTR] = SYS_mount_setattr,
};

int sys_attempt(enum attempt attempt)
{
	/* -1 is neither a descriptor nor a pid; the flags are unknown to all; the sizes are too small. */
	long rc = attempt == ATTEMPT_CLOSE_RANGE ? syscall(SYS_close_range, 1, 0, 0)
		: attempt == ATTEMPT_CLONE3	 ? syscall(SYS_clone3, NULL, 0)
						 : syscall(numbers[attempt], -1, -1, -1, -1, -1);

	return rc < 0 && (errno == ENOSYS || errno == EPERM) ? -errno : 0;
}

int sys_attempt_filtered(void)
{
	return syscall(SYS_getppid) < 0 ? -errno : 0;
}

int sys_attempt_connect(const char *path)
{
	auto_close int fd = minus_errno(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (fd < 0)
		return fd;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	return minus_errno(connect(fd, (const struct sockaddr *)&address, sizeof(address)));
}

void *sys_shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void sys_free_shared_memory(void *memory, size_t size)
{
	munmap(memory, size);
}
