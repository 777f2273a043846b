/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The finished tree becomes steps. Sources are opened before anything changes: by the launcher where
 * it may clone mounts (it also may read what init no longer can), otherwise by init. The new root is
 * filled by descriptor; a path inside is always resolved below the new root, so a symbolic link in it
 * never leads out. Then the old root goes.
 */
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/path.h"
#include "feature/feature.h"

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

static uint64_t attributes_of(const struct tree_item *item)
{
	uint64_t attributes = MOUNT_ATTR_NOSUID;

	if (!item->may_hold_devices)
		attributes |= MOUNT_ATTR_NODEV;
	if (!item->is_writable)
		attributes |= MOUNT_ATTR_RDONLY;
	if (item->kind == TREE_PROC || item->kind == TREE_SYSFS || item->may_hold_devices || item->kind == TREE_MASK)
		attributes |= MOUNT_ATTR_NOEXEC;
	return attributes;
}

static struct step item_step(enum op op, const struct tree_item *item)
{
	return (struct step){ .op = op, .side = INIT, .phase = PHASE_ROOT, .origin = item->origin, .why = item->why,
			      .subject = item->target, .slot = SLOT_NONE };
}

/* Whether what lies at PATH is on a file system that immure itself has just made, and so must be created. */
static bool is_fresh(const struct tree *tree, const struct tree_item *self)
{
	const struct tree_item *holder = NULL;

	for (int i = 0; i < tree->count; i++) {
		const struct tree_item *item = &tree->items[i];
		const bool holds = item->kind == TREE_SCRATCH || item->kind == TREE_TMPFS || item->kind == TREE_BIND ||
				   item->kind == TREE_PROC || item->kind == TREE_SYSFS || item->kind == TREE_OVERLAY ||
				   item->kind == TREE_DIRECTORY;

		if (item == self || !holds || item->is_file || !path_is_under(self->target, item->target))
			continue;
		if (!holder || path_depth(item->target) > path_depth(holder->target))
			holder = item;
	}
	return !holder || holder->kind == TREE_SCRATCH || holder->kind == TREE_TMPFS || holder->kind == TREE_DIRECTORY ||
	       holder->kind == TREE_OVERLAY;
}

/* The parents of a target on a fresh file system; each is made once. */
static void add_parents(struct plan *plan, const struct tree_item *item)
{
	char *path = arena_copy(plan->arena, item->target);

	for (char *slash = path ? strchr(path + 1, '/') : NULL; slash; slash = strchr(slash + 1, '/')) {
		struct step step = item_step(OP_DIRECTORY, item);
		bool is_made = false;

		*slash = '\0';
		for (int i = 0; i < plan->count; i++)
			is_made |= (plan->steps[i].op == OP_DIRECTORY || plan->steps[i].op == OP_ATTACH) &&
				   strcmp(plan->steps[i].subject, path) == 0;
		step.subject = plan_copy(plan, path);
		step.number = 0755;
		step.origin = NULL;
		step.why = "leads to what follows";
		if (!is_made)
			plan_add(plan, step);
		*slash = '/';
	}
}

static void add_directory(struct plan *plan, const struct tree_item *item, unsigned mode)
{
	struct step step = item_step(OP_DIRECTORY, item);

	step.number = mode;
	step.flags = item->is_owned ? STEP_OWNED : 0;
	plan_add(plan, step);
}

static void add_mount_point(struct plan *plan, const struct tree_item *item)
{
	struct step step = item_step(OP_FILE, item);

	if (strcmp(item->target, "/") == 0 || !is_fresh(plan->tree, item))
		return;
	add_parents(plan, item);
	if (!item->is_file) {
		add_directory(plan, item, item->mode ? item->mode : 0755);
		return;
	}
	step.number = 0444;
	step.text = "";
	plan_add(plan, step);
}

static void add_attach(struct plan *plan, const struct tree_item *item, int slot)
{
	struct step step = item_step(OP_ATTACH, item);

	step.slot = slot;
	plan_add(plan, step);
}

static void add_bind(struct plan *plan, const struct tree_item *item)
{
	struct step step = item_step(OP_SOURCE, item);
	const bool is_root = strcmp(item->target, "/") == 0;

	step.slot = is_root ? SLOT_ROOT : plan_slot(plan);
	step.subject = item->source;
	step.flags = attributes_of(item);
	step.side = plan->opens_as_launcher ? LAUNCHER : INIT;
	step.phase = plan->opens_as_launcher ? PHASE_OPEN : PHASE_SOURCES;
	plan_add(plan, step);
	add_mount_point(plan, item);
	add_attach(plan, item, step.slot);
}

static void add_new_mount(struct plan *plan, const struct tree_item *item, const char *type)
{
	struct step step = item_step(OP_NEW_MOUNT, item);
	const bool is_root = strcmp(item->target, "/") == 0;

	step.slot = is_root ? SLOT_ROOT : plan_slot(plan);
	step.text = item->text;
	step.flags = attributes_of(item);
	step.subject = type;
	plan_add(plan, step);
	add_mount_point(plan, item);
	add_attach(plan, item, step.slot);
}

