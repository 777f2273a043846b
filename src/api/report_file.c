/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a report: opened before the program starts, in its place only when it is whole. Until then it has no name, so
 * that nothing is left of it whoever is killed. What stands there and is no plain file (a pipe, /dev/stdout) is written to.
 */
#include "api/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/number.h"
#include "base/path.h"
#include "sys/file.h"

static int refuse(const struct report_file *file, int rc, struct error *err)
{
	return error_set(err, -rc, "writing %s %s", file->what, file->path);
}

/* Some file systems have no files without names. */
static int open_named(struct report_file *file)
{
	int fd;

	snprintf(file->temporary, sizeof(file->temporary), ".immure-%s", file->run_id);
	fd = sys_openat(file->folder, file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
	file->has_name = fd >= 0;
	return fd;
}

static int open_new(struct report_file *file, struct arena *arena)
{
	const char *folder = strchr(file->path, '/') ? path_parent(arena, file->path) : ".";
	int fd;

	if (!folder)
		return -ENOMEM;
	file->folder = sys_open(folder, O_PATH | O_DIRECTORY, 0);
	if (file->folder < 0)
		return file->folder;
	fd = sys_openat(file->folder, ".", O_WRONLY | O_TMPFILE, 0666);
	return fd == -EOPNOTSUPP || fd == -EISDIR || fd == -EINVAL ? open_named(file) : fd;
}

/* A descriptor of the caller's by its well-known path; it may be one that the caller could not open again. -1: it is none. */
static int number_of(const char *path)
{
	uint64_t number;

	if (strcmp(path, "/dev/stdout") == 0)
		return 1;
	if (strcmp(path, "/dev/stderr") == 0)
		return 2;
	return text_starts(path, "/dev/fd/") && number_parse(path + 8, INT32_MAX, &number) == 0 ? (int)number : -1;
}

int report_file_open(struct report_file *file, const char *what, const char *path, const char *run_id, struct arena *arena,
		     struct error *err)
{
	unsigned mode = S_IFREG;
	uid_t uid;
	gid_t gid;

	*file = (struct report_file){ .what = what, .path = path, .run_id = run_id, .fd = -1, .folder = -1 };
	if (!path)
		return 0;
	if (number_of(path) >= 0)
		file->fd = sys_duplicate(number_of(path));
	else if (sys_stat(AT_FDCWD, path, 0, &mode, &uid, &gid) == 0 && !S_ISREG(mode))
		file->fd = sys_open(path, O_WRONLY, 0);
	else
		file->fd = open_new(file, arena);
	return file->fd < 0 ? refuse(file, file->fd, err) : 0;
}

static int put_in_place(struct report_file *file)
{
	const char *name = path_last(file->path);
	int rc = 0;

	if (!file->has_name) {
		snprintf(file->temporary, sizeof(file->temporary), ".immure-%s-%s", file->what, file->run_id);
		rc = sys_link_descriptor(file->fd, file->folder, file->temporary);
	}
	file->has_name |= rc == 0;
	if (rc == 0)
		rc = sys_rename(file->folder, file->temporary, name);
	file->has_name &= rc < 0;
	return rc;
}

int report_file_finish(struct report_file *file, const struct text *text, struct error *err)
{
	int rc = text->is_short ? -ENOMEM : sys_write_all(file->fd, text->bytes, text->used);

	if (rc == 0 && file->folder >= 0)
		rc = put_in_place(file);
	return rc < 0 ? refuse(file, rc, err) : 0;
}

void report_file_close(struct report_file *file)
{
	if (file->has_name)
		sys_unlinkat(file->folder, file->temporary, 0);
	sys_auto_close(&file->fd);
	sys_auto_close(&file->folder);
	file->has_name = false;
}
