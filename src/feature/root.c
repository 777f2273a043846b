/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three kinds of root. The host view: system directories read-only, a small /etc, private
 * temporary folders. A directory, in which immure makes nothing: what has no place there is left out.
 * Nothing at all.
 */
#include "feature/root.h"

#include <errno.h>
#include <string.h>

#include "feature/owner.h"

/* The system tree; what is not there is left out. */
static const char *const system_paths[] = { "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store" };
/* Of /etc only what tells nothing about the machine and its people. */
static const char *const etc_paths[] = { "/etc/ld.so.cache", "/etc/alternatives", "/etc/ssl/certs", "/etc/localtime" };
/* Private and writable for the program; sizes are shared. */
static const struct { const char *path; unsigned mode; } scratch[] = {
	{ "/tmp", 01777 }, { "/var/tmp", 01777 }, { "/run", 0755 }, { "/home/user", 0700 },
};
enum { SCRATCH_PARTS = 4 };

bool root_is_host_view(const struct spec *spec)
{
	return !spec->root;
}

bool root_is_empty(const struct spec *spec)
{
	return spec->root && strcmp(spec->root, "empty") == 0;
}

bool root_is_directory(const struct spec *spec)
{
	return spec->root && !root_is_empty(spec);
}

int root_check(const struct spec *spec, const struct host *host, struct error *err)
{
	const enum path_kind kind = root_is_directory(spec) ? host_look(host, spec->root)->kind : PATH_DIRECTORY;
	char where[ORIGIN_TEXT];

	if (kind == PATH_DIRECTORY)
		return 0;
	origin_print(SPEC_ORIGIN(spec, root), where);
	if (kind != PATH_MISSING)
		return error_mistake(err, "%s: \"%s\" is not a directory", where, spec->root);
	error_mistake(err, "%s: there is no directory \"%s\"", where, spec->root);
	error_remedy(err, "E-SOURCE-MISSING", "the path must exist on the host");
	return -EINVAL;
}

bool root_has_place(struct plan *plan, const struct spec *spec, const struct host *host, const char *path, const char *means)
{
	if (!root_is_directory(spec) || spec->root_mode == ROOT_OVERLAY)
		return true;
	if (host_look(host, plan_format(plan, "%s%s", spec->root, path))->kind == PATH_DIRECTORY)
		return true;
	plan_note(plan, "no %s: %s has no such folder; %s (mkdir it there, or --root-mode overlay)", path, spec->root, means);
	return false;
}

const char *root_tmpfs_options(struct plan *plan, const struct spec *spec, unsigned part, unsigned mode)
{
	return plan_format(plan, "size=%llu,nr_inodes=%llu,mode=%o", (unsigned long long)spec->tmp_bytes / part,
			   (unsigned long long)spec->tmp_inodes / part, mode);
}

static void add_bind(struct plan *plan, const struct host *host, const char *path, const char *why)
{
	const struct host_path *entry = host_look(host, path);
	struct tree_item item = { .target = path, .source = path, .why = why };

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
						 .mode = 0444, .why = "made by immure" });
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

static void add_etc(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const char *name = spec->host_name ? spec->host_name : "localhost";

	add_accounts(plan, "/bin/sh");
	add_text(plan, "/etc/hosts", plan_format(plan, "127.0.0.1 localhost %s\n::1 localhost\n", name));
	add_text(plan, "/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
		 "networks: files\nprotocols: files\nservices: files\n");
	if (host->resolv_conf) /* shown, not copied: the ready-made root then serves here too, and changes of the host are seen */
		tree_add(plan->tree, (struct tree_item){ .kind = TREE_BIND, .target = "/etc/resolv.conf", .source = "/etc/resolv.conf",
							 .is_file = true, .why = "the network is the host's, and so are its name servers" });
	else
		add_text(plan, "/etc/resolv.conf", "");
}

static void add_host_view(struct plan *plan, const struct spec *spec, const struct host *host)
{
	for (size_t i = 0; i < ARRAY_SIZE(system_paths); i++)
		add_bind(plan, host, system_paths[i], "the system, read-only");
	for (size_t i = 0; i < ARRAY_SIZE(etc_paths); i++)
		add_bind(plan, host, etc_paths[i], "harmless, and programs need it");
	add_etc(plan, spec, host);
	for (size_t i = 0; i < ARRAY_SIZE(scratch); i++)
		tree_add(plan->tree, (struct tree_item){ .kind = TREE_SCRATCH, .target = scratch[i].path, .is_writable = true,
			.is_owned = scratch[i].mode != 01777, .mode = scratch[i].mode, .why = "private, thrown away at the end" });
}

/* A read-only root gets the usual writable places where it has folders for them; the others are written to themselves. */
static void add_directory(struct plan *plan, const struct spec *spec, const struct host *host)
{
	struct tree_item item = { .kind = spec->root_mode == ROOT_OVERLAY ? TREE_OVERLAY : TREE_BIND, .target = "/",
		.source = spec->root, .is_writable = spec->root_mode != ROOT_RO, .may_hold_devices = spec->root_mode == ROOT_RW_DEV,
		.origin = SPEC_ORIGIN(spec, root), .why = "the jail's root" };

	if (item.kind == TREE_OVERLAY)
		item.text = root_tmpfs_options(plan, spec, 1, 0700);
	owner_map(plan, spec, host, &item, true);
	tree_add(plan->tree, item);
	for (size_t i = 0; item.kind == TREE_BIND && !item.is_writable && i < ARRAY_SIZE(scratch) - 1; i++)
		if (root_has_place(plan, spec, host, scratch[i].path, "nothing can be written there"))
			tree_add(plan->tree, (struct tree_item){ .kind = TREE_SCRATCH, .target = scratch[i].path, .is_writable = true,
				.is_owned = scratch[i].mode != 01777, .mode = scratch[i].mode, .why = "private, thrown away at the end",
				.text = root_tmpfs_options(plan, spec, SCRATCH_PARTS, scratch[i].mode) });
}

void root_plan(struct plan *plan, const struct spec *spec, const struct host *host)
{
	if (root_is_directory(spec)) {
		add_directory(plan, spec, host);
		return;
	}
	tree_add(plan->tree, (struct tree_item){ .kind = TREE_SCRATCH, .target = "/", .mode = 0755,
		.text = root_tmpfs_options(plan, spec, 1, 0755), .why = "the root: a file system in memory" });
	if (root_is_host_view(spec))
		add_host_view(plan, spec, host);
}