static void add_scratch(struct plan *plan, const struct tree_item *item)
{
	const struct tree_item *root = tree_find(plan->tree, "/");
	struct step step = item_step(OP_BIND_INSIDE, item);

	if (strcmp(item->target, "/") == 0) {
		struct tree_item writable = *item;

		writable.is_writable = true; /* while it is filled; PHASE_SEAL ends that */
		add_new_mount(plan, &writable, "tmpfs");
		return;
	}
	if (root->kind != TREE_SCRATCH) { /* nothing of ours to take a part of */
		struct tree_item own = *item;

		own.text = plan_format(plan, "size=64M,nr_inodes=8192,mode=%o", item->mode);
		own.kind = TREE_TMPFS;
		add_new_mount(plan, &own, "tmpfs");
		return;
	}
	add_mount_point(plan, item);
	step.flags = attributes_of(item);
	plan_add(plan, step);
}

static void add_file(struct plan *plan, const struct tree_item *item)
{
	struct step step = item_step(OP_FILE, item);

	add_parents(plan, item);
	step.number = item->mode;
	step.data = item->text;
	step.size = item->text_size;
	step.flags = item->is_owned ? STEP_OWNED : 0;
	if (item->descriptor >= 0) {
		step.more = (uint64_t)item->descriptor;
		step.flags |= STEP_FROM_DESCRIPTOR;
	}
	plan_add(plan, step);
}

static void add_symlink(struct plan *plan, const struct tree_item *item)
{
	struct step step = item_step(OP_SYMLINK, item);

	add_parents(plan, item);
	step.text = item->source;
	plan_add(plan, step);
}

static void add_mask(struct plan *plan, const struct tree_item *item)
{
	struct step step = item_step(item->kind == TREE_MASK ? OP_MASK : OP_BIND_INSIDE, item);

	step.flags = attributes_of(item);
	step.number = item->is_optional;
	step.slot = item->kind == TREE_MASK ? SLOT_NULL : SLOT_NONE;
	plan_add(plan, step);
}

/* The null device that covers masked files is the host's own, opened before the tree of the jail exists. */
static void add_null_device(struct plan *plan)
{
	plan_add(plan, (struct step){ .op = OP_OPEN, .side = INIT, .phase = PHASE_SOURCES, .subject = "/dev/null",
		.slot = SLOT_NULL, .number = O_PATH, .why = "covers masked files" });
}

static void add_overlay(struct plan *plan, const struct tree_item *item)
{
	struct step step = item_step(OP_SOURCE, item);
	const int source = plan_slot(plan), slot = strcmp(item->target, "/") == 0 ? SLOT_ROOT : plan_slot(plan);

	step.slot = source;
	step.subject = item->source;
	step.flags = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY;
	step.side = plan->opens_as_launcher ? LAUNCHER : INIT;
	step.phase = plan->opens_as_launcher ? PHASE_OPEN : PHASE_SOURCES;
	plan_add(plan, step);
	step = item_step(OP_OVERLAY, item);
	step.slot = slot;
	step.number = (uint64_t)source;
	step.flags = attributes_of(item);
	plan_add(plan, step);
	add_mount_point(plan, item);
	add_attach(plan, item, slot);
}

static void add_item(struct plan *plan, const struct tree_item *item)
{
	switch (item->kind) {
	case TREE_SCRATCH: add_scratch(plan, item); break;
	case TREE_BIND: add_bind(plan, item); break;
	case TREE_TMPFS: add_new_mount(plan, item, "tmpfs"); break;
	case TREE_PROC: add_new_mount(plan, item, "proc"); break;
	case TREE_SYSFS: add_new_mount(plan, item, "sysfs"); break;
	case TREE_DEVPTS: add_new_mount(plan, item, "devpts"); break;
	case TREE_MQUEUE: add_new_mount(plan, item, "mqueue"); break;
	case TREE_DIRECTORY: add_parents(plan, item); add_directory(plan, item, item->mode); break;
	case TREE_FILE: add_file(plan, item); break;
	case TREE_SYMLINK: add_symlink(plan, item); break;
	case TREE_MASK: case TREE_READ_ONLY: add_mask(plan, item); break;
	case TREE_OVERLAY: add_overlay(plan, item); break;
	}
}

static void plan_mounts(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const struct tree_item *root;

	(void)spec;
	tree_sort(plan->tree);
	root = tree_find(plan->tree, "/");
	if (!plan->has_mountns)
		return;
	plan_add(plan, (struct step){ .op = OP_PRIVATE, .side = INIT, .phase = PHASE_SOURCES, .subject = "/", .slot = SLOT_NONE,
				      .why = "nothing mounted inside is seen outside, nor the other way" });
	for (int i = 0; i < plan->tree->count; i++)
		if (plan->tree->items[i].kind == TREE_MASK) {
			add_null_device(plan);
			break;
		}
	for (int i = 0; i < plan->tree->count; i++)
		add_item(plan, &plan->tree->items[i]);
	plan_add(plan, (struct step){ .op = host->root_is_rootfs ? OP_CHROOT : OP_PIVOT, .side = INIT, .phase = PHASE_PIVOT,
				      .slot = SLOT_ROOT, .why = "into the new root; the old one goes" });
	if (root && root->kind == TREE_SCRATCH && !root->is_writable)
		plan_add(plan, (struct step){ .op = OP_SET_READ_ONLY, .side = INIT, .phase = PHASE_SEAL, .subject = "/",
			.flags = MOUNT_ATTR_RDONLY, .slot = SLOT_NONE, .why = "the root is complete" });
}

const struct feature feature_mounts = { .name = "mounts", .title = "File system", .plan = plan_mounts };
