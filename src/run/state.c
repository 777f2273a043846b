/* SPDX-License-Identifier: Apache-2.0 */
/* The state folder, its journals, and the undoing of what dead owners have left. */
#include "run/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/path.h"
#include "base/text.h"
#include "run/group.h"
#include "sys/file.h"
#include "sys/folder.h"

enum { JOURNAL_BYTES = 16 << 10, ATTEMPTS = 8 };

static const char suffix[] = ".journal";

int state_open_folder(const char *file)
{
	char folder[4096];
	const char *slash = strrchr(file, '/');
	auto_close int fd = -1;
	int rc;

	if (!slash || (size_t)(slash - file) >= sizeof(folder))
		return -ENAMETOOLONG;
	memcpy(folder, file, (size_t)(slash - file));
	folder[slash - file] = '\0';
	fd = sys_open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	rc = fd == -ENOENT ? sys_mkdirat(AT_FDCWD, folder, 0700) : 0;
	if (rc < 0 && rc != -EEXIST)
		return rc;
	if (fd == -ENOENT)
		fd = sys_open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	rc = fd < 0 ? fd : sys_check_own_folder(fd);
	return rc < 0 ? rc : take_fd(&fd);
}

/* Between the making of the file and its lock a collector may take it for a dead one's and remove it: then again. */
static int open_locked(int folder, const char *name)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		auto_close int fd = sys_openat(folder, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
		int rc = fd < 0 ? fd : sys_flock(fd, LOCK_EX | LOCK_NB);

		if (rc == -EWOULDBLOCK)
			continue;
		if (rc < 0)
			return rc;
		if (sys_has_name(fd))
			return take_fd(&fd);
	}
	return -EBUSY;
}

void journal_remove(const char *file)
{
	sys_unlinkat(AT_FDCWD, file, 0);
}

/* "switch DIRECTORY -cpu -memory": a group that held the launcher again may hold processes. */
static int switch_off(char *argument)
{
	char *text = strchr(argument, ' ');
	int rc;

	if (!text)
		return -EPROTO;
	*text++ = '\0';
	{
		auto_close int group = sys_open(argument, O_RDONLY | O_DIRECTORY, 0);

		rc = group == -ENOENT ? 0 : group < 0 ? group : sys_write_below(group, "cgroup.subtree_control", text);
	}
	return rc;
}

static int undo_line(char *line)
{
	int rc;

	if (text_starts(line, "group "))
		return group_remove(line + 6, GROUP_PATIENCE_MS);
	if (text_starts(line, "switch "))
		return switch_off(line + 7);
	if (!text_starts(line, "folder "))
		return -EPROTO;
	rc = sys_unlinkat(AT_FDCWD, line + 7, AT_REMOVEDIR);
	return rc == -EBUSY || rc == -ENOTEMPTY ? 0 : rc == -ENOENT ? 0 : rc; /* others use it */
}

/* All lines are tried, whatever fails. */
static int undo_text(char *text, struct gc_count *count)
{
	int first = 0;

	while (text && *text) {
		char *end = strchr(text, '\n');
		int rc;

		if (!end)
			break; /* cut off while it was written: its effect was not made yet */
		*end++ = '\0';
		rc = undo_line(text);
		if (rc < 0 && !first) {
			first = rc;
			snprintf(count->first_stuck, sizeof(count->first_stuck), "%.255s", text);
			count->stuck_errno = -rc;
		}
		text = end;
	}
	return first;
}

struct gc_visit {
	int folder;
	struct gc_count *count;
};

static int visit_journal(void *argument, const char *name)
{
	const struct gc_visit *visit = argument;
	const size_t size = strlen(name);
	char text[JOURNAL_BYTES];
	auto_close int fd = -1;

	if (size < sizeof(suffix) || strcmp(name + size - (sizeof(suffix) - 1), suffix) != 0)
		return 0;
	fd = sys_openat(visit->folder, name, O_RDWR | O_NOFOLLOW, 0);
	if (fd < 0)
		return 0; /* it was finished meanwhile */
	if (sys_flock(fd, LOCK_EX | LOCK_NB) < 0) {
		visit->count->running++;
		return 0;
	}
	if (!sys_has_name(fd) || sys_read_below(visit->folder, name, text, sizeof(text)) < 0)
		return 0;
	if (undo_text(text, visit->count) < 0) {
		visit->count->stuck++;
		return 0;
	}
	visit->count->undone++;
	return sys_unlinkat(visit->folder, name, 0);
}

static int walk(int folder, struct gc_count *count)
{
	struct gc_visit visit = { folder, count };

	return sys_each_entry(folder, visit_journal, &visit);
}

int gc(const char *path, struct gc_count *count)
{
	auto_close int folder = sys_open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	int rc = folder < 0 ? folder : sys_check_own_folder(folder);

	if (rc == 0)
		rc = walk(folder, count);
	return rc == -ENOENT ? 0 : rc;
}

int journal_open(const char *file, const char *text)
{
	struct gc_count count = { 0 };
	auto_close int folder = state_open_folder(file);
	auto_close int fd = folder < 0 ? folder : open_locked(folder, path_last(file));
	int rc = fd < 0 ? fd : sys_write_all(fd, text, strlen(text));

	if (rc < 0)
		return rc;
	walk(folder, &count); /* what others have left is no reason not to run */
	return take_fd(&fd);
}
