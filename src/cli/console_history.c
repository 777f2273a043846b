/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console's history: lines in "history" of the folder "immure", below XDG_STATE_HOME or ~/.local/state. What cannot be kept is not
 * kept, and nothing is said of it: no home, a full disk, a folder or a link of somebody else's. Each line is appended as it is typed, so
 * that several consoles and a killed one lose none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/console.h"

enum { LINE_MOST = 4096 };

/* The folder NAME in the folder BASE, if it is the user's; it may be made. A link that somebody else made is not followed; root may. -1:
 * it cannot be used. */
static int enter(int base, const char *name, int may_make)
{
	struct stat status;
	int fd;

	if (may_make)
		mkdirat(base, name, 0700);
	if (fstatat(base, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || (status.st_uid != geteuid() && status.st_uid != 0))
		return -1;
	fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || (fstat(fd, &status) == 0 && status.st_uid == geteuid()))
		return fd;
	close(fd);
	return -1;
}

/* Those of NAMES, one below the other. */
static int enter_all(int folder, const char *const *names)
{
	for (; *names && folder >= 0; names++) {
		const int next = enter(folder, *names, 1);

		close(folder);
		folder = next;
	}
	return folder;
}

int history_folder(void)
{
	static const char *const below_home[] = { ".local", "state", "immure", NULL };
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && *state == '/')
		return enter_all(enter(AT_FDCWD, state, 1), below_home + 2);
	return home && *home == '/' ? enter_all(enter(AT_FDCWD, home, 0), below_home) : -1;
}

/* A plain file of the user's own. */
static int open_file(int folder, const char *name, int flags)
{
	struct stat status;
	const int fd = folder < 0 ? -1 : openat(folder, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd < 0 || (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid()))
		return fd;
	close(fd);
	return -1;
}

/* The last lines, the newest at (next - 1) % HISTORY_LINES. */
struct lines {
	char *lines[HISTORY_LINES];
	size_t next;
};

static void free_lines(struct lines *lines)
{
	for (size_t i = 0; i < HISTORY_LINES; i++)
		free(lines->lines[i]);
	free(lines);
}

static struct lines *read_lines(int folder)
{
	struct lines *lines = calloc(1, sizeof(*lines));
	const int fd = lines ? open_file(folder, "history", O_RDONLY) : -1;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char line[LINE_MOST + 2];

	if (fd >= 0 && !file)
		close(fd);
	while (file && fgets(line, sizeof(line), file)) {
		char **place = &lines->lines[lines->next % HISTORY_LINES];
		const size_t length = strcspn(line, "\n");

		if (!length || !line[length]) /* a piece of what is too long */
			continue;
		line[length] = '\0';
		free(*place);
		*place = strdup(line);
		lines->next++;
	}
	if (file)
		fclose(file);
	return lines;
}

static void each_line(const struct lines *lines, void (*see)(void *argument, const char *line), void *argument)
{
	for (size_t i = lines->next > HISTORY_LINES ? lines->next - HISTORY_LINES : 0; i < lines->next; i++)
		if (lines->lines[i % HISTORY_LINES])
			see(argument, lines->lines[i % HISTORY_LINES]);
}

void history_show(int folder, void (*see)(void *argument, const char *line), void *argument)
{
	struct lines *lines = folder < 0 ? NULL : read_lines(folder);

	if (!lines)
		return;
	each_line(lines, see, argument);
	free_lines(lines);
}

int history_append(int folder, const char *line)
{
	const size_t length = strlen(line);
	char whole[LINE_MOST + 2];
	int fd, rc;

	if (!length || length > LINE_MOST || memchr(line, '\n', length))
		return -1;
	fd = open_file(folder, "history", O_WRONLY | O_APPEND | O_CREAT);
	if (fd < 0)
		return -1;
	snprintf(whole, sizeof(whole), "%s\n", line);
	rc = fchmod(fd, 0600) == 0 && write(fd, whole, length + 1) == (ssize_t)length + 1 ? 0 : -1;
	close(fd);
	return rc;
}

static void print_line(void *argument, const char *line)
{
	fprintf(argument, "%s\n", line);
}

void history_trim(int folder)
{
	struct lines *lines = folder < 0 ? NULL : read_lines(folder);
	int fd = -1;
	FILE *file;

	if (lines && lines->next > HISTORY_LINES) {
		unlinkat(folder, "history.new", 0); /* of one that was killed here */
		fd = open_file(folder, "history.new", O_WRONLY | O_CREAT | O_EXCL);
	}
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (file) {
		int failed;

		each_line(lines, print_line, file);
		failed = ferror(file) | fflush(file);
		failed |= fclose(file);
		if (failed || renameat(folder, "history.new", folder, "history") < 0)
			unlinkat(folder, "history.new", 0);
	} else if (fd >= 0) {
		close(fd);
	}
	if (lines)
		free_lines(lines);
}
