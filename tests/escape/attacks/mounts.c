/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks on the jail's tree by the mount family. */
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attack.h"

#ifndef MS_REMOUNT
#define MS_REMOUNT 32
#define MS_BIND 4096
#endif

static int mount_new(char **argument)
{
	mkdir(argument[1], 0700);
	return outcome(mount("none", argument[1], argument[0], 0, NULL));
}

static int mount_bind(char **argument)
{
	return outcome(mount(argument[0], argument[1], NULL, MS_BIND, NULL));
}

static int remount_writable(char **argument)
{
	return outcome(mount(NULL, argument[0], NULL, MS_REMOUNT | MS_BIND, NULL));
}

static int set_writable(char **argument)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };

	return outcome(syscall(SYS_mount_setattr, AT_FDCWD, argument[0], 0, &attr, sizeof(attr)));
}

/* Flags only; the old call would take away what lies over a masked file. */
static int unmount(char **argument)
{
	return outcome(umount2(argument[0], MNT_DETACH));
}

static int clone_tree(char **argument)
{
	return outcome(syscall(SYS_open_tree, AT_FDCWD, argument[0], 1 /* OPEN_TREE_CLONE */));
}

static int open_file_system(char **argument)
{
	return outcome(syscall(SYS_fsopen, argument[0], 0));
}

static int pick_file_system(char **argument)
{
	return outcome(syscall(SYS_fspick, AT_FDCWD, argument[0], 0));
}

static int move_tree(char **argument)
{
	return outcome(syscall(SYS_move_mount, AT_FDCWD, argument[0], AT_FDCWD, argument[1], 0));
}

static int pivot(char **argument)
{
	return outcome(syscall(SYS_pivot_root, argument[0], argument[0]));
}

static int change_root(char **argument)
{
	return outcome(chroot(argument[0]));
}

/* Gives itself a user namespace, and in it everything: CVE-2022-0492 and most local exploits begin so. */
static int mount_in_new_userns(char **argument)
{
	if (syscall(SYS_unshare, 0x10000000 | 0x00020000) < 0)
		return -errno;
	return outcome(mount("none", argument[0], "tmpfs", 0, NULL));
}

const struct attack mount_attacks[] = {
	{ "mount", mount_new, 2 }, { "bind", mount_bind, 2 }, { "remount-writable", remount_writable, 1 },
	{ "set-writable", set_writable, 1 }, { "unmount", unmount, 1 }, { "clone-tree", clone_tree, 1 },
	{ "open-file-system", open_file_system, 1 }, { "pick-file-system", pick_file_system, 1 }, { "move-tree", move_tree, 2 },
	{ "pivot", pivot, 1 }, { "change-root", change_root, 1 }, { "mount-in-new-userns", mount_in_new_userns, 1 },
	{ NULL, NULL, 0 },
};
