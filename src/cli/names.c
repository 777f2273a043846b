/* SPDX-License-Identifier: Apache-2.0 */
/* The executable under other tools' names: it hands over to the front end beside it that speaks their language. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

static const struct {
	const char *name, *executable;
	int exit_code; /* what callers of that tool take for its own failure */
} names[] = {
	{ "bwrap", "immure-bwrap", 1 }, { "immure-bwrap", "immure-bwrap", 1 },
	{ "capejail", "immure-capejail", 125 }, { "immure-capejail", "immure-capejail", 125 },
};

size_t own_path(char *path, size_t room)
{
	const char *name = (const char *)getauxval(AT_EXECFN);
	const ssize_t length = readlink("/proc/self/exe", path, room - 1);

	if (length > 0)
		path[length] = '\0';
	else if (name && strlen(name) < room) /* there is no /proc */
		strcpy(path, name);
	else
		path[0] = '\0';
	return strlen(path);
}

static int is_same_file(const char *left, const char *right)
{
	struct stat a, b;

	return stat(left, &a) == 0 && stat(right, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

size_t path_beside(const char *name, char *path, size_t room)
{
	const size_t length = strlen(name) < room ? own_path(path, room - strlen(name)) : 0;
	char *end = length ? strrchr(path, '/') : NULL;

	strcpy(end ? end + 1 : path, length ? name : "");
	return strlen(path);
}

void run_beside(const char *executable, char *argv[])
{
	char own[4096], path[4096];
	const size_t length = path_beside(executable, path, sizeof(path));

	own_path(own, sizeof(own));
	if (length && is_same_file(own, path)) /* it would run itself for ever */
		errno = ELOOP;
	else if (length)
		execv(path, argv);
	fprintf(stderr, "immure: cannot run %s: %s\n", length ? path : executable, strerror(errno));
}

int run_by_name(char *argv[])
{
	const char *end = argv[0] ? strrchr(argv[0], '/') : NULL;
	const char *name = end ? end + 1 : argv[0];

	for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].name, name) != 0)
			continue;
		run_beside(names[i].executable, argv);
		return names[i].exit_code;
	}
	return -1;
}
