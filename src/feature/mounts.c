/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The finished tree becomes steps. Sources are opened before anything changes: by the launcher where
 * it may clone mounts (it also may read what init no longer can), otherwise by init. The new root is
 * filled by descriptor. A path inside is resolved below the new root, so a symbolic link in it never
 * leads out; where immure alone has made all that leads there, it is used as it stands. What lies in
 * somebody's folder must have its place there already: nothing is made on the host. Then the old root goes.
 */
#include "feature/mounts.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>

#include "base/path.h"
#include "feature/bones.h"
#include "feature/skeleton.h"
#include "sys/mount_flags.h"

/* Enough to hold the mount points of what lies in a mask. */
static const char *const mask_options = "size=64k,nr_inodes=128,mode=555";

static bool is_root(const struct tree_item *item)
{
	return !item->target[1];
}

static uint64_t attributes_of(const struct tree_item *item)
{
	uint64_t attributes = MOUNT_ATTR_NOSUID;

	if (!item->may_hold_devices)
		attributes |= MOUNT_ATTR_NODEV;
	if (!item->is_writable)
		attributes |= MOUNT_ATTR_RDONLY;
	if (item->is_noexec || item->kind == TREE_PROC || item->kind == TREE_SYSFS || item->kind == TREE_MASK ||
	    (item->may_hold_devices && !is_root(item)))
		attributes |= MOUNT_ATTR_NOEXEC;
	return attributes;
}

static struct step item_step(enum op op, const struct tree_item *item)
{
	return (struct step){ .op = op, .side = INIT, .phase = PHASE_ROOT, .origin = item->origin, .why = item->why,
			      .subject = item->target, .slot = SLOT_NONE, .how = item->is_direct ? STEP_DIRECT : 0 };
}

static const struct tree_item *last_scratch(const struct tree *tree)
{
	for (int i = tree->count - 1; i >= 0; i--)
		if (tree->items[i].kind == TREE_SCRATCH && tree->items[i].is_given)
			return &tree->items[i];
	return NULL;
}

static int slot_of(struct plan *plan, const struct tree_item *item)
{
	return is_root(item) ? SLOT_ROOT : plan_slot(plan);
}

/* Whether the root is the skeleton; scratch then has no root of its own to be a part of. */
static bool has_skeleton(const struct plan *plan)
{
	const struct tree_item *root = plan->tree->items;

	return root->kind == TREE_BIND && root->text;
}

static bool is_made_already(const struct plan *plan, const char *path)
{
	if (tree_find(plan->tree, path) || (has_skeleton(plan) && skeleton_find(path)))
		return true;
	for (int i = plan->count - 1; i >= 0; i--)
		if (plan->steps[i].op == OP_DIRECTORY && strcmp(plan->steps[i].subject, path) == 0)
			return true;
	return false;
}

/* The directories above a target on a fresh file system that no item names; each is made once. */
static void add_parents(struct plan *plan, const struct tree_item *item)
{
	char *path = strchr(item->target + 1, '/') ? arena_copy(plan->arena, item->target) : NULL;

	for (char *slash = path ? strchr(path + 1, '/') : NULL; slash; slash = strchr(slash + 1, '/')) {
		struct step step = item_step(OP_DIRECTORY, item);

		*slash = '\0';
		if (!is_made_already(plan, path)) {
			step.subject = plan_copy(plan, path);
			step.number = 0755;
			step.origin = NULL;
			step.why = "leads to what follows";
			plan_add(plan, step);
		}
		*slash = '/';
	}
}

static void add_directory(struct plan *plan, const struct tree_item *item, unsigned mode)
{
	struct step step = item_step(item->place == PLACE_FOREIGN ? OP_FIND : OP_DIRECTORY, item);

	if (item->place != PLACE_FOREIGN)
		add_parents(plan, item);
	step.number = mode;
	step.how |= item->is_owned ? STEP_OWNED : 0;
	plan_add(plan, step);
}

static void add_mount_point(struct plan *plan, const struct tree_item *item)
{
	struct step step = item_step(OP_FILE, item);

	if (is_root(item) || item->is_given || item->place == PLACE_FOREIGN)
		return;
	if (!item->is_file) {
		add_directory(plan, item, item->kind == TREE_SCRATCH ? item->mode : 0755);
		return;
	}
	add_parents(plan, item);
	step.number = 0444;
	plan_add(plan, step);
}

static void add_attach(struct plan *plan, const struct tree_item *item, int slot)
{
	struct step step = item_step(OP_ATTACH, item);

	step.slot = slot;
	plan_add(plan, step);
}

/*
 * What the launcher clones is still of one group with the host's mount: what is mounted on it in the jail would appear on the
 * host, and stay. Init's own clones are taken from mounts that were cut off before.
 */
