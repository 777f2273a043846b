/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands where a link was to be made: told from the words, for by now the sandbox is gone. Either an operation before it made
 * a link there, or the place lies in a folder of the host's that was shown; then what the host has there now is told.
 */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "compat/bwrap.h"

/* What follows FOLDER in PATH: "" or "/..."; NULL: it is not below it. */
static const char *rest_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	while (length && folder[length - 1] == '/')
		length--;
	if (strncmp(path, folder, length) != 0 || (path[length] && path[length] != '/'))
		return NULL;
	return path + length;
}

static bool read_link(const struct immure_mount *mount, const char *rest, char *link, size_t room)
{
	char path[PATH_MAX];
	const int length = snprintf(path, sizeof(path), "%s%s", mount->source, rest);
	const ssize_t size = length > 0 && (size_t)length < sizeof(path) ? readlink(path, link, room - 1) : -1;

	link[size > 0 ? size : 0] = '\0';
	return size > 0;
}

/* The last operation before the failed one decides what is there. */
static bool find_link(const struct bwrap *bwrap, const char *place, char *link, size_t room)
{
	size_t at = bwrap->operation_count;

	while (at > 0 && strcmp(bwrap->operations[at - 1].mount.target, place) != 0)
		at--;
	for (at = at ? at - 1 : 0; at > 0; at--) {
		const struct immure_mount *mount = &bwrap->operations[at - 1].mount;
		const char *rest = rest_below(place, mount->target);

		if (!rest || !mount->source)
			continue;
		if (strcmp(mount->key, "symlink") != 0)
			return read_link(mount, rest, link, room);
		if (!*rest)
			return snprintf(link, room, "%s", mount->source) > 0;
	}
	return false;
}

const char *bwrap_describe_place(const struct bwrap *bwrap, const char *place, char *text, size_t room)
{
	char link[PATH_MAX];

	if (find_link(bwrap, place, link, sizeof(link)))
		snprintf(text, room, "existing destination is %s", link);
	else
		snprintf(text, room, "destination exists and is not a symlink");
	return text;
}
