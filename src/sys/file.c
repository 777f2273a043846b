/* SPDX-License-Identifier: Apache-2.0 */
/* Files and descriptors. */
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/folder.h"

void sys_auto_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

int minus_errno(long rc)
{
	return rc < 0 ? -errno : (int)rc;
}

int sys_openat(int directory, const char *path, int flags, unsigned mode)
{
	int fd;

	do
		fd = openat(directory, path, flags | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	return minus_errno(fd);
}

int sys_open(const char *path, int flags, unsigned mode)
{
	return sys_openat(AT_FDCWD, path, flags, mode);
}

int sys_open_for_program(const char *path, int flags)
{
	return minus_errno(open(path, flags));
}

int sys_pipe(int ends[2])
{
	return minus_errno(pipe2(ends, O_CLOEXEC));
}

int sys_set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return minus_errno(flags < 0 ? flags : fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

int sys_link_descriptor(int fd, int directory, const char *name)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return minus_errno(linkat(AT_FDCWD, path, directory, name, AT_SYMLINK_FOLLOW));
}

int sys_rename(int directory, const char *from, const char *to)
{
	return minus_errno(renameat(directory, from, directory, to));
}

bool sys_is_open_to_write(int fd)
{
	const int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && !(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY;
}

bool sys_is_same_file(int left, int right)
{
	struct stat one, other;

	return fstat(left, &one) == 0 && fstat(right, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

int sys_openat2(int directory, const char *path, int flags, unsigned mode, uint64_t resolve)
{
	struct open_how how = { .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC), .mode = mode, .resolve = resolve };
	long fd;
	int tries = 1000; /* whoever renames all the time shall not hold us up */

	do /* EAGAIN: a rename raced with "..": openat2(2) */
		fd = syscall(SYS_openat2, directory, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN) && tries--);
	return minus_errno(fd);
}

int sys_close(int fd)
{
	return minus_errno(close(fd));
}

ssize_t sys_write(int fd, const void *bytes, size_t size)
{
	ssize_t done;

	do
		done = write(fd, bytes, size);
	while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}

ssize_t sys_read(int fd, void *buffer, size_t size)
{
	ssize_t done;

	do
		done = read(fd, buffer, size);
	while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}

ssize_t sys_read_at(int fd, void *buffer, size_t size, int64_t offset)
{
	ssize_t done;

	do
		done = pread(fd, buffer, size, offset);
	while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}

int sys_write_all(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size) {
		ssize_t done = sys_write(fd, at, size);

		if (done < 0)
			return (int)done;
		if (done == 0)
			return -EIO;
		at += done;
		size -= (size_t)done;
	}
	return 0;
}

int sys_write_unharmed(int fd, const void *bytes, size_t size)
{
	const struct timespec now = { 0 };
	sigset_t pipe, before;
	int rc;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	if (sigprocmask(SIG_BLOCK, &pipe, &before) < 0)
		return -errno;
	rc = sys_write_all(fd, bytes, size);
	if (rc == -EPIPE && !sigismember(&before, SIGPIPE))
		sigtimedwait(&pipe, NULL, &now);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}

int sys_write_file(const char *path, const char *text)
{
	return sys_write_below(AT_FDCWD, path, text);
}

ssize_t sys_read_file(const char *path, char *buffer, size_t size)
{
	return sys_read_below(AT_FDCWD, path, buffer, size);
}

ssize_t sys_readlink(const char *path, char *buffer, size_t size)
{
	return sys_readlinkat(AT_FDCWD, path, buffer, size);
}

ssize_t sys_readlinkat(int directory, const char *path, char *buffer, size_t size)
{
	ssize_t length = readlinkat(directory, path, buffer, size - 1);

	if (length < 0)
		return -errno;
	buffer[length] = '\0';
	return length;
}

int sys_mkdirat(int directory, const char *path, unsigned mode)
{
	return minus_errno(mkdirat(directory, path, mode));
}

int sys_symlinkat(const char *target, int directory, const char *path)
{
	return minus_errno(symlinkat(target, directory, path));
}

int sys_unlinkat(int directory, const char *path, int flags)
{
	return minus_errno(unlinkat(directory, path, flags));
}

int sys_mkfileat(int directory, const char *path, unsigned mode)
{
	return minus_errno(mknodat(directory, path, S_IFREG | mode, 0));
}

int sys_chownat(int directory, const char *path, uid_t uid, gid_t gid, int flags)
{
	return minus_errno(fchownat(directory, path, uid, gid, flags));
}

int sys_chmodat(int directory, const char *path, unsigned mode)
{
	return minus_errno(fchmodat(directory, path, mode, 0));
}

int sys_fchdir(int fd)
{
	return minus_errno(fchdir(fd));
}

int sys_chdir(const char *path)
{
	return minus_errno(chdir(path));
}

int sys_chroot(const char *path)
{
	return minus_errno(chroot(path));
}

int sys_dup_to(int fd, int number)
{
	int rc;

	do
		rc = dup2(fd, number);
	while (rc < 0 && (errno == EINTR || errno == EBUSY));
	return minus_errno(rc);
}

int sys_duplicate(int fd)
{
	return minus_errno(fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

int sys_keep_on_exec(int fd, bool keep)
{
	return minus_errno(fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC));
}

bool sys_stays_open(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags >= 0 && !(flags & FD_CLOEXEC);
}

enum { LOW_DESCRIPTORS = 256 };

struct entry { /* getdents64(2) */
	uint64_t inode;
	int64_t offset;
	unsigned short length;
	unsigned char type;
	char name[];
};

static int see_entries(const char *bytes, long count, int (*see)(int fd, const void *argument), const void *argument, int from, int self)
{
	for (long at = 0; at < count;) {
		const struct entry *entry = (const void *)(bytes + at);
		const int fd = entry->name[0] == '.' ? self : atoi(entry->name);
		int rc = fd == self || fd < from ? 0 : see(fd, argument);

		if (rc)
			return rc;
		at += entry->length;
	}
	return 0;
}

static int see_listed(int (*see)(int fd, const void *argument), const void *argument, int from)
{
	auto_close int list = sys_open("/proc/self/fd", O_RDONLY | O_DIRECTORY, 0);
	char bytes[2048] __attribute__((aligned(8)));
	long count = list;
	int rc = 0;

	if (list < 0)
		return list;
	while (rc == 0 && (count = syscall(SYS_getdents64, list, bytes, sizeof(bytes))) > 0)
		rc = see_entries(bytes, count, see, argument, from, list);
	return count < 0 ? -errno : rc;
}

/*
 * The folder's size is how many there are (6.2; 0 before, proc_pid_fd(5)), so that low numbers can be asked one by one until all are found.
 * That takes a tenth of reading the folder, for which the kernel makes an inode of each and takes them apart when the process ends.
 */
int sys_each_descriptor(int (*see)(int fd, const void *argument), const void *argument)
{
	struct stat folder;
	off_t left;
	int fd = 0, rc = 0;

	if (stat("/proc/self/fd", &folder) < 0)
		return -errno;
	for (left = folder.st_size; rc == 0 && left > 0 && fd < LOW_DESCRIPTORS; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			continue;
		left--;
		rc = see(fd, argument);
	}
	if (rc || (folder.st_size > 0 && !left))
		return rc;
	return see_listed(see, argument, fd);
}

int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	return minus_errno(syscall(SYS_close_range, first, last, flags));
}

int sys_set_umask(unsigned mask)
{
	return (int)umask(mask);
}

/* It can only be read by setting it; for that moment what another thread makes is its owner's alone. */
unsigned sys_umask(void)
{
	const mode_t mask = umask(077);

	umask(mask);
	return mask;
}

bool sys_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

int sys_flock(int fd, int operation)
{
	int rc;

	do
		rc = flock(fd, operation);
	while (rc < 0 && errno == EINTR);
	return minus_errno(rc);
}

int sys_lock_byte(int fd, int64_t at)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	return minus_errno(fcntl(fd, F_OFD_SETLK, &lock));
}

