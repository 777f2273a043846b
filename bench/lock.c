/* SPDX-License-Identifier: Apache-2.0 */
/* The floor's last stretch, in the payload: self-check if asked, capabilities, no_new_privs, Landlock,
 * descriptors, filter. The order is the kernel's: the filter comes last because it forbids the rest. */
#include "abi.h"
#include "filter.h"

#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define LAST_CAPABILITY 40
#define LANDLOCK_ALL_FS ((1ULL << 16) - 1)
#define LANDLOCK_FILE_READ (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE)
#define LANDLOCK_READ (LANDLOCK_FILE_READ | LANDLOCK_ACCESS_FS_READ_DIR)
#define LANDLOCK_NODE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | (1ULL << 15))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct ruleset { /* as of ABI 6 */
	uint64_t handled_fs, handled_net, scoped;
};

static const struct {
	const char *path;
	uint64_t access;
} rules[] = {
	{ "/", LANDLOCK_ACCESS_FS_READ_DIR }, { "/usr", LANDLOCK_READ }, { "/etc", LANDLOCK_READ },
	{ "/proc", LANDLOCK_READ | LANDLOCK_ACCESS_FS_WRITE_FILE }, { "/dev", LANDLOCK_NODE | LANDLOCK_READ },
	{ "/dev/shm", LANDLOCK_ALL_FS }, { "/tmp", LANDLOCK_ALL_FS }, { "/var/tmp", LANDLOCK_ALL_FS },
	{ "/run", LANDLOCK_ALL_FS }, { "/home/jail", LANDLOCK_READ },
};

void drop_bounding_set(void)
{
	for (int cap = 0; cap <= LAST_CAPABILITY; cap++)
		raw("bounding set", SYS_prctl, PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	raw("ambient set", SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	raw("capset", SYS_capset, &header, none);
}

/* ABI 1 knows 13 rights, 2 adds refer, 3 truncate, 5 ioctl. */
static uint64_t handled_files(long abi)
{
	int rights = abi >= 5 ? 16 : abi >= 3 ? 15 : abi == 2 ? 14 : 13;

	return (1ULL << rights) - 1;
}

static void restrict_files(void)
{
	long abi = raw("landlock", SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t files = handled_files(abi);
	struct ruleset shape = { files, abi >= 4 ? 3 : 0, abi >= 6 ? 3 : 0 };
	size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
	int set = raw("landlock", SYS_landlock_create_ruleset, &shape, size, 0);

	for (size_t i = 0; i < COUNT(rules); i++) {
		struct landlock_path_beneath_attr rule = { .allowed_access = rules[i].access & files };

		rule.parent_fd = must(open(rules[i].path, O_PATH | O_CLOEXEC), rules[i].path);
		raw(rules[i].path, SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
		close(rule.parent_fd);
	}
	raw("landlock", SYS_landlock_restrict_self, set, 0);
	close(set);
}

/* What a self-check would read back, in parts; the values are not judged here, only paid for. */
static void read_namespaces(const struct options *options)
{
	static const char *const names[] = { "user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time" };
	int folder = must(open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC), "ns");
	struct stat about;
	char text[64];

	for (size_t i = 0; i < COUNT(names); i++)
		if (options->checks_links)
			must(readlinkat(folder, names[i], text, sizeof(text)), names[i]);
		else
			must(fstatat(folder, names[i], &about, 0), names[i]);
	close(folder);
}

static void read_status(void)
{
	int status = must(open("/proc/self/status", O_RDONLY | O_CLOEXEC), "status");
	char text[4096];

	must(read(status, text, sizeof(text)), "status");
	close(status);
}

/* The same facts as in status, by calls that make no text. */
static void read_sets(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];
	uid_t ids[3];

	raw("capget", SYS_capget, &header, sets);
	for (int cap = 0; cap <= LAST_CAPABILITY; cap++) {
		raw("bounding set", SYS_prctl, PR_CAPBSET_READ, cap, 0, 0, 0);
		raw("ambient set", SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0);
	}
	raw("no_new_privs", SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	raw("securebits", SYS_prctl, PR_GET_SECUREBITS, 0, 0, 0, 0);
	raw("ids", SYS_getresuid, &ids[0], &ids[1], &ids[2]);
	raw("ids", SYS_getresgid, &ids[0], &ids[1], &ids[2]);
	raw("groups", SYS_getgroups, 0, NULL);
}

static void read_mounts(void)
{
	static const char *const places[] = { "/", "/usr", "/etc/ld.so.cache", "/etc/alternatives",
		"/etc/ssl/certs", "/tmp", "/var/tmp", "/run", "/dev/shm", "/dev/pts", "/proc", "/proc/sys" };
	struct statfs mount;

	for (size_t i = 0; i < COUNT(places); i++)
		must(statfs(places[i], &mount), places[i]);
}

static int load_filter(const struct options *options)
{
	struct sock_fprog program = { .len = COUNT(filter), .filter = (struct sock_filter *)filter };

	if (options->notifies)
		return raw("seccomp", SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			   &program);
	raw("seccomp", SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
	return -1;
}

int lock_down(const struct options *options)
{
	if (options->checks_namespaces || options->checks_links)
		read_namespaces(options);
	if (options->checks_status)
		read_status();
	if (options->checks_mounts)
		read_mounts();
	drop_capabilities();
	if (options->checks_sets)
		read_sets();
	raw("no_new_privs", SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (options->has_landlock)
		restrict_files();
	if (options->has_fd_sweep)
		raw("close_range", SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (options->has_seccomp)
		return load_filter(options);
	return -1;
}
