/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of the host and files by the folder that holds them. */
#include "sys/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sys/file.h"

int sys_each_entry(int folder, int (*visit)(void *argument, const char *name), void *argument)
{
	int fd = sys_openat(folder, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (!stream) {
		rc = fd < 0 ? fd : -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (rc >= 0 && (entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = visit(argument, entry->d_name);
	closedir(stream);
	return rc < 0 ? rc : 0;
}

bool sys_may_write(const char *path)
{
	return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}

ssize_t sys_read_below(int folder, const char *name, char *buffer, size_t size)
{
	auto_close int fd = sys_openat(folder, name, O_RDONLY, 0);
	size_t used = 0;
	ssize_t done = fd;

	if (fd < 0)
		return fd;
	while (used < size && (done = sys_read(fd, buffer + used, size - used)) > 0)
		used += (size_t)done;
	if (done < 0)
		return done;
	if (used == size)
		return -EFBIG;
	buffer[used] = '\0';
	return (ssize_t)used;
}

int sys_write_below(int folder, const char *name, const char *text)
{
	auto_close int fd = sys_openat(folder, name, O_WRONLY, 0);
	size_t size = strlen(text);
	ssize_t done;

	if (fd < 0)
		return fd;
	done = sys_write(fd, text, size); /* kernel files want the whole value in one write */
	return done < 0 ? (int)done : (size_t)done == size ? 0 : -EIO;
}

bool sys_exists_at(int folder, const char *name)
{
	struct stat state;

	return fstatat(folder, name, &state, AT_SYMLINK_NOFOLLOW) == 0;
}

bool sys_has_name(int fd)
{
	struct stat state;

	return fstat(fd, &state) == 0 && state.st_nlink > 0;
}

int sys_check_own_folder(int fd)
{
	struct stat state;

	if (fstat(fd, &state) < 0)
		return -errno;
	if (!S_ISDIR(state.st_mode))
		return -ENOTDIR;
	return state.st_uid == geteuid() && !(state.st_mode & 022) ? 0 : -EPERM;
}

int sys_check_own_file(int fd)
{
	struct stat state;

	if (fstat(fd, &state) < 0)
		return -errno;
	return S_ISREG(state.st_mode) && state.st_nlink == 1 && state.st_uid == geteuid() && !(state.st_mode & 022) ? 0 : -EPERM;
}

int sys_flock_within(int fd, int timeout_ms)
{
	enum { NAP_MS = 2 };
	int rc = sys_flock(fd, LOCK_EX | LOCK_NB);

	for (; rc == -EWOULDBLOCK && timeout_ms > 0; timeout_ms -= NAP_MS) {
		poll(NULL, 0, NAP_MS);
		rc = sys_flock(fd, LOCK_EX | LOCK_NB);
	}
	return rc == -EWOULDBLOCK ? -EBUSY : rc;
}

int sys_is_byte_locked(int fd, int64_t at)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	return fcntl(fd, F_OFD_GETLK, &lock) < 0 ? -errno : lock.l_type != F_UNLCK;
}

ssize_t sys_read_link_at(int folder, const char *name, char *buffer, size_t size)
{
	ssize_t length = readlinkat(folder, name, buffer, size - 1);

	if (length < 0)
		return -errno;
	buffer[length] = '\0';
	return length;
}

int sys_block_device(const char *path, unsigned *major_number, unsigned *minor_number)
{
	struct stat state;

	if (stat(path, &state) < 0)
		return -errno;
	if (!S_ISBLK(state.st_mode))
		return -ENOTBLK;
	*major_number = major(state.st_rdev);
	*minor_number = minor(state.st_rdev);
	return 0;
}

int sys_event(void)
{
	return minus_errno(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}
