/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/file.h"

#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#endif

enum { SEAL_WRITE = 0x8, ALL_SEALS = 0x1 | 0x2 | 0x4 | SEAL_WRITE };
enum { CLOSE_ON_EXEC = 1, ALLOW_SEALING = 2, EXECUTABLE = 0x10 };

/* Before Linux 6.3 there is no flag for what was always so. */
static int make_memory_file(void)
{
	long fd = syscall(SYS_memfd_create, "immure", CLOSE_ON_EXEC | ALLOW_SEALING | EXECUTABLE);

	if (fd < 0 && errno == EINVAL)
		fd = syscall(SYS_memfd_create, "immure", CLOSE_ON_EXEC | ALLOW_SEALING);
	return fd < 0 ? -errno : (int)fd;
}

static int copy(int from, int to, off_t size)
{
	while (size > 0) {
		ssize_t done = sendfile(to, from, NULL, (size_t)size);

		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		size -= done;
	}
	return fcntl(to, F_ADD_SEALS, ALL_SEALS) < 0 ? -errno : 0;
}

int sys_execute_sealed_copy(const char *const *argv)
{
	auto_close int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), sealed = -1;
	struct stat status;
	int rc;

	if (own < 0 || fstat(own, &status) < 0)
		return -errno;
	rc = fcntl(own, F_GET_SEALS);
	if (rc >= 0 && rc & SEAL_WRITE)
		return prctl(PR_SET_NAME, argv[0]) < 0 ? -errno : 0; /* it was called like the descriptor */
	if (status.st_uid == 0 && !(status.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	sealed = make_memory_file();
	rc = sealed < 0 ? sealed : copy(own, sealed, status.st_size);
	if (rc == 0)
		syscall(SYS_execveat, sealed, "", argv, environ, 0x1000 /* AT_EMPTY_PATH */);
	return rc < 0 ? rc : -errno;
}
