/* SPDX-License-Identifier: Apache-2.0 */
/* The floor's file system: a host view, built with the mount API as descriptors and switched to
 * by pivot_root. Alternatives that were measured against it stay behind options. */
#include "abi.h"

#include <string.h>
#include <sys/stat.h>

#define PRIVATE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define READ_ONLY (PRIVATE | MOUNT_ATTR_RDONLY)
#define STAGE "/tmp"
#define DETACH 2 /* MNT_DETACH; <sys/mount.h> cannot stand beside <linux/mount.h> */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum kind { FOLDER, PLAIN, NODE };

static const struct source {
	const char *from, *to;
	enum kind kind;
	uint64_t attributes;
	bool is_etc;
} sources[] = {
	{ "/usr", "usr", FOLDER, READ_ONLY, false },
	{ "/etc/ld.so.cache", "etc/ld.so.cache", PLAIN, READ_ONLY, true },
	{ "/etc/alternatives", "etc/alternatives", FOLDER, READ_ONLY, true },
	{ "/etc/ssl/certs", "etc/ssl/certs", FOLDER, READ_ONLY, true },
	{ "/dev/null", "dev/null", NODE, MOUNT_ATTR_NOSUID, false },
	{ "/dev/zero", "dev/zero", NODE, MOUNT_ATTR_NOSUID, false },
	{ "/dev/full", "dev/full", NODE, MOUNT_ATTR_NOSUID, false },
	{ "/dev/random", "dev/random", NODE, MOUNT_ATTR_NOSUID, false },
	{ "/dev/urandom", "dev/urandom", NODE, MOUNT_ATTR_NOSUID, false },
	{ "/dev/tty", "dev/tty", NODE, MOUNT_ATTR_NOSUID, false },
};

static const struct {
	const char *name, *text;
} files[] = {
	{ "etc/passwd", "jail:x:1000:1000:jail:/home/jail:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n" },
	{ "etc/group", "jail:x:1000:\nnogroup:x:65534:\n" },
	{ "etc/hosts", "127.0.0.1 localhost jail\n::1 localhost\n" },
	{ "etc/resolv.conf", "# no network\n" },
	{ "etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n" },
};

static const struct {
	const char *target, *name;
} links[] = {
	{ "usr/bin", "bin" }, { "usr/sbin", "sbin" }, { "usr/lib", "lib" }, { "usr/lib64", "lib64" },
	{ "/usr/share/zoneinfo/Etc/UTC", "etc/localtime" }, { "/proc/self/fd", "dev/fd" },
	{ "/proc/self/fd/0", "dev/stdin" }, { "/proc/self/fd/1", "dev/stdout" },
	{ "/proc/self/fd/2", "dev/stderr" }, { "pts/ptmx", "dev/ptmx" },
};

static const char *const folders[] = {
	"usr", "etc", "etc/alternatives", "etc/ssl", "etc/ssl/certs", "tmp", "var", "var/tmp", "run", "home",
	"home/jail", "dev", "dev/pts", "dev/shm", "proc", ".private", ".empty",
};

static const struct {
	const char *place, *folder;
} private_folders[] = {
	{ "tmp", ".private/tmp" }, { "var/tmp", ".private/vartmp" },
	{ "run", ".private/run" }, { "dev/shm", ".private/shm" },
};

/* Of the files known to tell too much, those that an ordinary user of this host can read; the others
 * are closed to a jail without host uid 0 by their mode. */
static const struct {
	const char *name;
	bool is_folder;
} masks[] = {
	{ "proc/keys", false }, { "proc/key-users", false }, { "proc/sched_debug", false },
	{ "proc/latency_stats", false }, { "proc/acpi", true }, { "proc/scsi", true }, { "proc/asound", true },
};

static int clones[COUNT(sources)];

