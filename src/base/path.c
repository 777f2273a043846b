/* SPDX-License-Identifier: Apache-2.0 */
/* Lexical work on paths. */
#include "base/path.h"

#include <string.h>

/* Drops the last component of the LENGTH bytes of CLEAN; "/" is kept as length 0 (no slash yet). */
static size_t drop_last(const char *clean, size_t length)
{
	while (length && clean[--length] != '/')
		;
	return length;
}

char *path_clean(struct arena *arena, const char *base, const char *path)
{
	char *raw = path[0] == '/' ? arena_copy(arena, path) : arena_format(arena, "%s/%s", base, path);
	char *clean = raw ? arena_alloc(arena, strlen(raw) + 2) : NULL;
	size_t length = 0;
	const char *at = raw;

	if (!clean)
		return NULL;
	while (*at) {
		size_t size = strcspn(at, "/");

		if (size == 2 && at[0] == '.' && at[1] == '.') {
			length = drop_last(clean, length);
		} else if (size && !(size == 1 && at[0] == '.')) {
			clean[length++] = '/';
			memcpy(clean + length, at, size);
			length += size;
		}
		at += size + (at[size] == '/');
	}
	if (!length)
		clean[length++] = '/';
	clean[length] = '\0';
	return clean;
}

bool path_is_under(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	if (length == 1)
		return path[0] == '/';
	return strncmp(path, directory, length) == 0 && (path[length] == '/' || !path[length]);
}

unsigned path_depth(const char *path)
{
	unsigned depth = 0;

	if (!path[1])
		return 0;
	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

const char *path_last(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *path_parent(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return arena_copy(arena, "/");
	return arena_copy_bytes(arena, path, (size_t)(slash - path));
}