void mounts_add_source(struct plan *plan, struct step step, bool by_launcher)
{
	step.side = by_launcher ? LAUNCHER : INIT;
	step.phase = by_launcher ? PHASE_OPEN : PHASE_SOURCES;
	step.more = by_launcher ? plan->propagation : 0;
	plan_add(plan, step);
}

static int add_source(struct plan *plan, const struct tree_item *item, uint64_t attributes, int slot)
{
	struct step step = item_step(OP_SOURCE, item);

	step.slot = slot;
	step.subject = item->source;
	step.flags = attributes | (item->ids ? MOUNT_ATTR_IDMAP : 0);
	step.number = (uint64_t)item->ids;
	mounts_add_source(plan, step, plan->opens_as_launcher);
	return slot;
}

static void add_bind(struct plan *plan, const struct tree_item *item)
{
	int slot = add_source(plan, item, attributes_of(item), slot_of(plan, item));

	add_mount_point(plan, item);
	add_attach(plan, item, slot);
}

/* A file system of immure's own that nobody may write to is filled first. */
static void seal(struct plan *plan, const struct tree_item *item)
{
	plan_add(plan, (struct step){ .op = OP_SET_READ_ONLY, .side = INIT, .phase = PHASE_SEAL, .subject = item->target,
		.flags = MOUNT_ATTR_RDONLY, .slot = SLOT_NONE, .origin = item->origin, .why = "it is complete" });
}

static void add_new_mount(struct plan *plan, const struct tree_item *item, const char *type)
{
	const bool is_sealed = !item->is_writable && item->has_inner && item->kind != TREE_PROC && item->kind != TREE_SYSFS;
	struct step step = item_step(OP_NEW_MOUNT, item);

	if (item->borrowed) {
		add_mount_point(plan, item);
		add_attach(plan, item, item->borrowed);
		return;
	}
	step.slot = slot_of(plan, item);
	step.text = item->text;
	step.flags = attributes_of(item) & ~(is_sealed ? (uint64_t)MOUNT_ATTR_RDONLY : 0);
	step.subject = type;
	step.how = item->is_owned ? STEP_OWNED : 0;
	plan_add(plan, step);
	add_mount_point(plan, item);
	add_attach(plan, item, step.slot);
	if (is_sealed)
		seal(plan, item);
}

/* On the skeleton: the folder in the common file system that ITEM gets. */
static const char *add_part(struct plan *plan, const struct tree_item *item)
{
	const struct tree_item *last = last_scratch(plan->tree);
	const char *place = last ? last->target : "/tmp";
	struct step step = item_step(OP_DIRECTORY, item);

	step.subject = plan_format(plan, "%s/%s%u", place, path_last(item->target), path_depth(item->target));
	step.number = item->mode;
	step.how |= item->is_owned ? STEP_OWNED : 0;
	plan_add(plan, step);
	return step.subject;
}

/* The file system that holds all of them; in the end the last of them covers it. */
static void add_common_scratch(struct plan *plan)
{
	struct tree_item common = *plan->tree->items;
	const struct tree_item *last = last_scratch(plan->tree);
	struct step step = item_step(OP_NEW_MOUNT, &common);

	if (!has_skeleton(plan) || !last)
		return;
	step.subject = "tmpfs";
	step.text = common.text;
	step.flags = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	step.slot = plan_slot(plan);
	step.why = "what is writable";
	plan_add(plan, step);
	common.target = last->target;
	common.why = "its folders are taken from here, and the last covers it";
	add_attach(plan, &common, step.slot);
}

static void add_scratch(struct plan *plan, const struct tree_item *item)
{
	struct step step = item_step(OP_BIND_INSIDE, item);

	if (item->text) {
		add_new_mount(plan, item, "tmpfs");
		return;
	}
	if (item->is_given) {
		step.op = OP_BIND_PART;
		step.text = add_part(plan, item);
	}
	add_mount_point(plan, item);
	step.flags = attributes_of(item);
	plan_add(plan, step);
}

/* In somebody's folder an existing file is covered; elsewhere the file is made. */
static void add_file(struct plan *plan, const struct tree_item *item)
{
	const bool is_cover = item->place == PLACE_FOREIGN;
	struct step step = item_step(is_cover ? OP_FILE_COVER : OP_FILE, item);

	if (item->is_given)
		return;
	if (!is_cover)
		add_parents(plan, item);
	step.number = item->mode;
	step.data = item->text;
	step.size = item->text_size;
	step.how |= item->is_owned ? STEP_OWNED : 0;
	if (is_cover) {
		step.slot = plan_slot(plan);
		step.text = plan_format(plan, "size=%zu,nr_inodes=4,mode=700", item->text_size + 65536);
		step.flags = attributes_of(item);
	}
	plan_add(plan, step);
	if (is_cover)
		add_attach(plan, item, step.slot);
}

