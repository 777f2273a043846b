/* SPDX-License-Identifier: Apache-2.0 */
/* A cgroup on the host, after it was made: emptied, removed, read. Nothing here decides what is limited. */
#ifndef IMMURE_RUN_GROUP_H
#define IMMURE_RUN_GROUP_H

#include <stdint.h>
#include <sys/types.h>

/* Kills every process in the group PATH, however fast it forks, then removes the directory. 0 also when there is none;
 * -EBUSY: something in it would not die within so long. */
enum { GROUP_PATIENCE_MS = 3000 };
int group_remove(const char *path, int patience_ms);

/* A number in FILE of the group GROUP: the whole file, or what follows KEY. NUMBER_NONE: not there. */
uint64_t group_number(int group, const char *file, const char *key);

#endif
