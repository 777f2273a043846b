/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root: the host view (system directories read-only, a small /etc, private temporary folders),
 * a directory, or nothing. It only fills the tree; mounts.c turns the tree into steps.
 */
#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "feature/feature.h"

static const char *const root_modes[] = { "ro", "rw", "overlay", NULL };

static const struct field fields[] = {
	{ .key = "root", .type = FIELD_PATH, FIELD(root), .example = "/srv/jail", .since = "0.1",
	  .help = "the root: a directory, or \"empty\"; without it, the host's system directories read-only and a small /etc" },
	{ .key = "root-mode", .type = FIELD_ENUM, FIELD(root_mode), .choices = root_modes, .fallback = "ro", .since = "0.1",
	  .help = "how --root DIR is shown: ro, rw, or overlay (writes are thrown away)" },
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
	  .help = "an empty directory" },
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

/* The system tree; what is not there is left out. */
static const char *const system_paths[] = { "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store" };
/* Of /etc only what tells nothing about the machine and its people. */
static const char *const etc_paths[] = { "/etc/ld.so.cache", "/etc/alternatives", "/etc/ssl/certs", "/etc/localtime" };
/* Private and writable for the program; sizes are shared. */
static const struct { const char *path; unsigned mode; } scratch[] = {
	{ "/tmp", 01777 }, { "/var/tmp", 01777 }, { "/run", 0755 }, { "/home/user", 0700 },
};

static bool is_host_view(const struct spec *spec)
{
	return !spec->root;
}

static bool is_empty_root(const struct spec *spec)
{
	return spec->root && strcmp(spec->root, "empty") == 0;
}

static int check(const struct spec *spec, const struct host *host, struct error *err)
{
	char where[ORIGIN_TEXT];

	if (host->has_no_namespaces || spec->mountns.mode != NAMESPACE_NEW)
		return 0;
	if (!host->has_mount_api) {
		error_mistake(err, "Linux %d.%d has no mount_setattr(2)", host->kernel_major, host->kernel_minor);
		error_remedy(err, "E-KERNEL-OLD", "a mount namespace of immure needs Linux 5.12; see immure doctor");
		return -EINVAL;
	}
	if (spec->root && !is_empty_root(spec) && host_look(host, spec->root)->kind != PATH_DIRECTORY)
		return error_mistake(err, "%s: \"%s\" is not a directory",
				     origin_print(SPEC_ORIGIN(spec, root), where), spec->root);
	for (const struct mount *mount = spec->mounts; mount; mount = mount->next) {
		if (mount->kind != MOUNT_RO && mount->kind != MOUNT_RW && mount->kind != MOUNT_OVERLAY)
			continue;
		if (host_look(host, mount->source)->kind == PATH_MISSING) {
			error_set(err, ENOENT, "%s: \"%s\"", origin_print(&mount->origin, where), mount->source);
			error_remedy(err, "E-SOURCE-MISSING", "the path must exist on the host");
			return -ENOENT;
		}
		if (host_look(host, mount->source)->kind == PATH_SOCKET) {
			error_mistake(err, "%s: \"%s\" is a socket: whoever listens on it is outside the jail",
				      origin_print(&mount->origin, where), mount->source);
			error_remedy(err, "E-SOURCE-SOCKET", "bind its folder if this is really wanted");
			return -EINVAL;
		}
	}
	return 0;
}

static void add_bind(struct plan *plan, const struct host *host, const char *path, const char *why)
{
	const struct host_path *entry = host_look(host, path);
	struct tree_item item = { .target = path, .source = path, .why = why, .descriptor = -1 };

	if (entry->kind == PATH_MISSING)
		return;
	item.kind = entry->kind == PATH_LINK ? TREE_SYMLINK : TREE_BIND;
	item.is_file = entry->kind == PATH_FILE;
	if (entry->kind == PATH_LINK)
		item.source = entry->link;
	tree_add(plan->tree, item);
}

static void add_text(struct plan *plan, const char *path, const char *text)
{
	tree_add(plan->tree, (struct tree_item){ .kind = TREE_FILE, .target = path, .text = text, .text_size = strlen(text),
						 .mode = 0444, .descriptor = -1, .why = "made by immure" });
}

/* passwd(5), group(5): only who exists inside. */
static void add_accounts(struct plan *plan, const char *shell)
{
	const bool is_other = plan->uid != 0 && plan->uid != 1000 && plan->uid != 65534;
	const char *extra = is_other ? plan_format(plan, "jailed:x:%u:%u::/home/user:%s\n", plan->uid, plan->gid, shell) : "";
	const bool is_other_group = plan->gid != 0 && plan->gid != 1000 && plan->gid != 65534;
	const char *extra_group = is_other_group ? plan_format(plan, "jailed:x:%u:\n", plan->gid) : "";

	add_text(plan, "/etc/passwd", plan_format(plan, "root:x:0:0:root:/root:%s\nuser:x:1000:1000:user:/home/user:%s\n"
		"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n%s", shell, shell, extra));
	add_text(plan, "/etc/group", plan_format(plan, "root:x:0:\nuser:x:1000:\nnogroup:x:65534:\n%s", extra_group));
}

