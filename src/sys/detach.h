/* SPDX-License-Identifier: Apache-2.0 */
/* A process of its own: no terminal, no parent, nothing inherited but what is named. */
#ifndef IMMURE_SYS_DETACH_H
#define IMMURE_SYS_DETACH_H

enum { SYS_DETACH_MOST = 8 };

/*
 * Executes the first of PATHS that is there, in a new session, with / as its folder, /dev/null as descriptors 0 to 2, FDS (at most
 * SYS_DETACH_MOST) from 3 on, every signal as it is by default, and no environment. Its parent is whoever takes in orphans. 0 once
 * it is executed; -ENOENT: none of PATHS is there; -errno. Both lists end with NULL.
 */
int sys_start_detached(const char *const *paths, const char *const *argv, const int *fds, unsigned count);

#endif
