/* SPDX-License-Identifier: Apache-2.0 */
/* The facts a plan needs, read by cheap calls. */
#include "host/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "host/cgroups.h"
#include "sys/confine.h"
#include "sys/file.h"
#include "sys/machine.h"

/* What the host view may show: links are kept as links. */
static const char *const system_paths[] = {
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store",
	"/etc/ld.so.cache", "/etc/alternatives", "/etc/ssl/certs", "/etc/localtime",
};
static const char *const devices[] = {
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
};

static enum path_kind kind_of(unsigned mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return PATH_FILE;
	case S_IFDIR: return PATH_DIRECTORY;
	case S_IFLNK: return PATH_LINK;
	case S_IFSOCK: return PATH_SOCKET;
	default: return PATH_OTHER;
	}
}

static int look(struct host *host, const char *path, bool follow, struct error *err)
{
	struct host_path *entry = arena_alloc(&host->arena, sizeof(*entry));
	char link[4096];
	unsigned mode = 0;
	int rc;

	if (!entry)
		return error_set(err, ENOMEM, "looking at %s", path);
	entry->path = path;
	rc = sys_stat(AT_FDCWD, path, follow ? 0 : AT_SYMLINK_NOFOLLOW, &mode, &entry->uid, &entry->gid);
	if (rc < 0 && rc != -ENOENT && rc != -ENOTDIR && rc != -EACCES && rc != -ELOOP && rc != -ENAMETOOLONG)
		return error_set(err, -rc, "looking at %s", path); /* no answer is not "missing" */
	entry->errnum = -rc;
	if (rc == 0) {
		entry->kind = kind_of(mode);
		entry->mode = mode & 07777;
	}
	if (entry->kind == PATH_LINK) {
		rc = (int)sys_readlink(path, link, sizeof(link));
		entry->link = rc < 0 ? NULL : arena_copy(&host->arena, link);
		if (!entry->link)
			return error_set(err, rc < 0 ? -rc : ENOMEM, "looking at %s", path);
	}
	entry->next = host->paths;
	host->paths = entry;
	return 0;
}

static void read_core_pattern(struct host *host)
{
	char buffer[256];

	if (sys_read_file("/proc/sys/kernel/core_pattern", buffer, sizeof(buffer)) > 0)
		host->core_pattern_is_pipe = buffer[0] == '|';
}

/* Where journals and locks live. /tmp is anybody's, but the folder's owner is checked before it is used. */
void host_find_state_folder(struct host *host)
{
	if (host->uid == 0)
		host->state_folder = "/run/immure";
	else if (host->caller.runtime && host->caller.runtime[0] == '/')
		host->state_folder = arena_format(&host->arena, "%s/immure", host->caller.runtime);
	else
		host->state_folder = arena_format(&host->arena, "/tmp/immure-%u", host->uid);
}

/* Where meson puts it, and where a build that is not for release leaves it. */
static const char *const skeletons[] = { IMMURE_SKELETON, IMMURE_BUILT_SKELETON };

static void find_skeleton(struct host *host)
{
	unsigned mode;
	uid_t uid;
	gid_t gid;

	for (size_t i = 0; !host->skeleton && i < ARRAY_SIZE(skeletons) && *skeletons[i]; i++)
		if (sys_stat(AT_FDCWD, skeletons[i], AT_SYMLINK_NOFOLLOW, &mode, &uid, &gid) == 0 && S_ISDIR(mode) && uid == 0 &&
		    !(mode & 022) && (mode & 05) == 05)
			host->skeleton = skeletons[i];
}

/* The names of the caller's network, for who shares it. */
static int read_resolv_conf(struct host *host, const struct spec *spec, struct error *err)
{
	char buffer[4096];

	if (spec->net.mode != NAMESPACE_HOST || spec->root || spec->is_ordered || sys_read_file("/etc/resolv.conf", buffer, sizeof(buffer)) <= 0)
		return 0;
	host->resolv_conf = arena_copy(&host->arena, buffer);
	return host->resolv_conf ? 0 : error_set(err, ENOMEM, "reading /etc/resolv.conf");
}

int host_probe_basic(struct host *host, struct error *err)
{
	struct sys_capabilities caps;
	struct sys_machine machine;
	int abi = sys_landlock_abi();

	sys_look_at_machine(&machine);
	snprintf(host->architecture, sizeof(host->architecture), "%s", machine.architecture);
	host->kernel_major = machine.kernel_major;
	host->kernel_minor = machine.kernel_minor;
	host->uid = machine.uid;
	host->gid = machine.gid;
	host->has_mount_api = machine.has_mount_setattr;
	host->last_capability = machine.last_capability;
	host->capabilities = sys_get_capabilities(&caps) < 0 ? 0 : caps.effective;
	host->landlock_abi = abi > 0 ? abi : 0;
	host->has_seccomp = machine.has_seccomp;
	host->has_seccomp_notify = machine.has_seccomp && sys_seccomp_can_notify();
	host->run_id = arena_format(&host->arena, "immure-%d-%llx", machine.pid, (unsigned long long)machine.random);
	host_find_state_folder(host);
	host->has_other_groups = sys_has_groups_besides(machine.gid);
	return host->run_id ? 0 : error_set(err, ENOMEM, "looking at the machine");
}