static void add_symlink(struct plan *plan, const struct tree_item *item)
{
	struct step step = item_step(OP_SYMLINK, item);
	char where[ORIGIN_TEXT];

	if (item->is_given)
		return;
	if (item->place == PLACE_FOREIGN && !plan->is_refused) {
		plan->is_refused = true;
		error_mistake(plan->err, "%s: a link cannot be made on \"%s\": it lies in a folder of the host's",
			      item->origin ? origin_print(item->origin, where) : "default", item->target);
		error_remedy(plan->err, "E-PLACE-FOREIGN", "show the folder by --overlay, or the root by --root-mode overlay");
		return;
	}
	add_parents(plan, item);
	step.text = item->source;
	plan_add(plan, step);
}

static void add_read_only(struct plan *plan, const struct tree_item *item)
{
	struct step step = item_step(OP_BIND_INSIDE, item);

	step.flags = attributes_of(item);
	step.how |= item->is_optional ? STEP_OPTIONAL : 0;
	plan_add(plan, step);
}

/* A mask in which something else is shown is a file system of its own, sealed at the end. */
static void add_mask(struct plan *plan, const struct tree_item *item)
{
	struct tree_item filled = *item;
	struct step step = item_step(OP_MASK, item);

	filled.text = mask_options;
	if (item->has_inner) {
		add_new_mount(plan, &filled, "tmpfs");
		return;
	}
	step.flags = attributes_of(item);
	step.how |= item->is_optional ? STEP_OPTIONAL : 0;
	step.slot = SLOT_NULL;
	plan_add(plan, step);
}

/* The null device that covers masked files is the host's own, opened before the tree of the jail exists. */
static void add_null_device(struct plan *plan)
{
	for (int i = 0; i < plan->tree->count; i++) {
		if (plan->tree->items[i].kind != TREE_MASK)
			continue;
		plan_add(plan, (struct step){ .op = OP_OPEN, .side = INIT, .phase = PHASE_SOURCES, .subject = "/dev/null",
			.slot = SLOT_NULL, .number = O_PATH, .why = "covers masked files" });
		return;
	}
}

static void add_overlay(struct plan *plan, const struct tree_item *item)
{
	struct step step = item_step(OP_OVERLAY, item);
	int source = add_source(plan, item, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY, plan_slot(plan));

	step.slot = slot_of(plan, item);
	step.number = (uint64_t)source;
	step.flags = attributes_of(item);
	step.text = item->text;
	plan_add(plan, step);
	add_mount_point(plan, item);
	add_attach(plan, item, step.slot);
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
	case TREE_DIRECTORY: add_directory(plan, item, item->mode); break;
	case TREE_FILE: add_file(plan, item); break;
	case TREE_SYMLINK: add_symlink(plan, item); break;
	case TREE_READ_ONLY: add_read_only(plan, item); break;
	case TREE_MASK: add_mask(plan, item); break;
	case TREE_OVERLAY: add_overlay(plan, item); break;
	}
}

void mounts_begin(struct plan *plan, const struct spec *spec)
{
	const bool stays = spec_leaves(spec, "propagation");

	plan->propagation = stays ? MS_SLAVE : MS_PRIVATE;
	/* In a mount namespace of another user namespace all that was shared is a slave already. mount_namespaces(7) */
	if (!stays || !(plan->clone_flags & CLONE_NEWUSER))
		plan_add(plan, (struct step){ .op = OP_PRIVATE, .side = INIT, .phase = PHASE_SOURCES, .subject = "/", .slot = SLOT_NONE,
			.flags = plan->propagation, .text = stays ? "slaves" : "private",
			.why = stays ? "nothing mounted inside is seen outside; what the host mounts is seen inside"
				     : "nothing mounted inside is seen outside, nor the other way" });
	plan_add(plan, (struct step){ .op = OP_UMASK, .side = INIT, .phase = PHASE_SOURCES, .slot = SLOT_NONE,
				      .why = "modes are given as they shall be" });
}

void mounts_end(struct plan *plan, const struct host *host)
{
	plan_add(plan, (struct step){ .op = host->root_is_rootfs ? OP_CHROOT : OP_PIVOT, .side = INIT, .phase = PHASE_PIVOT,
				      .slot = SLOT_ROOT, .why = "into the new root; the old one goes" });
}

static void plan_mounts(struct plan *plan, const struct spec *spec, const struct host *host)
{
	if (spec->is_ordered)
		return;
	tree_settle(plan->tree, plan->arena);
	if (!plan->has_mountns)
		return;
	mounts_begin(plan, spec);
	bones_use(plan, host);
	add_null_device(plan);
	for (int i = 0; i < plan->tree->count; i++) {
		add_item(plan, &plan->tree->items[i]);
		if (i == 0)
			add_common_scratch(plan);
	}
	mounts_end(plan, host);
}

const struct feature feature_mounts = { .name = "mounts", .title = "File system", .plan = plan_mounts };
