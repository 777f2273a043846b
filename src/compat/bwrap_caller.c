/* SPDX-License-Identifier: Apache-2.0 */
/* Who calls, and which namespaces there are to be tried. "-try" is decided by what exists, never by what happens to fail. */
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compat/bwrap.h"
#include "compat/explain.h"

static bool exists(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0;
}

/* Whether the file at PATH holds TEXT and nothing more. */
static bool says(const char *path, const char *text)
{
	char content[16];
	const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size;

	if (descriptor < 0)
		return false;
	size = read(descriptor, content, sizeof(content));
	close(descriptor);
	return size == (ssize_t)strlen(text) && memcmp(content, text, (size_t)size) == 0;
}

static uint64_t effective_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	if (syscall(SYS_capget, &header, data) < 0)
		return 0;
	return data[0].effective | (uint64_t)data[1].effective << 32;
}

/* The kernel refuses to tell of a capability that it does not know. prctl(2) */
static unsigned find_last_capability(void)
{
	unsigned known = 0, unknown = 64;

	while (known + 1 < unknown) {
		const unsigned middle = (known + unknown) / 2;

		if (prctl(PR_CAPBSET_READ, middle, 0, 0, 0) < 0)
			unknown = middle;
		else
			known = middle;
	}
	return known;
}

void bwrap_find_caller(struct bwrap_caller *caller)
{
	*caller = (struct bwrap_caller){ .uid = getuid(), .gid = getgid(), .is_hardened = is_switched_on("IMMURE_HARDEN") };
	if (caller->uid == 0 && !caller->is_hardened)
		caller->capabilities = effective_capabilities();
}

void bwrap_find_kinds(struct bwrap_caller *caller, const struct bwrap *bwrap)
{
	if (bwrap->has_capability_words)
		caller->last_capability = find_last_capability();
	if (bwrap->unshare_user_try && caller->uid == 0) /* others have one anyway */
		caller->has_userns = exists("/proc/self/ns/user") && !says("/proc/sys/user/max_user_namespaces", "0\n") &&
				     !says("/sys/module/user_namespace/parameters/enable", "N\n");
	if (bwrap->unshare_cgroup || bwrap->unshare_cgroup_try)
		caller->has_cgroupns = exists("/proc/self/ns/cgroup");
	if (bwrap->label)
		caller->has_selinux = exists("/sys/fs/selinux");
}
