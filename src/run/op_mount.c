/* SPDX-License-Identifier: Apache-2.0 */
/* Ops of the mount family. Places inside are always found below the new root. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#include "run/op.h"
#include "sys/mount.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef MS_PRIVATE
#define MS_PRIVATE (1 << 18)
#endif

/* PATH below the new root, links resolved as inside. */
static int open_inside(const struct run *run, const char *path, int flags)
{
	return sys_openat2(run->slots[SLOT_ROOT], path, O_PATH | flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int open_parent(const struct run *run, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char parent[4096];
	const size_t length = (size_t)(slash - path);

	*name = slash + 1;
	if (length == 0)
		return open_inside(run, "/", O_DIRECTORY);
	if (length >= sizeof(parent))
		return -ENAMETOOLONG;
	memcpy(parent, path, length);
	parent[length] = '\0';
	return open_inside(run, parent, O_DIRECTORY);
}

int op_private(struct run *run, const struct step *step)
{
	(void)run;
	return sys_set_propagation(step->subject, AT_RECURSIVE, MS_PRIVATE);
}

int op_source(struct run *run, const struct step *step)
{
	return run->slots[step->slot] = sys_clone_tree(AT_FDCWD, step->subject, AT_RECURSIVE, step->flags, -1);
}

int op_new_mount(struct run *run, const struct step *step)
{
	return run->slots[step->slot] = sys_new_mount(step->subject, step->text, step->flags);
}

int op_attach(struct run *run, const struct step *step)
{
	auto_close int place = -1;

	if (step->slot == SLOT_ROOT) /* over the old root, which pivot_root takes away */
		return sys_attach(run->slots[SLOT_ROOT], AT_FDCWD, "/");
	place = open_inside(run, step->subject, 0);
	if (place < 0)
		return place;
	return sys_attach(run->slots[step->slot], place, "");
}

/* A part of the new tree onto itself, with flags of its own. */
int op_bind_inside(struct run *run, const struct step *step)
{
	auto_close int place = open_inside(run, step->subject, 0);
	auto_close int tree = -1;

	if (place < 0)
		return place == -ENOENT && step->number ? 0 : place;
	tree = sys_clone_tree(place, "", AT_EMPTY_PATH | AT_RECURSIVE, step->flags, -1);
	if (tree < 0)
		return tree;
	return sys_attach(tree, place, "");
}

/* A file is covered by the null device that was opened outside, a directory by an empty file system. */
int op_mask(struct run *run, const struct step *step)
{
	auto_close int place = open_inside(run, step->subject, 0);
	auto_close int cover = -1;
	unsigned mode;
	uid_t uid;
	gid_t gid;
	int rc;

	if (place < 0)
		return place == -ENOENT && step->number ? 0 : place;
	rc = sys_stat(place, "", AT_EMPTY_PATH, &mode, &uid, &gid);
	if (rc < 0)
		return rc;
	if (S_ISDIR(mode))
		cover = sys_new_mount("tmpfs", "size=4k,nr_inodes=1,mode=555", step->flags);
	else
		cover = sys_clone_tree(run->slots[step->slot], "", AT_EMPTY_PATH, step->flags, -1);
	if (cover < 0)
		return cover;
	return sys_attach(cover, place, "");
}

int op_set_read_only(struct run *run, const struct step *step)
{
	(void)run;
	return sys_set_mount_attributes(AT_FDCWD, step->subject, 0, step->flags, 0);
}

int op_pivot(struct run *run, const struct step *step)
{
	int rc = sys_fchdir(run->slots[step->slot]);

	if (rc == 0)
		rc = sys_pivot_here();
	return rc < 0 ? rc : sys_chdir("/");
}

int op_chroot(struct run *run, const struct step *step)
{
	return sys_move_to_root(run->slots[step->slot]);
}
