/* SPDX-License-Identifier: Apache-2.0 */
/* skeleton FOLDER: makes the folder that src/feature/skeleton.h describes. For the build and the installation; DESTDIR is heeded. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "feature/skeleton.h"

static void die(const char *path)
{
	fprintf(stderr, "skeleton: %s: %s\n", path, strerror(errno));
	exit(1);
}

static void make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755); /* what fails here fails again below */
		*slash = '/';
	}
}

static void make_file(const char *path, const char *text)
{
	FILE *file;

	unlink(path);
	file = fopen(path, "wx");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0 || chmod(path, 0444) < 0)
		die(path);
}

static void make_entry(const char *folder, const struct skeleton_entry *entry)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s%s", folder, entry->path);
	if (entry->kind == SKELETON_DIRECTORY) {
		if ((mkdir(path, 0755) < 0 && errno != EEXIST) || chmod(path, 0755) < 0)
			die(path);
	} else if (entry->kind == SKELETON_LINK) {
		unlink(path);
		if (symlink(entry->text, path) < 0)
			die(path);
	} else {
		make_file(path, entry->text);
	}
}

int main(int argc, char *argv[])
{
	const char *destination = getenv("DESTDIR");
	char folder[2048];

	if (argc != 2) {
		fprintf(stderr, "usage: skeleton FOLDER\n");
		return 2;
	}
	snprintf(folder, sizeof(folder), "%s%s/", destination ? destination : "", argv[1]);
	make_parents(folder);
	folder[strlen(folder) - 1] = '\0';
	if (chmod(folder, 0755) < 0)
		die(folder);
	for (size_t i = 0; i < skeleton_count; i++)
		make_entry(folder, &skeleton_entries[i]);
	return 0;
}
