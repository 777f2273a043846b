/* SPDX-License-Identifier: Apache-2.0 */
/* Ops of the launcher about cgroups. What they leave on the host is noted in the journal before, and undone in undo.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "run/op.h"
#include "run/state.h"
#include "sys/folder.h"

enum { ATTEMPTS = 16, MEMBERSHIP_BYTES = 16 << 10 };

int op_journal(struct run *run, const struct step *step)
{
	return run->slots[step->slot] = journal_open(step->subject, step->text);
}

/* "0" is whoever writes it. cgroups(7) */
static int enter(const char *directory)
{
	auto_close int group = sys_open(directory, O_RDONLY | O_DIRECTORY, 0);

	return group < 0 ? group : sys_write_below(group, "cgroup.procs", "0");
}

int op_cgroup_aside(struct run *run, const struct step *step)
{
	int rc = sys_mkdirat(AT_FDCWD, step->subject, 0755);

	(void)run;
	return rc < 0 ? rc : enter(step->subject);
}

/* The folders above, made where they are missing, hand the controllers down. */
static int hand_down(const struct step *step)
{
	const char *const *folders = step->data;

	for (size_t i = 0; i < step->size; i++) {
		auto_close int folder = -1;
		int rc = i > 0 ? sys_mkdirat(AT_FDCWD, folders[i], 0755) : 0;

		if (rc < 0 && rc != -EEXIST)
			return rc;
		folder = sys_open(folders[i], O_RDONLY | O_DIRECTORY, 0);
		if (folder < 0)
			return folder;
		rc = step->text && *step->text ? sys_write_below(folder, "cgroup.subtree_control", step->text) : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The folder above is removed by the last run that uses it, perhaps at this moment. */
int op_cgroup_create(struct run *run, const struct step *step)
{
	int rc = -ENOENT;

	for (int i = 0; i < ATTEMPTS && (rc == -ENOENT || rc == -ENODEV); i++) {
		rc = hand_down(step);
		if (rc == 0)
			rc = sys_mkdirat(AT_FDCWD, step->subject, 0755);
	}
	if (rc < 0)
		return rc;
	return run->slots[step->slot] = sys_open(step->subject, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

/* Init moves its one thread, the launcher the process. cgroups-v1/cgroups.rst, 2.2 */
int op_cgroup_join(struct run *run, const struct step *step)
{
	char pid[16];

	if (step->side == INIT)
		return sys_write_below(run->slots[step->slot], "tasks", "0");
	snprintf(pid, sizeof(pid), "%d", (int)run->init);
	return sys_write_below(run->slots[step->slot], "cgroup.procs", pid);
}

/* Whether LINE of /proc/PID/cgroup, "4:cpu,cpuacct:/path", says what ROW wants. */
static bool is_line(const char *line, size_t size, const struct group_row *row)
{
	const char *list = memchr(line, ':', size), *path = list ? memchr(list + 1, ':', size - (size_t)(list + 1 - line)) : NULL;
	const size_t name = strlen(row->controller), length = strlen(row->path);

	if (!path || (size_t)(line + size - path - 1) != length || memcmp(path + 1, row->path, length) != 0)
		return false;
	if (!name)
		return path == list + 1;
	for (const char *word = list + 1; word < path; word += strcspn(word, ",:") + 1)
		if (strncmp(word, row->controller, name) == 0 && (word[name] == ',' || word[name] == ':'))
			return true;
	return false;
}

static bool has_line(const char *text, const struct group_row *row)
{
	while (*text) {
		const size_t size = strcspn(text, "\n");

		if (is_line(text, size, row))
			return true;
		text += size + (text[size] == '\n');
	}
	return false;
}

int op_cgroup_verify(struct run *run, const struct step *step)
{
	const struct group_row *rows = step->data;
	char path[32], text[MEMBERSHIP_BYTES];
	ssize_t length;

	if (step->side == INIT)
		snprintf(path, sizeof(path), "/proc/self/cgroup");
	else
		snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)run->init);
	length = sys_read_file(path, text, sizeof(text));
	if (length < 0)
		return (int)length;
	for (size_t i = 0; i < step->size; i++)
		if (!has_line(text, &rows[i]))
			return -EBADE;
	return 0;
}