int sys_lock_to_read(int fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	return minus_errno(fcntl(fd, F_SETLK, &lock));
}

int sys_getcwd(char *buffer, size_t size)
{
	long length = syscall(SYS_getcwd, buffer, size);

	if (length < 0)
		return -errno;
	return buffer[0] == '/' ? (int)length - 1 : -ENOENT;
}

int sys_identity(const char *path, struct sys_identity *identity)
{
	struct stat state;

	if (stat(path, &state) < 0)
		return -errno;
	*identity = (struct sys_identity){ state.st_dev, state.st_ino };
	return 0;
}

int sys_identity_at(int fd, struct sys_identity *identity)
{
	struct stat state;

	if (fstat(fd, &state) < 0)
		return -errno;
	*identity = (struct sys_identity){ state.st_dev, state.st_ino };
	return 0;
}

int sys_mount_id(int fd, const char *path, uint64_t *id)
{
	enum { MOUNT_ID = 0x1000, AT = 0x90 / 8 }; /* STATX_MNT_ID and stx_mnt_id; linux/stat.h */
	uint64_t state[32] = { 0 };

	if (syscall(SYS_statx, fd, path, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, MOUNT_ID, state) < 0)
		return -errno;
	*id = state[AT];
	return (uint32_t)state[0] & MOUNT_ID ? 0 : -ENOSYS;
}

int sys_mount_flags(const char *path, unsigned long *flags, long *magic)
{
	struct statfs state;

	if (statfs(path, &state) < 0)
		return -errno;
	*flags = (unsigned long)state.f_flags;
	*magic = (long)state.f_type;
	return 0;
}

int sys_stat(int fd, const char *path, int flags, unsigned *mode, uid_t *uid, gid_t *gid)
{
	struct stat state;

	if (fstatat(fd, path, &state, flags) < 0)
		return -errno;
	*mode = state.st_mode;
	*uid = state.st_uid;
	*gid = state.st_gid;
	return 0;
}
