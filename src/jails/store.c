/* SPDX-License-Identifier: Apache-2.0 */
/* Small files in a folder of the state's. */
#include "jails/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "sys/file.h"
#include "sys/folder.h"

enum { PIECE = 4096 };

/* A link is told by ELOOP; to who reads it is the same as a stranger's file. */
static int no_strangers(int rc)
{
	return rc == -ELOOP || rc == -ENXIO || rc == -EISDIR ? -EPERM : rc;
}

int store_write(int folder, const char *name, const void *bytes, size_t size)
{
	char unfinished[128];
	auto_close int fd = -1;
	int rc = snprintf(unfinished, sizeof(unfinished), STORE_UNFINISHED "%s", name);

	if (rc >= (int)sizeof(unfinished))
		return -ENAMETOOLONG;
	rc = sys_unlinkat(folder, unfinished, 0); /* of a writer that was killed */
	if (rc < 0 && rc != -ENOENT)
		return no_strangers(rc);
	fd = sys_openat(folder, unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fd;
	rc = sys_write_all(fd, bytes, size);
	if (rc == 0)
		rc = sys_rename(folder, unfinished, name);
	if (rc < 0)
		sys_unlinkat(folder, unfinished, 0);
	return rc;
}

int store_read(int folder, const char *name, size_t most, struct text *out)
{
	/* O_NONBLOCK: a pipe in its place would hold us up before it can be refused */
	auto_close int fd = sys_openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	const size_t start = out->used;
	char piece[PIECE];
	ssize_t done;
	int rc = fd < 0 ? no_strangers(fd) : sys_check_own_file(fd);

	if (rc < 0)
		return rc;
	while ((done = sys_read(fd, piece, sizeof(piece))) > 0) {
		if ((size_t)done > most - (out->used - start))
			return -EFBIG;
		text_add_bytes(out, piece, (size_t)done);
		if (out->is_short)
			return -ENOMEM;
	}
	return (int)done;
}

int store_open_folder(int folder, const char *name)
{
	auto_close int fd = sys_openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	int rc = fd == -ENOTDIR ? -EPERM : fd < 0 ? no_strangers(fd) : sys_check_own_folder(fd);

	return rc < 0 ? rc : take_fd(&fd);
}

int store_make_folder(int folder, const char *name)
{
	int rc = sys_mkdirat(folder, name, 0700);

	return rc < 0 ? rc : store_open_folder(folder, name);
}
