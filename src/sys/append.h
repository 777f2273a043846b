/* SPDX-License-Identifier: Apache-2.0 */
/* Files that grow at their end, and the wall clock that stamps them. A value from 0, or -errno. */
#ifndef IMMURE_SYS_APPEND_H
#define IMMURE_SYS_APPEND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct iovec;

/* Bytes that went, which may be fewer than all. writev(2) */
ssize_t sys_append(int fd, const struct iovec *parts, unsigned count);
int sys_truncate(int fd, uint64_t size);
/* Bytes in the file. */
int64_t sys_size(int fd);
/* lseek(2); the place, or -errno. */
int64_t sys_seek(int fd, int64_t at, int whence);
/* A file without a name, in memory only. memfd_create(2) */
int sys_memory_file(const char *name);
/* Whether FD is one, so that reading it cannot wait for anybody. fcntl(2), file seals */
bool sys_is_memory_file(int fd);
/* Nanoseconds since 1970, UTC. */
uint64_t sys_wall_clock_ns(void);
/* A descriptor that polls readable when something in FOLDER is made, renamed, or written; and reading away what it said. inotify(7) */
int sys_notice_folder(int folder);
void sys_hear_folder(int notice);

#endif
