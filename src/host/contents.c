/* SPDX-License-Identifier: Apache-2.0 */
/* The content of --file, read by the launcher as the caller, before anything changes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "host/probe.h"
#include "sys/file.h"

enum { CONTENT_MOST = 16 << 20 };

static int read_all(int fd, struct text *text)
{
	char bytes[16384];
	ssize_t done;

	while ((done = sys_read(fd, bytes, sizeof(bytes))) > 0) {
		text_add_bytes(text, bytes, (size_t)done);
		if (text->is_short)
			return -ENOMEM;
		if (text->used > CONTENT_MOST)
			return -EFBIG;
	}
	return (int)done;
}

static int read_content(struct mount *mount, int fd, struct arena *arena, struct error *err)
{
	auto_text struct text text = { 0 };
	char where[ORIGIN_TEXT];
	int rc = fd < 0 ? fd : read_all(fd, &text);

	if (rc == 0) {
		mount->bytes = arena_copy_bytes(arena, text.used ? text.bytes : "", text.used);
		mount->content_size = text.used;
		rc = mount->bytes ? 0 : -ENOMEM;
	}
	if (rc == 0)
		return 0;
	if (mount->content == CONTENT_PATH)
		error_set(err, -rc, "%s: reading \"%s\" for %s", origin_print(&mount->origin, where), mount->source, mount->target);
	else
		error_set(err, -rc, "%s: reading descriptor %d for %s", origin_print(&mount->origin, where), mount->descriptor, mount->target);
	if (rc == -EFBIG)
		error_remedy(err, "E-FILE-SIZE", "--file copies at most 16M; --ro PATH:DST shows a file without a copy");
	return rc;
}

/* What a descriptor is open on gets its path; that it is still the same is seen once it was opened there. */
static int find_shown(struct mount *mount, struct arena *arena, struct error *err)
{
	struct sys_identity identity;
	char link[32], path[4096], where[ORIGIN_TEXT];
	int rc = sys_identity_at(mount->descriptor, &identity);

	snprintf(link, sizeof(link), "/proc/self/fd/%d", mount->descriptor);
	if (rc == 0)
		rc = (int)sys_readlink(link, path, sizeof(path));
	if (rc >= 0 && path[0] == '/')
		mount->source = arena_copy(arena, path);
	if (!mount->source)
		return error_set(err, rc < 0 ? -rc : path[0] == '/' ? ENOMEM : ENOTDIR, "%s: descriptor %d has no path",
				 origin_print(&mount->origin, where), mount->descriptor);
	mount->device = identity.device;
	mount->inode = identity.inode;
	return 0;
}

int host_read_contents(struct spec *spec, struct error *err)
{
	for (struct mount *mount = spec->mounts; mount; mount = mount->next) {
		auto_close int opened = -1;
		int rc = 0;

		if (mount_is_of_host(mount) && !mount->source)
			rc = find_shown(mount, &spec->arena, err);
		if (rc < 0)
			return rc;
		if (!mount_has_content(mount->kind) || mount->bytes)
			continue;
		if (mount->content == CONTENT_PATH)
			opened = sys_open(mount->source, O_RDONLY | O_NOCTTY, 0);
		if (mount->content == CONTENT_TEXT) {
			mount->bytes = mount->source;
			mount->content_size = strlen(mount->source);
		} else {
			rc = read_content(mount, mount->content == CONTENT_PATH ? opened : mount->descriptor, &spec->arena, err);
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}
