/* SPDX-License-Identifier: Apache-2.0 */
/* Ops of the mount family. Places inside are always found below the new root. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "run/op.h"
#include "run/place.h"
#include "sys/mount.h"
#include "sys/mount_flags.h"

/* A missing place is nothing wrong for what is optional. */
static int forgive(const struct step *step, int rc)
{
	return rc == -ENOENT && (step->how & STEP_OPTIONAL) ? 0 : rc;
}

int op_private(struct run *run, const struct step *step)
{
	(void)run;
	return sys_set_propagation(step->subject, AT_RECURSIVE, step->flags);
}

int op_source(struct run *run, const struct step *step)
{
	const int ids = step->flags & MOUNT_ATTR_IDMAP ? run->slots[step->number] : -1;

	const struct file_identity *wanted = step->data;
	struct sys_identity found;
	int rc = run->slots[step->slot] = sys_clone_tree(AT_FDCWD, step->subject, AT_RECURSIVE, step->flags, step->more, ids);

	if (rc < 0 || !wanted)
		return rc;
	rc = sys_identity_at(run->slots[step->slot], &found);
	if (rc < 0)
		return rc;
	return found.device == wanted->device && found.inode == wanted->inode ? 0 : -ESTALE;
}

int op_new_mount(struct run *run, const struct step *step)
{
	int rc = run->slots[step->slot] = sys_new_mount(step->subject, step->text, step->flags);

	if (rc < 0 || !(step->how & STEP_OWNED))
		return rc;
	return give_to_user(run, step, rc, "");
}

int op_attach(struct run *run, const struct step *step)
{
	auto_place struct place place = NO_PLACE;
	int rc;

	if (step->slot == SLOT_ROOT) /* over the old root, which pivot_root takes away */
		return sys_attach(run->slots[SLOT_ROOT], AT_FDCWD, "/");
	rc = find_place(run, step, &place);
	return rc < 0 ? rc : attach(run->slots[step->slot], place.directory, place.path);
}

/* A part of the new tree onto itself, with flags of its own. */
int op_bind_inside(struct run *run, const struct step *step)
{
	auto_place struct place place = NO_PLACE;
	auto_close int tree = -1;
	int rc = find_place(run, step, &place);

	if (rc == 0)
		rc = tree = sys_clone_tree(place.directory, place.path, place.flags | AT_RECURSIVE, step->flags, 0, -1);
	if (rc < 0)
		return forgive(step, rc);
	return sys_attach(tree, place.directory, place.path);
}

/* A folder in a file system that immure has just made, onto another place. */
int op_bind_part(struct run *run, const struct step *step)
{
	const int root = run->slots[SLOT_ROOT];
	auto_close int tree = sys_clone_tree(root, step->text + 1, AT_SYMLINK_NOFOLLOW, step->flags, 0, -1);

	return tree < 0 ? tree : sys_attach(tree, root, step->subject + 1);
}

/* A file is covered by the null device that was opened outside, a directory by an empty file system. */
int op_mask(struct run *run, const struct step *step)
{
	auto_place struct place place = NO_PLACE;
	auto_close int cover = -1;
	unsigned mode = 0;
	uid_t uid;
	gid_t gid;
	int rc = find_place(run, step, &place);

	if (rc == 0)
		rc = sys_stat(place.directory, place.path, (int)place.flags, &mode, &uid, &gid);
	if (rc < 0)
		return forgive(step, rc);
	if (S_ISDIR(mode))
		cover = sys_new_mount("tmpfs", "size=4k,nr_inodes=1,mode=555", step->flags);
	else
		cover = sys_clone_tree(run->slots[step->slot], "", AT_EMPTY_PATH, step->flags, 0, -1);
	if (cover < 0)
		return cover;
	return sys_attach(cover, place.directory, place.path);
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
