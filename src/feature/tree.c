/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the user puts into the tree, over the root (root.c) and in the order given: the most specific
 * wins, and of two on one place the later. It only fills the tree; mounts.c turns it into steps.
 */
#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "feature/owner.h"
#include "feature/root.h"

static const char *const root_modes[] = { "ro", "rw", "overlay", "rw-dev", NULL };

static const struct field fields[] = {
	{ .key = "root", .type = FIELD_PATH, FIELD(root), .example = "/srv/jail", .since = "0.1",
	  .help = "the root: a directory, or \"empty\"; without it, the host's system directories read-only and a small /etc" },
	{ .key = "root-mode", .type = FIELD_ENUM, FIELD(root_mode), .choices = root_modes, .fallback = "ro", .since = "0.1",
	  .help = "how --root DIR is shown: ro, rw, overlay (writes are thrown away), or rw-dev (rw, and its device files work)" },
	{ .key = "ro", .type = FIELD_MOUNTS, .kind = MOUNT_RO, FIELD(mounts), .example = ".", .since = "0.1",
	  .help = "show a host file or directory, read-only" },
	{ .key = "rw", .type = FIELD_MOUNTS, .kind = MOUNT_RW, FIELD(mounts), .example = "./out:/out", .since = "0.1",
	  .help = "show a host file or directory, writable" },
	{ .key = "overlay", .type = FIELD_MOUNTS, .kind = MOUNT_OVERLAY, FIELD(mounts), .example = ".", .since = "0.1",
	  .help = "show a host directory, writable; what is written is thrown away at the end" },
	{ .key = "tmpfs", .type = FIELD_MOUNTS, .kind = MOUNT_TMPFS, FIELD(mounts), .example = "/scratch:size=64M", .since = "0.1",
	  .help = "a fresh file system in memory" },
	{ .key = "file", .type = FIELD_MOUNTS, .kind = MOUNT_FILE, FIELD(mounts), .example = "/etc/token=@token.txt", .since = "0.1",
	  .help = "a file from text, from a copy of a host file, or from an open descriptor" },
	{ .key = "dir", .type = FIELD_MOUNTS, .kind = MOUNT_DIR, FIELD(mounts), .example = "/data", .since = "0.1",
	  .help = "an empty directory; it is as writable as what it lies in, and the root is not" },
	{ .key = "symlink", .type = FIELD_MOUNTS, .kind = MOUNT_SYMLINK, FIELD(mounts), .example = "/bin/sh=dash", .since = "0.1",
	  .help = "a symbolic link" },
	{ .key = "mask", .type = FIELD_MOUNTS, .kind = MOUNT_MASK, FIELD(mounts), .example = "/usr/share/secret", .since = "0.1",
	  .help = "hide a file or directory" },
	{ .key = "tmp-size", .type = FIELD_SIZE, FIELD(tmp_bytes), .fallback = "512M", .since = "0.1",
	  .help = "how much /tmp, /var/tmp, /run, /dev/shm and the home hold together" },
	{ .key = "tmp-inodes", .type = FIELD_COUNT, FIELD(tmp_inodes), .fallback = "65536", .since = "0.1",
	  .help = "how many files they hold together" },
	{ 0 },
};

static int check_source(const struct mount *mount, const struct host *host, struct error *err)
{
	const enum path_kind kind = host_look(host, mount->source)->kind;
	char where[ORIGIN_TEXT];

	if (kind == PATH_MISSING && mount->is_optional)
		return 0;
	if (kind == PATH_MISSING) {
		error_set(err, ENOENT, "%s: \"%s\"", origin_print(&mount->origin, where), mount->source);
		error_remedy(err, "E-SOURCE-MISSING", "the path must exist on the host");
		return -ENOENT;
	}
	if (kind == PATH_SOCKET) {
		error_mistake(err, "%s: \"%s\" is a socket: whoever listens on it is outside the jail",
			      origin_print(&mount->origin, where), mount->source);
		error_remedy(err, "E-SOURCE-SOCKET", "bind its folder if this is really wanted");
		return -EINVAL;
	}
	if (mount->kind == MOUNT_OVERLAY && kind != PATH_DIRECTORY) {
		error_mistake(err, "%s: \"%s\" is not a directory", origin_print(&mount->origin, where), mount->source);
		error_remedy(err, "E-OVERLAY-DIRECTORY", "only a directory can have a layer over it; --file DST=@PATH makes a writable copy");
		return -EINVAL;
	}
	return 0;
}

/* Without a mount namespace of its own the jail sees the host's tree: only rights can be had, not places. */
static int check_without_mounts(const struct spec *spec, struct error *err)
{
	char where[ORIGIN_TEXT];

	if (spec->root) {
		error_mistake(err, "%s: another root needs a mount namespace", origin_print(SPEC_ORIGIN(spec, root), where));
		error_remedy(err, "E-NEEDS-MOUNTS", "only --ro PATH and --rw PATH, on their own places, work without one");
		return -EINVAL;
	}
	for (const struct mount *mount = spec->mounts; mount; mount = mount->next) {
		if ((mount->kind == MOUNT_RO || mount->kind == MOUNT_RW) && strcmp(mount->source, mount->target) == 0)
			continue;
		error_mistake(err, "%s: \"%s\" needs a mount namespace", origin_print(&mount->origin, where), mount->target);
		error_remedy(err, "E-NEEDS-MOUNTS", "only --ro PATH and --rw PATH, on their own places, work without one");
		return -EINVAL;
	}
	return 0;
}

