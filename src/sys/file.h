/* SPDX-License-Identifier: Apache-2.0 */
/* Files and descriptors. Each function is one system call (EINTR is retried): a value from 0, or -errno. */
#ifndef IMMURE_SYS_FILE_H
#define IMMURE_SYS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/own.h"

/* auto_close int fd: closed at the end of the scope when it is not negative. */
#define auto_close __attribute__((cleanup(sys_auto_close)))
void sys_auto_close(int *fd); /* which is -1 then */
/* Gives the descriptor away: the scope no longer closes it. */
int take_fd(int *fd);

/* rc of a libc call: itself, or -errno when negative. */
int minus_errno(long rc);

int sys_open(const char *path, int flags, unsigned mode);
/* The same, but it stays open over exec: for a standard descriptor. */
int sys_open_for_program(const char *path, int flags);
/* A pipe, its reading end first. */
int sys_pipe(int ends[2]);
int sys_set_nonblocking(int fd);
/* Gives the file without a name (O_TMPFILE) one; and another one, which may be taken already. */
int sys_link_descriptor(int fd, int directory, const char *name);
int sys_rename(int directory, const char *from, const char *to);
/* And not only as a mere place: O_PATH. */
bool sys_is_open_to_write(int fd);
bool sys_is_same_file(int left, int right);
int sys_openat(int directory, const char *path, int flags, unsigned mode);
/* openat2(2); RESOLVE: RESOLVE_* */
int sys_openat2(int directory, const char *path, int flags, unsigned mode, uint64_t resolve);
int sys_close(int fd);
/* All of SIZE bytes; short writes are continued. */
int sys_write_all(int fd, const void *bytes, size_t size);
/* The same, and nobody dies of it where no reader is left: -EPIPE. */
int sys_write_unharmed(int fd, const void *bytes, size_t size);
ssize_t sys_read(int fd, void *buffer, size_t size);
ssize_t sys_read_at(int fd, void *buffer, size_t size, int64_t offset);
ssize_t sys_write(int fd, const void *bytes, size_t size);
/* A whole small file: opened, filled or read, closed. Read: terminated; its length, -EFBIG when SIZE is too small. */
int sys_write_file(const char *path, const char *text);
ssize_t sys_read_file(const char *path, char *buffer, size_t size);
ssize_t sys_readlink(const char *path, char *buffer, size_t size); /* terminated; length */
ssize_t sys_readlinkat(int directory, const char *path, char *buffer, size_t size);
int sys_mkdirat(int directory, const char *path, unsigned mode);
int sys_symlinkat(const char *target, int directory, const char *path);
int sys_unlinkat(int directory, const char *path, int flags);
int sys_mkfileat(int directory, const char *path, unsigned mode); /* empty; mknod(2) */
int sys_chownat(int directory, const char *path, uid_t uid, gid_t gid, int flags);
int sys_chmodat(int directory, const char *path, unsigned mode);
int sys_fchdir(int fd);
int sys_chdir(const char *path);
int sys_chroot(const char *path);
int sys_dup_to(int fd, int number);
int sys_duplicate(int fd); /* closed on exec, above the standard descriptors */
int sys_keep_on_exec(int fd, bool keep);
/* Whether FD is open and would survive exec. */
bool sys_stays_open(int fd);
/* Calls SEE with each open descriptor until it returns other than 0, which is then the result. -errno: there is no /proc. */
int sys_each_descriptor(int (*see)(int fd, const void *argument), const void *argument);
int sys_close_range(unsigned first, unsigned last, unsigned flags);
int sys_set_umask(unsigned mask); /* the one before */
unsigned sys_umask(void);
bool sys_exists(const char *path);
int sys_flock(int fd, int operation);
/* An open-file-description lock on one byte; -EAGAIN: somebody else has it. fcntl(2) */
int sys_lock_byte(int fd, int64_t at);
/* The whole file, for reading, by this process: until it closes any descriptor of it. fcntl(2) */
int sys_lock_to_read(int fd);
/* The raw result must begin with "/": "(unreachable)" is refused (CVE-2024-21626). */
int sys_getcwd(char *buffer, size_t size);

struct sys_identity {
	uint64_t device, inode;
};
int sys_identity(const char *path, struct sys_identity *identity);
int sys_identity_at(int fd, struct sys_identity *identity);
/* The number of the mount on which PATH (empty: FD itself) stands. statx(2), STATX_MNT_ID */
int sys_mount_id(int fd, const char *path, uint64_t *id);
/* Mount flags (ST_*) in force where PATH stands; statfs(2) f_flags. */
int sys_mount_flags(const char *path, unsigned long *flags, long *magic);
/* S_IF* kind and permission bits, owner. */
int sys_stat(int fd, const char *path, int flags, unsigned *mode, uid_t *uid, gid_t *gid);

#endif
