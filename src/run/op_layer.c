/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ops that need a workshop: a file system in memory that is attached for a moment, because the kernel
 * makes overlays and copies of mounts only from what is attached in the caller's namespace. It lies
 * over the old root and is gone again before the op ends, so nothing inside the jail ever leads to it:
 * an overlay keeps private copies of its layers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>

#include "run/op.h"
#include "run/place.h"
#include "sys/mount.h"

enum { MOST_LAYERS = 500 }; /* as overlayfs itself */
enum { WORKSHOP_ATTRIBUTES = 0x2 | 0x4 /* nosuid, nodev; mount_setattr(2) */ };

static int open_workshop(const char *options)
{
	auto_close int shop = sys_new_mount("tmpfs", options, WORKSHOP_ATTRIBUTES);
	int rc = shop < 0 ? shop : sys_attach(shop, AT_FDCWD, "/");

	return rc < 0 ? rc : take_fd(&shop);
}

/* With all that is attached in it. */
static int close_workshop(int shop)
{
	char path[32];
	int rc;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", shop);
	rc = sys_unmount(path, MNT_DETACH);
	sys_close(shop);
	return rc;
}

/* The merged directory looks like the upper one, which therefore must look like the lower. */
static int make_upper(int shop, int source, bool may_give)
{
	unsigned mode;
	uid_t uid;
	gid_t gid;
	int rc = sys_stat(source, "", AT_EMPTY_PATH, &mode, &uid, &gid);

	if (rc == 0)
		rc = sys_mkdirat(shop, "upper", mode & 07777);
	if (rc == 0 && may_give)
		rc = sys_chownat(shop, "upper", uid, gid, AT_SYMLINK_NOFOLLOW);
	if (rc == 0)
		rc = sys_chmodat(shop, "upper", mode & 07777);
	if (rc == 0)
		rc = sys_mkdirat(shop, "work", 0700);
	if (rc == 0)
		rc = sys_mkdirat(shop, "lower", 0700);
	return rc == 0 ? sys_attach(source, shop, "lower") : rc;
}

/* "user." attributes: all that a user namespace may write. */
static int make_overlay(const struct step *step, int shop)
{
	char options[160];

	snprintf(options, sizeof(options), "lowerdir=/proc/self/fd/%d/lower,upperdir=/proc/self/fd/%d/upper,workdir=/proc/self/fd/%d/work,userxattr",
		 shop, shop, shop);
	return sys_new_mount("overlay", options, step->flags);
}

int op_overlay(struct run *run, const struct step *step)
{
	int shop = open_workshop(step->text);
	int rc, closed;

	if (shop < 0)
		return shop;
	rc = make_upper(shop, run->slots[step->number], run->plan->has_root_inside);
	if (rc == 0)
		rc = make_overlay(step, shop);
	closed = close_workshop(shop);
	if (rc < 0)
		return rc;
	run->slots[step->slot] = rc;
	return closed;
}

/* Writes that are thrown away lie in a workshop. The program's user shall be able to write at the top. */
static int lay_in_workshop(struct run *run, const struct step *step, const int *lowers)
{
	int shop = open_workshop("mode=700");
	auto_close int upper = -1;
	auto_close int work = -1;
	int rc, closed;

	if (shop < 0)
		return shop;
	rc = sys_mkdirat(shop, "upper", 0755);
	if (rc == 0)
		rc = give_to_user(run, step, shop, "upper");
	if (rc == 0)
		rc = sys_mkdirat(shop, "work", 0700);
	if (rc == 0)
		rc = upper = sys_openat(shop, "upper", O_PATH | O_DIRECTORY, 0);
	if (rc >= 0)
		rc = work = sys_openat(shop, "work", O_PATH | O_DIRECTORY, 0);
	if (rc >= 0)
		rc = sys_new_overlay(lowers, (unsigned)step->size, upper, work, step->flags);
	closed = close_workshop(shop);
	return rc < 0 ? rc : closed < 0 ? closed : rc;
}

static int lay(struct run *run, const struct step *step, const int *lowers)
{
	const struct layer_paths *paths = step->data;
	auto_close int upper = -1;
	auto_close int work = -1;

	if (!paths->is_writable)
		return sys_new_overlay(lowers, paths->count, -1, -1, step->flags);
	if (!paths->upper)
		return lay_in_workshop(run, step, lowers);
	upper = sys_open(paths->upper, O_PATH | O_DIRECTORY, 0);
	work = sys_open(paths->work, O_PATH | O_DIRECTORY, 0);
	if (upper < 0 || work < 0)
		return upper < 0 ? upper : work;
	return sys_new_overlay(lowers, paths->count, upper, work, step->flags);
}

/* Upper and work must be on one mount and the layers in this namespace, so they are opened here, by their paths on the host. */
int op_layers(struct run *run, const struct step *step)
{
	const struct layer_paths *paths = step->data;
	int lowers[MOST_LAYERS];
	unsigned opened = 0;
	int rc = paths->count > MOST_LAYERS ? -E2BIG : 0;

	for (; rc >= 0 && opened < paths->count; opened++)
		rc = lowers[opened] = sys_open(paths->lowers[opened], O_PATH | O_DIRECTORY, 0);
	if (rc >= 0)
		rc = lay(run, step, lowers);
	while (opened--)
		if (lowers[opened] >= 0)
			sys_close(lowers[opened]);
	if (rc < 0)
		return rc;
	run->slots[step->slot] = rc;
	return 0;
}

int op_file_cover(struct run *run, const struct step *step)
{
	int shop = open_workshop(step->text);
	const struct place place = { .directory = shop, .path = "file" };
	int rc, closed;

	if (shop < 0)
		return shop;
	rc = fill_file(step, &place, O_EXCL);
	if (rc == 0)
		rc = give_to_user(run, step, shop, "file");
	if (rc == 0)
		rc = sys_clone_tree(shop, "file", AT_SYMLINK_NOFOLLOW, step->flags, 0, -1);
	closed = close_workshop(shop);
	if (rc < 0)
		return rc;
	run->slots[step->slot] = rc;
	return closed;
}
