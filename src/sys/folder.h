/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of the host and files by the folder that holds them; locks and events that go with them. A value from 0, or -errno. */
#ifndef IMMURE_SYS_FOLDER_H
#define IMMURE_SYS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Calls VISIT for each entry of FOLDER but "." and ".."; stops at the first negative answer and returns it. Allocates. */
int sys_each_entry(int folder, int (*visit)(void *argument, const char *name), void *argument);

/* Whether the caller's effective ids may write PATH, read-only mounts included. Nothing is tried. */
bool sys_may_write(const char *path);

/* A small file below FOLDER, whole: as sys_read_file and sys_write_file. */
ssize_t sys_read_below(int folder, const char *name, char *buffer, size_t size);
int sys_write_below(int folder, const char *name, const char *text);

/* Whether there is anything of that name, links not followed. */
bool sys_exists_at(int folder, const char *name);
/* Whether the open file still has a name. */
bool sys_has_name(int fd);
/* Whether FD is a folder that belongs to the caller and that nobody else may change. 0 or -EPERM, -ENOTDIR. */
int sys_check_own_folder(int fd);

/* Whether FD is a plain file with one name, of the caller's, that nobody else may change. 0 or -EPERM. */
int sys_check_own_file(int fd);
/* flock(2), exclusive, waited for at most TIMEOUT_MS: whoever holds it may have been stopped. -EBUSY. */
int sys_flock_within(int fd, int timeout_ms);
/* Whether another open file description than FD's holds sys_lock_byte's lock AT. 1, 0 or -errno. */
int sys_is_byte_locked(int fd, int64_t at);
/* Terminated; length. */
ssize_t sys_read_link_at(int folder, const char *name, char *buffer, size_t size);

/* The numbers of the block device at PATH; -ENOTBLK: it is none. */
int sys_block_device(const char *path, unsigned *major, unsigned *minor);

/* A counter that polls readable once somebody adds to it. eventfd(2) */
int sys_event(void);

#endif