static int check_places(const struct spec *spec, struct error *err)
{
	char where[ORIGIN_TEXT];

	for (const struct mount *mount = spec->mounts; mount; mount = mount->next) {
		const char *target = mount->target;

		if (target[strspn(target, "/.")] || mount->kind >= MOUNT_RW_DEV) /* these are refused by another rule */
			continue;
		error_mistake(err, "%s: nothing can be put on \"%s\"", origin_print(&mount->origin, where), target);
		error_remedy(err, "E-PLACE-ROOT", "another root is chosen by --root DIR");
		return -EINVAL;
	}
	return 0;
}

static int check(const struct spec *spec, const struct host *host, struct error *err)
{
	const bool has_mounts = !host->has_no_namespaces && spec->mountns.mode == NAMESPACE_NEW;
	int rc;

	if (spec->is_ordered)
		return 0;
	rc = has_mounts ? check_places(spec, err) : check_without_mounts(spec, err);
	if (rc == 0 && has_mounts && !host->has_mount_api) {
		error_mistake(err, "Linux %d.%d has no mount_setattr(2)", host->kernel_major, host->kernel_minor);
		error_remedy(err, "E-KERNEL-OLD", "a mount namespace of immure needs Linux 5.12; see immure doctor");
		return -EINVAL;
	}
	for (const struct mount *mount = spec->mounts; rc == 0 && mount; mount = mount->next)
		if (mount_is_of_host(mount))
			rc = check_source(mount, host, err);
	return rc;
}

/* Every tmpfs has its bounds: what was not said is that of --tmp-size and --tmp-inodes. */
static const char *tmpfs_options(struct plan *plan, const struct spec *spec, const struct mount *mount)
{
	const uint64_t bytes = mount->size_bytes == NUMBER_NONE ? spec->tmp_bytes : mount->size_bytes;
	const uint64_t inodes = mount->inodes == NUMBER_NONE ? spec->tmp_inodes : mount->inodes;

	return plan_format(plan, "size=%llu,nr_inodes=%llu,mode=%o", (unsigned long long)bytes, (unsigned long long)inodes, mount->mode);
}

/* One of --ro, --rw, ... as an item of the tree. */
static void add_mount(struct plan *plan, const struct spec *spec, const struct mount *mount, const struct host *host)
{
	static const enum tree_kind tree_kinds[] = {
		[MOUNT_RO] = TREE_BIND, [MOUNT_RW] = TREE_BIND, [MOUNT_TMPFS] = TREE_TMPFS, [MOUNT_FILE] = TREE_FILE,
		[MOUNT_DIR] = TREE_DIRECTORY, [MOUNT_SYMLINK] = TREE_SYMLINK, [MOUNT_MASK] = TREE_MASK,
		[MOUNT_OVERLAY] = TREE_OVERLAY,
	};
	const bool is_writable = mount->kind == MOUNT_RW || mount->kind == MOUNT_TMPFS || mount->kind == MOUNT_OVERLAY;
	struct tree_item item = { .kind = tree_kinds[mount->kind], .source = mount->source, .is_writable = is_writable,
				  .mode = mount->mode, .origin = &mount->origin };

	item.target = path_clean(plan->arena, "/", mount->target ? mount->target : mount->source);
	plan->is_short |= !item.target;
	if (!item.target)
		return;
	if (mount->kind == MOUNT_TMPFS)
		item.text = tmpfs_options(plan, spec, mount);
	if (mount->kind == MOUNT_OVERLAY)
		item.text = root_tmpfs_options(plan, spec, 1, 0700);
	if (mount->kind == MOUNT_FILE) {
		item.text = mount->bytes;
		item.text_size = mount->content_size;
	}
	item.is_owned = mount->kind == MOUNT_TMPFS || mount->kind == MOUNT_DIR || mount->kind == MOUNT_FILE;
	item.is_file = mount_is_of_host(mount) && host_look(host, mount->source)->kind != PATH_DIRECTORY;
	if (mount_is_of_host(mount))
		owner_map(plan, spec, host, &item, false);
	tree_add(plan->tree, item);
}

/* A program named by a path is shown, unless the tree shows it already. Of a script, the interpreter must be there too. */
static void add_program(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const char *path = spec->command ? spec->command[0] : NULL;
	struct tree_item item = { .kind = TREE_BIND, .is_file = true, .why = "the program itself" };

	if (!path || !strchr(path, '/') || !root_is_host_view(spec) || (!host->caller.cwd && *path != '/'))
		return;
	path = path_clean(plan->arena, host->caller.cwd ? host->caller.cwd : "/", path);
	item.target = path ? tree_follow(plan->tree, plan->arena, path) : NULL;
	if (!item.target || host_look(host, path)->kind != PATH_FILE || tree_inside(plan->tree, plan->arena, item.target) ||
	    tree_holder(plan->tree, item.target)->kind != TREE_SCRATCH)
		return;
	item.source = path;
	owner_map(plan, spec, host, &item, false);
	tree_add(plan->tree, item);
}

static void plan_tree(struct plan *plan, const struct spec *spec, const struct host *host)
{
	if (spec->is_ordered)
		return;
	root_plan(plan, spec, host);
	for (const struct mount *mount = spec->mounts; mount; mount = mount->next)
		if (!mount->is_optional || host_look(host, mount->source)->kind != PATH_MISSING)
			add_mount(plan, spec, mount, host);
	add_program(plan, spec, host);
}

const struct feature feature_tree = { .name = "tree", .title = "File system", .fields = fields, .check = check, .plan = plan_tree };