static int look_at_all(struct host *host, const char *const *paths, size_t count, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = look(host, paths[i], false, err);
	return rc;
}

static bool has_new_dev(const struct spec *spec)
{
	const struct mount *mount = spec->mounts;

	while (mount && mount->kind != MOUNT_NEW_DEV)
		mount = mount->next;
	return mount;
}

/* A tree in order shows of the host only what it names. Each look walks through the file system: what no plan asks is not looked at. */
static int look_at_system(struct host *host, const struct spec *spec, struct error *err)
{
	int rc = 0;

	if (!spec_leaves(spec, "limits"))
		read_core_pattern(host);
	if (!spec->is_ordered)
		find_skeleton(host);
	if (!spec->is_ordered)
		rc = look_at_all(host, system_paths, ARRAY_SIZE(system_paths), err);
	if (rc == 0 && (!spec->is_ordered || has_new_dev(spec)))
		rc = look_at_all(host, devices, ARRAY_SIZE(devices), err);
	return rc;
}

static int look_at_program(struct host *host, const struct spec *spec, struct error *err)
{
	const char *path = spec->command ? spec->command[0] : NULL;

	if (!path || !strchr(path, '/') || (!host->caller.cwd && *path != '/'))
		return 0;
	path = path_clean(&host->arena, host->caller.cwd ? host->caller.cwd : "/", path);
	return path ? look(host, path, true, err) : error_set(err, ENOMEM, "looking at the program");
}

/* Where immure's defaults would stand in DIR; a link there leads as it will inside. */
static int look_inside(struct host *host, const char *root, int directory, const char *place, struct error *err)
{
	struct host_path *entry = arena_alloc(&host->arena, sizeof(*entry));
	auto_close int fd = sys_openat2(directory, place, O_PATH, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	unsigned mode;

	if (entry)
		entry->path = arena_format(&host->arena, "%s%s", root, place);
	if (!entry || !entry->path)
		return error_set(err, ENOMEM, "looking into %s", root);
	if (fd >= 0 && sys_stat(fd, "", AT_EMPTY_PATH, &mode, &entry->uid, &entry->gid) == 0) {
		entry->kind = kind_of(mode);
		entry->mode = mode & 07777;
	}
	entry->next = host->paths;
	host->paths = entry;
	return 0;
}

static int look_at_root(struct host *host, const struct spec *spec, struct error *err)
{
	static const char *const places[] = { "/proc", "/dev", "/tmp", "/var/tmp", "/run" };
	auto_close int directory = sys_open(spec->root, O_PATH | O_DIRECTORY, 0);
	int rc = look(host, spec->root, true, err);

	for (size_t i = 0; rc == 0 && directory >= 0 && i < ARRAY_SIZE(places); i++)
		rc = look_inside(host, spec->root, directory, places[i], err);
	return rc == 0 && directory >= 0 ? host_probe_accounts(host, spec, directory, err) : rc;
}

static int look_at_mount(struct host *host, const struct mount *mount, struct error *err)
{
	int rc = mount_is_of_host(mount) ? look(host, mount->source, true, err) : 0;

	for (unsigned i = 0; rc == 0 && i < mount->lower_count; i++)
		rc = look(host, mount->lowers[i], true, err);
	if (rc == 0 && mount->upper)
		rc = look(host, mount->upper, true, err);
	return rc < 0 || !mount->work ? rc : look(host, mount->work, true, err);
}

/* On an initial ramfs the device file may be there and what it makes not: devpts is not mounted. pts(4) */
static bool is_without_pty(const struct host *host)
{
	auto_close int master = -1;

	if (!host->caller.stdin_is_tty && !host->caller.stdout_is_tty && !host->caller.stderr_is_tty)
		return false;
	master = sys_open("/dev/ptmx", O_RDWR | O_NOCTTY, 0);
	return master < 0;
}

int host_probe_spec(struct host *host, const struct spec *spec, struct error *err)
{
	int rc = look_at_system(host, spec, err);

	if (rc == 0)
		rc = look_at_program(host, spec, err);
	host->has_no_pty = is_without_pty(host);
	if (rc == 0)
		rc = read_resolv_conf(host, spec, err);
	if (rc == 0 && spec->root && strcmp(spec->root, "empty") != 0)
		rc = look_at_root(host, spec, err);
	for (const struct mount *mount = spec->mounts; rc == 0 && mount; mount = mount->next)
		rc = look_at_mount(host, mount, err);
	if (rc == 0)
		rc = host_probe_worlds(host, spec, err);
	if (rc == 0 && cgroups_are_asked(spec, host))
		rc = host_probe_cgroups(host, spec, err);
	return rc;
}