static int clone_tree(const struct options *options, int folder, const char *path, uint64_t attributes)
{
	struct mount_attr attr = { .attr_set = attributes };
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
	int tree;

	tree = options->uses_setattr ? -1
				     : syscall(SYS_open_tree_attr, folder, path, flags, &attr, sizeof(attr));
	if (tree >= 0 || (!options->uses_setattr && errno != ENOSYS))
		return must(tree, path);
	tree = raw(path, SYS_open_tree, folder, path, flags);
	raw(path, SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr));
	return tree;
}

void clone_sources(const struct options *options)
{
	for (size_t i = 0; i < COUNT(sources); i++)
		if (!options->uses_mount2)
			clones[i] = clone_tree(options, AT_FDCWD, sources[i].from, sources[i].attributes);
}

static int new_mount(const char *type, const char *const *settings, uint64_t attributes)
{
	int context = raw(type, SYS_fsopen, type, FSOPEN_CLOEXEC), mount;

	for (; *settings; settings += 2)
		raw(*settings, SYS_fsconfig, context, FSCONFIG_SET_STRING, settings[0], settings[1], 0);
	raw("create", SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	mount = raw("fsmount", SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
	close(context);
	return mount;
}

static void attach(int mount, int root, const char *place)
{
	raw(place, SYS_move_mount, mount, "", root, place, MOVE_MOUNT_F_EMPTY_PATH);
	close(mount);
}

static void write_file(int root, const char *name, const char *text)
{
	int file = must(openat(root, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644), name);

	must(write(file, text, strlen(text)), name);
	close(file);
}

/* What needs no mount: folders, links and the small files of /etc. */
static void furnish(const struct options *options, int root)
{
	for (size_t i = 0; i < COUNT(folders); i++)
		must(mkdirat(root, folders[i], 0755), folders[i]);
	for (size_t i = 0; i < COUNT(links); i++)
		must(symlinkat(links[i].target, root, links[i].name), links[i].name);
	for (size_t i = 0; i < COUNT(files) && options->has_etc; i++)
		write_file(root, files[i].name, files[i].text);
}

static void join_path(char *path, const char *name)
{
	strcpy(path, STAGE "/");
	strcat(path, name);
}

/* The old way: bind, then change the flags by a remount; by path, because mount(2) takes no descriptor. */
static void bind_by_path(const struct source *source)
{
	unsigned long flags = MS_BIND | MS_REMOUNT | MS_NOSUID;
	char place[128];

	if (source->kind != NODE)
		flags |= MS_RDONLY | MS_NODEV;
	join_path(place, source->to);
	raw(source->to, SYS_mount, source->from, place, NULL, MS_BIND | MS_REC, NULL);
	raw(source->to, SYS_mount, NULL, place, NULL, flags, NULL);
}

static void bind_sources(const struct options *options, int root)
{
	for (size_t i = 0; i < COUNT(sources); i++) {
		if ((sources[i].is_etc && !options->has_etc) || (sources[i].kind == NODE && !options->has_dev))
			continue;
		if (sources[i].kind != FOLDER && !options->skeleton)
			must(mknodat(root, sources[i].to, S_IFREG | 0644, 0), sources[i].to);
		if (options->uses_mount2)
			bind_by_path(&sources[i]);
		else
			attach(clones[i], root, sources[i].to);
	}
}

static void bind_extra(const struct options *options, int root)
{
	char name[] = "home/jail/a";

	for (int i = 0; i < options->extra_binds; i++) {
		must(mkdirat(root, name, 0755), name);
		if (options->uses_mount2)
			bind_by_path(&(struct source){ "/usr", name, FOLDER, READ_ONLY, false });
		else
			attach(clone_tree(options, AT_FDCWD, "/usr", READ_ONLY), root, name);
		name[10]++;
	}
	if (!options->program)
		return;
	must(mknodat(root, "home/jail/program", S_IFREG | 0644, 0), "program");
	attach(clone_tree(options, AT_FDCWD, options->program, READ_ONLY), root, "home/jail/program");
}

static void mount_private(const struct options *options, int root)
{
	static const char *const settings[] = { "size", "64m", "nr_inodes", "16384", "mode", "1777", NULL };
	int shared = root;

	for (size_t i = 0; i < COUNT(private_folders) && options->has_four_tmpfs; i++)
		attach(new_mount("tmpfs", settings, PRIVATE), root, private_folders[i].place);
	if (options->has_four_tmpfs)
		return;
	if (options->has_one_tmpfs || options->skeleton) {
		shared = new_mount("tmpfs", settings, PRIVATE);
		raw(".private", SYS_move_mount, shared, "", root, ".private", MOVE_MOUNT_F_EMPTY_PATH);
	}
	for (size_t i = 0; i < COUNT(private_folders); i++) {
		must(mkdirat(root, private_folders[i].folder, 01777), private_folders[i].folder);
		attach(clone_tree(options, root, private_folders[i].folder, PRIVATE), root,
		       private_folders[i].place);
	}
}

static void mask(const struct options *options, int root, const char *name, bool is_folder)
{
	int cover;

	if (faccessat(root, name, F_OK, 0) < 0)
		return;
	cover = clone_tree(options, root, is_folder ? ".empty" : "dev/null", READ_ONLY);
	attach(cover, root, name);
}

static void mount_proc(const struct options *options, int root)
{
	static const char *const none[] = { NULL };

	attach(new_mount("proc", none, PRIVATE | MOUNT_ATTR_NOEXEC), root, "proc");
	attach(clone_tree(options, root, "proc/sys", READ_ONLY | MOUNT_ATTR_NOEXEC), root, "proc/sys");
	for (size_t i = 0; i < COUNT(masks) && options->has_masks; i++)
		mask(options, root, masks[i].name, masks[i].is_folder);
	for (int i = 0; i < options->extra_masks; i++)
		mask(options, root, "proc/version", false);
}

static void mount_pts(int root)
{
	static const char *const settings[] = { "newinstance", "", "ptmxmode", "0666", "mode", "0620", NULL };

	attach(new_mount("devpts", settings + 2, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC), root, "dev/pts");
}

/* The namespace's own root must keep its parent: pivot_root swaps the two, then the old one goes. */
static void switch_root(const struct options *options, int root)
{
	if (options->is_early)
		raw(STAGE, SYS_move_mount, root, "", AT_FDCWD, STAGE, MOVE_MOUNT_F_EMPTY_PATH);
	must(fchdir(root), "fchdir");
	raw("pivot_root", SYS_pivot_root, ".", ".");
	if (options->has_detach)
		raw("umount old root", SYS_umount2, ".", DETACH);
	must(chdir("/"), "chdir");
}

static void switch_root_beneath(int root)
{
	raw("beneath", SYS_move_mount, root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH | 0x200);
	raw("umount top", SYS_umount2, "/", DETACH);
	must(fchdir(root), "fchdir");
	must(chroot("."), "chroot");
}

void build_tree(const struct options *options)
{
	static const char *const settings[] = { "size", "64m", "nr_inodes", "16384", "mode", "0755", NULL };
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
	int root = options->skeleton ? clone_tree(options, AT_FDCWD, options->skeleton, READ_ONLY)
				     : new_mount("tmpfs", settings, PRIVATE);

	if (!options->is_early)
		raw(STAGE, SYS_move_mount, root, "", AT_FDCWD, STAGE, MOVE_MOUNT_F_EMPTY_PATH);
	if (!options->skeleton)
		furnish(options, root);
	bind_sources(options, root);
	bind_extra(options, root);
	if (options->has_tmpfs)
		mount_private(options, root);
	if (options->has_dev)
		mount_pts(root);
	if (options->has_proc)
		mount_proc(options, root);
	if (!options->skeleton)
		raw("read-only root", SYS_mount_setattr, root, "", AT_EMPTY_PATH, &read_only,
		    sizeof(read_only));
	if (options->uses_chroot)
		switch_root_beneath(root);
	else
		switch_root(options, root);
}
