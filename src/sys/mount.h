/* SPDX-License-Identifier: Apache-2.0 */
/* The mount family, new interface: mount_setattr(2), open_tree(2), fsopen(2) and their kin. 0 or a descriptor, or -errno. */
#ifndef IMMURE_SYS_MOUNT_H
#define IMMURE_SYS_MOUNT_H

#include <stdint.h>

#include "base/own.h"

/* A detached copy of the tree at PATH with ATTRIBUTES (MOUNT_ATTR_*) set on each mount of it: one call where the
 * kernel has open_tree_attr(2), two otherwise. FLAGS: AT_RECURSIVE, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW. USERNS: for
 * MOUNT_ATTR_IDMAP, or -1. PROPAGATION: MS_PRIVATE or MS_SLAVE for each mount of it; 0: as it is. */
int sys_clone_tree(int directory, const char *path, unsigned flags, uint64_t attributes, uint64_t propagation, int userns);

/* A new detached mount of file system TYPE. OPTIONS: "size=1M,mode=755", or NULL. ATTRIBUTES: MOUNT_ATTR_*. */
int sys_new_mount(const char *type, const char *options, uint64_t attributes);

/* A new overlay of LOWERS, descriptors of directories, the bottom first; UPPER and WORK, of one mount: -1 for none. */
int sys_new_overlay(const int *lowers, unsigned count, int upper, int work, uint64_t attributes);

/* Puts the detached TREE onto what PATH under DIRECTORY names; an empty PATH means DIRECTORY itself. */
int sys_attach(int tree, int directory, const char *path);

int sys_set_mount_attributes(int directory, const char *path, unsigned flags, uint64_t set, uint64_t clear);
int sys_set_propagation(const char *path, unsigned flags, uint64_t propagation);
/* The working directory becomes the root; the old root is detached. pivot_root(2), "pivot_root(".", ".")" */
int sys_pivot_here(void);
int sys_move_to_root(int directory); /* for a rootfs that pivot_root refuses: move onto / and chroot */
int sys_unmount(const char *path, int flags);

#endif
