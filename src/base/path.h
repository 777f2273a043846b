/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as text. Nothing here looks at a file system. */
#ifndef IMMURE_BASE_PATH_H
#define IMMURE_BASE_PATH_H

#include <stdbool.h>

#include "base/arena.h"

/* "/a//b/./c/../d" -> "/a/b/d"; PATH that is relative is taken from BASE. Absolute, in ARENA; NULL: no memory. */
char *path_clean(struct arena *arena, const char *base, const char *path);

/* Whether PATH is DIRECTORY or lies under it. Both absolute and clean. */
bool path_is_under(const char *path, const char *directory);

/* "/" 0, "/a" 1, "/a/b" 2. PATH absolute and clean. */
unsigned path_depth(const char *path);

/* The part after the last slash. */
const char *path_last(const char *path);

/* "/a/b" -> "/a", "/a" -> "/". In ARENA. */
char *path_parent(struct arena *arena, const char *path);

#endif
