/* SPDX-License-Identifier: Apache-2.0 */
/* The content of --file, read by the launcher as the caller, before anything changes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "host/probe.h"
#include "sys/file.h"

/* What has a path can be shown without a copy, and so has the narrower bound. What comes from a descriptor has one so that an endless
 * stream ends before the machine's memory does. */
enum { PATH_MOST = 16 << 20, DESCRIPTOR_MOST = 1 << 30, COPIED_MOST = 64 << 10 };

static int read_all(int fd, size_t most, struct text *text)
{
	char bytes[16384];
	ssize_t done;

	while ((done = sys_read(fd, bytes, sizeof(bytes))) > 0) {
		text_add_bytes(text, bytes, (size_t)done);
		if (text->is_short)
			return -ENOMEM;
		if (text->used > most)
			return -EFBIG;
	}
	return (int)done;
}

/* Little is copied, much changes hands. */
static int keep(struct mount *mount, struct text *text, struct arena *arena)
{
	mount->content_size = text->used;
	if (text->used <= COPIED_MOST) {
		mount->bytes = arena_copy_bytes(arena, text->used ? text->bytes : "", text->used);
		return mount->bytes ? 0 : -ENOMEM;
	}
	if (arena_take(arena, text->bytes) < 0)
		return -ENOMEM;
	mount->bytes = text->bytes;
	*text = (struct text){ 0 };
	return 0;
}

static int read_content(struct mount *mount, int fd, struct arena *arena, struct error *err)
{
	auto_text struct text text = { 0 };
	char where[ORIGIN_TEXT];
	const bool is_path = mount->content == CONTENT_PATH;
	int rc = fd < 0 ? fd : read_all(fd, is_path ? PATH_MOST : DESCRIPTOR_MOST, &text);

	if (rc == 0)
		rc = keep(mount, &text, arena);
	if (rc == 0)
		return 0;
	if (is_path)
		error_set(err, -rc, "%s: reading \"%s\" for %s", origin_print(&mount->origin, where), mount->source, mount->target);
	else
		error_set(err, -rc, "%s: reading descriptor %d for %s", origin_print(&mount->origin, where), mount->descriptor, mount->target);
	if (rc == -EFBIG)
		error_remedy(err, "E-FILE-SIZE", is_path ? "a copy has at most 16M; --ro PATH:DST shows a file without one"
							 : "a copy has at most 1G; write it to a file, and show that");
	return rc;
}

/* What a descriptor is open on gets its path; that it is still the same is seen once it was opened there. */
static int find_shown(struct mount *mount, struct arena *arena, struct error *err)
{
	struct sys_identity identity;
	char link[32], path[4096] = "", where[ORIGIN_TEXT];
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
			mount->bytes = mount->source ? mount->source : "";
			mount->content_size = strlen(mount->bytes);
		} else {
			rc = read_content(mount, mount->content == CONTENT_PATH ? opened : mount->descriptor, &spec->arena, err);
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}
