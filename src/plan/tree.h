/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of the jail, before it becomes steps: what stands where, and who may write it. Features
 * add to it; then it is settled (a directory before what lies in it, so that the most specific wins)
 * and becomes mounts, Landlock rules and expectations, all from the same list.
 */
#ifndef IMMURE_PLAN_TREE_H
#define IMMURE_PLAN_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/plan.h"

enum tree_kind {
	TREE_SCRATCH,   /* the fresh file system of the root itself, or a writable part of it */
	TREE_BIND,      /* something of the host's */
	TREE_TMPFS,     /* a file system of its own */
	TREE_PROC, TREE_SYSFS, TREE_DEVPTS,
	TREE_DIRECTORY, TREE_FILE, TREE_SYMLINK,
	TREE_MASK, TREE_READ_ONLY, TREE_OVERLAY,
};

/* Whose file system the place of an item is on, and so who may make things there. */
enum tree_place {
	PLACE_FRESH,    /* immure's own, made in this run: mount points are made */
	PLACE_LAYER,    /* the writable layer of an overlay: mount points are made, but links of others may lie on the way */
	PLACE_FOREIGN,  /* somebody's: nothing is ever made there */
};

struct tree_item {
	enum tree_kind kind;
	const char *target;      /* absolute, clean, inside the jail */
	const char *source;      /* BIND, OVERLAY: host path; SYMLINK: what it says */
	bool is_file;            /* BIND: of something that is no directory */
	bool is_writable;
	bool may_hold_devices;   /* no "nodev": device nodes of /dev, and a root that is to have its own */
	bool is_noexec;          /* BIND: nothing in it is executed */
	bool is_optional;        /* MASK: nothing is wrong when the target is missing */
	bool is_owned;           /* belongs to the jail's user; otherwise to root */
	const char *text;        /* TMPFS: options; FILE: content */
	size_t text_size;
	unsigned mode;
	int ids;                 /* BIND, OVERLAY: slot of the user namespace that maps its ids; 0: none. feature/owner.c */
	int borrowed;            /* PROC, TMPFS: slot of a mount that is the pod's; 0: it is a new one */
	const struct origin *origin;
	const char *why;
	int order;               /* as added */

	/* found out by tree_settle */
	enum tree_place place;
	bool is_direct;          /* no link can lie on the way there */
	bool has_inner;          /* other items lie in it */
	bool is_on_root;         /* nothing but the root and its plain directories lies above */
	bool is_given;           /* its place, or it itself, stands there already: the skeleton holds it */
};

enum { TREE_ITEMS = 160 };

struct tree {
	int count;
	bool is_full;
	struct tree_item items[TREE_ITEMS]; /* last: of a tree that is kept, only COUNT are there */
};

/* Without the room for what it does not hold: nothing may be added. NULL: no memory. */
struct tree *tree_copy(const struct tree *tree, struct arena *arena);
/* Adds ITEM; an earlier one on the same target gives way. */
void tree_add(struct tree *tree, struct tree_item item);
/* Leads every target past the links of the tree, sorts directories before what lies in them, and says of each item where it lies. */
void tree_settle(struct tree *tree, struct arena *arena);
/* PATH with the links of the tree followed, the last component included. NULL: no memory, or links in a circle. */
const char *tree_follow(const struct tree *tree, struct arena *arena, const char *path);
/* The item whose contents PATH is part of (maybe its own target); NULL: none. */
const struct tree_item *tree_holder(const struct tree *tree, const char *path);
/* The item exactly on TARGET; NULL: none. */
const struct tree_item *tree_find(const struct tree *tree, const char *target);
/* Whether the jail's /dev/pts is a file system of its own. */
bool tree_has_own_pts(const struct plan *plan);
/* Where the host's PATH is seen in the jail; NULL: nowhere. In ARENA. */
const char *tree_inside(const struct tree *tree, struct arena *arena, const char *path);

#endif