static void add_host_view(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const char *name = spec->host_name ? spec->host_name : "localhost";

	for (size_t i = 0; i < ARRAY_SIZE(system_paths); i++)
		add_bind(plan, host, system_paths[i], "the system, read-only");
	for (size_t i = 0; i < ARRAY_SIZE(etc_paths); i++)
		add_bind(plan, host, etc_paths[i], "harmless, and programs need it");
	add_accounts(plan, "/bin/sh");
	add_text(plan, "/etc/hosts", plan_format(plan, "127.0.0.1 localhost %s\n::1 localhost\n", name));
	add_text(plan, "/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
		 "networks: files\nprotocols: files\nservices: files\n");
	add_text(plan, "/etc/resolv.conf", host->resolv_conf ? host->resolv_conf : "");
	for (size_t i = 0; i < ARRAY_SIZE(scratch); i++)
		tree_add(plan->tree, (struct tree_item){ .kind = TREE_SCRATCH, .target = scratch[i].path, .is_writable = true,
			.is_owned = scratch[i].mode != 01777, .mode = scratch[i].mode, .descriptor = -1,
			.why = "private, thrown away at the end" });
}

static void add_root_directory(struct plan *plan, const struct spec *spec)
{
	static const char *const why = "the jail's root";

	tree_add(plan->tree, (struct tree_item){ .kind = spec->root_mode == ROOT_OVERLAY ? TREE_OVERLAY : TREE_BIND, .target = "/",
		.source = spec->root, .is_writable = spec->root_mode != ROOT_RO, .origin = SPEC_ORIGIN(spec, root), .why = why,
		.descriptor = -1 });
}

/* One of --ro, --rw, ... as an item of the tree. */
static void add_mount(struct plan *plan, const struct mount *mount, const struct host *host)
{
	static const enum tree_kind tree_kinds[] = {
		[MOUNT_RO] = TREE_BIND, [MOUNT_RW] = TREE_BIND, [MOUNT_TMPFS] = TREE_TMPFS, [MOUNT_FILE] = TREE_FILE,
		[MOUNT_DIR] = TREE_DIRECTORY, [MOUNT_SYMLINK] = TREE_SYMLINK, [MOUNT_MASK] = TREE_MASK,
		[MOUNT_OVERLAY] = TREE_OVERLAY,
	};
	const bool is_writable = mount->kind == MOUNT_RW || mount->kind == MOUNT_TMPFS || mount->kind == MOUNT_OVERLAY;
	struct tree_item item = { .kind = tree_kinds[mount->kind], .source = mount->source, .is_writable = is_writable,
				  .mode = mount->mode, .origin = &mount->origin, .descriptor = -1 };

	item.target = path_clean(plan->arena, "/", mount->target ? mount->target : mount->source);
	plan->is_short |= !item.target;
	if (mount->kind == MOUNT_TMPFS)
		item.text = plan_format(plan, "size=%llu,nr_inodes=%llu,mode=%o",
					(unsigned long long)mount->size_bytes, (unsigned long long)mount->inodes, mount->mode);
	if (mount->kind == MOUNT_FILE) {
		item.text = mount->source;
		item.text_size = mount->content == CONTENT_TEXT ? strlen(mount->source) : 0;
		item.descriptor = mount->content == CONTENT_DESCRIPTOR ? mount->descriptor : -1;
		item.is_owned = true;
	}
	item.is_owned |= mount->kind == MOUNT_TMPFS || mount->kind == MOUNT_DIR;
	item.is_file = mount->source && host_look(host, mount->source)->kind != PATH_DIRECTORY;
	if (item.target)
		tree_add(plan->tree, item);
}

/* /bin/true is /usr/bin/true where /bin is a link of the tree. */
static const char *follow_links(struct plan *plan, const char *path)
{
	const struct tree_item *holder = path ? tree_holder(plan->tree, path) : NULL;
	const char *parent;

	if (!holder || holder->kind != TREE_SYMLINK)
		return path;
	parent = path_parent(plan->arena, holder->target);
	parent = parent ? path_clean(plan->arena, parent, holder->source) : NULL;
	return parent ? path_clean(plan->arena, "/", plan_format(plan, "%s%s", parent, path + strlen(holder->target))) : NULL;
}

/* A program named by a path is shown, unless the tree shows it already. */
static void add_program(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const char *path = spec->command ? spec->command[0] : NULL;

	if (!path || !strchr(path, '/') || !is_host_view(spec) || !host->cwd)
		return;
	path = follow_links(plan, path_clean(plan->arena, host->cwd, path));
	if (!path || host_look(host, path)->kind != PATH_FILE || tree_shows(plan->tree, path))
		return;
	tree_add(plan->tree, (struct tree_item){ .kind = TREE_BIND, .target = path, .source = path, .is_file = true,
		.descriptor = -1, .why = "the program itself" });
}

static void plan_tree(struct plan *plan, const struct spec *spec, const struct host *host)
{
	if (!is_host_view(spec) && !is_empty_root(spec))
		add_root_directory(plan, spec);
	else
		tree_add(plan->tree, (struct tree_item){ .kind = TREE_SCRATCH, .target = "/", .mode = 0755, .descriptor = -1,
			.text = plan_format(plan, "size=%llu,nr_inodes=%llu,mode=755", (unsigned long long)spec->tmp_bytes,
					    (unsigned long long)spec->tmp_inodes), .why = "the root: a file system in memory" });
	if (is_host_view(spec))
		add_host_view(plan, spec, host);
	for (const struct mount *mount = spec->mounts; mount; mount = mount->next)
		add_mount(plan, mount, host);
	add_program(plan, spec, host);
}

const struct feature feature_tree = { .name = "tree", .title = "File system", .fields = fields, .check = check, .plan = plan_tree };
