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
#include "sys/confine.h"
#include "sys/mount.h"
#include "sys/process.h"

enum { INSIDE = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, PATH_ROOM = 4096 };

/*
 * Who makes things for the program's user is that user meanwhile, as far as files are concerned: in a folder of the host's
 * whose ids are mapped nobody else can make anything, and set-up's own rights shall not count there. setfsuid(2)
 */
static void act_as_user(const struct run *run, const struct step *step)
{
	const struct plan *plan = run->plan;
	const uint32_t base = plan->has_leased_ids && !plan->has_userns ? (uint32_t)run->slots[SLOT_IDS] : 0;

	if (step->how & STEP_OWNED)
		sys_set_file_ids(plan->uid + base, plan->gid + base);
}

static void act_as_self(const struct step *step)
{
	struct sys_ids ids;

	if (step->how & STEP_OWNED && sys_get_ids(&ids) == 0)
		sys_set_file_ids(ids.effective_uid, ids.effective_gid);
}

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

static int make_here(const struct run *run, const struct step *step, bool is_file)
{
	auto_close int above = -1;
	const char *name;
	int rc;

	above = open_parent(run, step, &name);
	if (above < 0)
		return above;
	rc = is_file ? sys_mkfileat(above, name, (unsigned)step->number) : sys_mkdirat(above, name, (unsigned)step->number);
	return rc == -EEXIST ? 0 : rc;
}

/* What the subject names, made if it is missing. Links are followed; one that leads to nothing is an error. */
static int see_to(const struct run *run, const struct step *step, bool is_file)
{
	const int flags = O_PATH | (is_file ? 0 : O_DIRECTORY);
	int rc = sys_openat2(run->slots[SLOT_ROOT], step->subject, flags, 0, INSIDE);

	if (rc != -ENOENT)
		return rc;
	act_as_user(run, step);
	rc = make_here(run, step, is_file);
	act_as_self(step);
	return rc < 0 ? rc : sys_openat2(run->slots[SLOT_ROOT], step->subject, flags, 0, INSIDE);
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

	return place < 0 ? place : attach(run->slots[step->slot], place, "");
}

int op_place(struct run *run, const struct step *step)
{
	auto_close int place = see_to(run, step, false);

	return place < 0 ? place : 0;
}

static int fill(const struct run *run, const struct step *step)
{
	auto_close int above = -1;
	auto_close int fd = -1;
	const char *name;

	above = open_parent(run, step, &name);
	if (above < 0)
		return above;
	fd = sys_openat2(run->slots[SLOT_ROOT], step->subject, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY, (unsigned)step->number, INSIDE);
	return fd < 0 ? fd : sys_write_all(fd, step->data, step->size);
}

/* A file that is there is emptied first and keeps its mode. */
int op_fill(struct run *run, const struct step *step)
{
	int rc;

	act_as_user(run, step);
	rc = fill(run, step);
	act_as_self(step);
	return rc;
}

static int link_to(const struct run *run, const struct step *step)
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

/* A link that says the same is as good as a new one. */
int op_link(struct run *run, const struct step *step)
{
	int rc;

	act_as_user(run, step);
	rc = link_to(run, step);
	act_as_self(step);
	return rc;
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
