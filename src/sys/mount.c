/* SPDX-License-Identifier: Apache-2.0 */
/* The mount family. */
#include "sys/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/mount_flags.h"

#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef OPEN_TREE_CLOEXEC
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#endif

static int set_attributes(int directory, const char *path, unsigned flags, const struct mount_attr *attr)
{
	return minus_errno(syscall(SYS_mount_setattr, directory, path, flags, attr, sizeof(*attr)));
}

int sys_clone_tree(int directory, const char *path, unsigned flags, uint64_t attributes, uint64_t propagation, int userns)
{
	struct mount_attr attr = { .attr_set = attributes, .propagation = propagation, .userns_fd = userns < 0 ? 0 : (uint64_t)userns };
	const unsigned clone_flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags;
	auto_close int tree = -1;
	int rc;

	if (attributes || propagation) {
		tree = minus_errno(syscall(SYS_open_tree_attr, directory, path, clone_flags, &attr, sizeof(attr)));
		if (tree != -ENOSYS)
			return take_fd(&tree);
	}
	tree = minus_errno(syscall(SYS_open_tree, directory, path, clone_flags));
	if (tree < 0 || (!attributes && !propagation))
		return take_fd(&tree);
	rc = set_attributes(tree, "", AT_EMPTY_PATH | (flags & AT_RECURSIVE), &attr);
	return rc < 0 ? rc : take_fd(&tree);
}

static int configure(int fs, const char *options)
{
	char copy[256], *save = NULL;

	if (strlen(options) >= sizeof(copy))
		return -E2BIG;
	strcpy(copy, options);
	for (char *option = strtok_r(copy, ",", &save); option; option = strtok_r(NULL, ",", &save)) {
		char *value = strchr(option, '=');
		unsigned command = value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

		if (value)
			*value++ = '\0';
		if (syscall(SYS_fsconfig, fs, command, option, value, 0) < 0)
			return -errno;
	}
	return 0;
}

static int set_text(int fs, const char *key, const char *value)
{
	return minus_errno(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0));
}

int sys_new_mount(const char *type, const char *options, uint64_t attributes)
{
	auto_close int fs = minus_errno(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
	int rc = fs < 0 ? fs : set_text(fs, "source", type); /* without one, df and mount call it "none" */

	if (rc >= 0 && options)
		rc = configure(fs, options);
	if (rc >= 0)
		rc = minus_errno(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	if (rc >= 0)
		rc = minus_errno(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, (unsigned)attributes));
	return rc;
}

/* A descriptor has a short name without any character that overlayfs takes for its own. */
static int set_directory(int fs, const char *key, int directory)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", directory);
	return set_text(fs, key, path);
}

/* All in one value, as kernels before 6.7 want it: the top first. fsconfig(2) takes 255 bytes. */
static int set_lowers_at_once(int fs, const int *lowers, unsigned count)
{
	char list[256];
	size_t used = 0;

	while (count--) {
		int length = snprintf(list + used, sizeof(list) - used, "%s/proc/self/fd/%d", used ? ":" : "", lowers[count]);

		if (length < 0 || (size_t)length >= sizeof(list) - used)
			return -E2BIG;
		used += (size_t)length;
	}
	return set_text(fs, "lowerdir", list);
}

static int set_lowers_in_turn(int fs, const int *lowers, unsigned count)
{
	int rc = 0;

	while (rc >= 0 && count--)
		rc = set_directory(fs, "lowerdir+", lowers[count]);
	return rc;
}

static int make_overlay(int (*set_lowers)(int fs, const int *lowers, unsigned count), const int *lowers, unsigned count, int upper, int work,
			uint64_t attributes)
{
	auto_close int fs = minus_errno(syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC));
	int rc = fs < 0 ? fs : set_lowers(fs, lowers, count);

	if (rc >= 0 && upper >= 0)
		rc = set_directory(fs, "upperdir", upper);
	if (rc >= 0 && upper >= 0)
		rc = set_directory(fs, "workdir", work);
	if (rc >= 0) /* "user." attributes: all that a user namespace may write */
		rc = minus_errno(syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0));
	if (rc >= 0)
		rc = minus_errno(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	return rc < 0 ? rc : minus_errno(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, (unsigned)attributes));
}

/* A key that it does not know a kernel before 6.5 takes, and refuses in the end; 6.5 and 6.6 refuse it at once. */
int sys_new_overlay(const int *lowers, unsigned count, int upper, int work, uint64_t attributes)
{
	int rc = make_overlay(set_lowers_in_turn, lowers, count, upper, work, attributes);

	return rc == -EINVAL ? make_overlay(set_lowers_at_once, lowers, count, upper, work, attributes) : rc;
}

int sys_attach(int tree, int directory, const char *path)
{
	unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (*path ? 0 : MOVE_MOUNT_T_EMPTY_PATH);

	return minus_errno(syscall(SYS_move_mount, tree, "", directory, path, flags));
}

int sys_set_mount_attributes(int directory, const char *path, unsigned flags, uint64_t set, uint64_t clear)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear };

	return set_attributes(directory, path, flags, &attr);
}

int sys_set_propagation(const char *path, unsigned flags, uint64_t propagation)
{
	struct mount_attr attr = { .propagation = propagation };

	return set_attributes(AT_FDCWD, path, flags, &attr);
}

/*
 * The old root now lies over the new one, and other mounts may lie over the old root: each call takes away the uppermost, as seen
 * from the old root. When that is gone itself it is no place of this namespace any more, which the kernel says by EINVAL. umount(2)
 */
static int take_away(int old)
{
	int count = 0;

	if (fchdir(old) < 0)
		return -errno;
	while (umount2(".", MNT_DETACH) == 0)
		count++;
	return errno == EINVAL && count ? 0 : -errno;
}

int sys_pivot_here(void)
{
	auto_close int old = sys_open("/", O_PATH | O_DIRECTORY, 0);

	if (old < 0)
		return old;
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return -errno;
	return take_away(old);
}

int sys_move_to_root(int directory)
{
	if (fchdir(directory) < 0)
		return -errno;
	return minus_errno(chroot("."));
}

int sys_unmount(const char *path, int flags)
{
	return minus_errno(umount2(path, flags));
}
