/* SPDX-License-Identifier: Apache-2.0 */
/* The content of --file, read by the launcher as the caller, before anything changes. */
#include <errno.h>
#include <fcntl.h>
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

int host_read_contents(struct spec *spec, struct error *err)
{
	for (struct mount *mount = spec->mounts; mount; mount = mount->next) {
		auto_close int opened = -1;
		int rc = 0;

		if (mount->kind != MOUNT_FILE || mount->bytes)
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
