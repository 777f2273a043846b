/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ops of a tree that is built in order, where folders of the host's may lie on the way: what is missing is made, one
 * component after the other below the new root, and links are resolved as inside. Nothing that is there is replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "run/op.h"
#include "run/place.h"
#include "sys/mount.h"

enum { INSIDE = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, PATH_ROOM = 4096 };

static int open_directory(const struct run *run, const char *path)
{
	return sys_openat2(run->slots[SLOT_ROOT], path, O_PATH | O_DIRECTORY, 0, INSIDE);
}

/* PATH, which is a copy, is walked from the root down; each directory that is missing is made in the one before. */
static int make_way(const struct run *run, const struct step *step, char *path)
{
	auto_close int above = open_directory(run, "/");
	char *name = path + 1;

	while (above >= 0 && *name) {
		char *end = name + strcspn(name, "/");
		const char kept = *end;
		int fd;

		*end = '\0';
		fd = open_directory(run, path);
		if (fd == -ENOENT) {
			int rc = sys_mkdirat(above, name, (unsigned)step->more);

			if (rc == 0)
				rc = give_to_user(run, step, above, name);
			fd = rc < 0 && rc != -EEXIST ? rc : open_directory(run, path);
		}
		*end = kept;
		sys_close(above);
		above = fd;
		name = end + (kept == '/');
	}
	return take_fd(&above);
}

/* The directory that holds STEP's subject, whose last component becomes NAME. */
static int open_parent(const struct run *run, const struct step *step, const char **name)
{
	const char *slash = strrchr(step->subject, '/');
	const size_t length = (size_t)(slash - step->subject);
	char path[PATH_ROOM] = "/";
	int fd;

	*name = slash + 1;
	if (length >= sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path, step->subject, length);
	path[length ? length : 1] = '\0';
	fd = open_directory(run, path);
	return fd == -ENOENT ? make_way(run, step, path) : fd;
}

/* What the subject names, made if it is missing. Links are followed; one that leads to nothing is an error. */
static int see_to(const struct run *run, const struct step *step, bool is_file)
{
	const int flags = O_PATH | (is_file ? 0 : O_DIRECTORY);
	auto_close int above = -1;
	const char *name;
	int rc = sys_openat2(run->slots[SLOT_ROOT], step->subject, flags, 0, INSIDE);

	if (rc != -ENOENT)
		return rc;
	above = open_parent(run, step, &name);
	if (above < 0)
		return above;
	rc = is_file ? sys_mkfileat(above, name, (unsigned)step->number) : sys_mkdirat(above, name, (unsigned)step->number);
	if (rc == 0)
		rc = give_to_user(run, step, above, name);
	if (rc < 0 && rc != -EEXIST)
		return rc;
	return sys_openat2(run->slots[SLOT_ROOT], step->subject, flags, 0, INSIDE);
}

/* The mount that was the root is covered for good: what comes later is found in this one. */
int op_top(struct run *run, const struct step *step)
{
	int rc = sys_attach(run->slots[step->slot], AT_FDCWD, "/");

	if (rc < 0)
		return rc;
	sys_close(run->slots[SLOT_ROOT]);
	run->slots[SLOT_ROOT] = run->slots[step->slot];
	return 0;
}

int op_put(struct run *run, const struct step *step)
{
	auto_close int place = see_to(run, step, step->how & STEP_OF_FILE);

	return place < 0 ? place : sys_attach(run->slots[step->slot], place, "");
}

int op_place(struct run *run, const struct step *step)
{
	auto_close int place = see_to(run, step, false);

	return place < 0 ? place : 0;
}

/* A file that is there is emptied first and keeps its mode. */
int op_fill(struct run *run, const struct step *step)
{
	auto_close int above = -1;
	auto_close int fd = -1;
	const char *name;

	above = open_parent(run, step, &name);
	if (above < 0)
		return above;
	fd = sys_openat2(run->slots[SLOT_ROOT], step->subject, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY, (unsigned)step->number, INSIDE);
	if (fd >= 0 && step->how & STEP_OWNED)
		give_to_user(run, step, fd, "");
	return fd < 0 ? fd : sys_write_all(fd, step->data, step->size);
}

/* A link that says the same is as good as a new one. */
int op_link(struct run *run, const struct step *step)
{
	auto_close int above = -1;
	char text[PATH_ROOM];
	const char *name;
	ssize_t length;
	int rc;

	above = open_parent(run, step, &name);
	if (above < 0)
		return above;
	rc = sys_symlinkat(step->text, above, name);
	if (rc != -EEXIST)
		return rc;
	length = sys_readlinkat(above, name, text, sizeof(text));
	return length >= 0 && strcmp(text, step->text) == 0 ? 0 : -EEXIST;
}

int op_chmod(struct run *run, const struct step *step)
{
	auto_place struct place place = NO_PLACE;
	char path[48];
	int rc = find_place(run, step, &place);

	if (rc < 0)
		return rc;
	if (*place.path)
		return sys_chmodat(place.directory, place.path, (unsigned)step->number);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", place.directory); /* it is open as a mere place: O_PATH, open(2) */
	return sys_chmodat(AT_FDCWD, path, (unsigned)step->number);
}

/* The kernel refuses what is no mount point. */
int op_seal(struct run *run, const struct step *step)
{
	auto_place struct place place = NO_PLACE;
	int rc = find_place(run, step, &place);

	return rc < 0 ? rc : sys_set_mount_attributes(place.directory, place.path, place.flags, step->flags, 0);
}
