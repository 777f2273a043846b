/* SPDX-License-Identifier: Apache-2.0 */
/* Identity, capabilities, Landlock, seccomp. */
#include "sys/confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/file.h"

/* Landlock of ABI 4 and 6, for headers that know only the first; linux/landlock.h */
struct landlock_ruleset {
	uint64_t files, ports, scopes;
};
struct landlock_port {
	uint64_t access, port;
};
enum { RULE_NET_PORT = 2 };

int sys_set_groups(const gid_t *groups, size_t count)
{
	return minus_errno(syscall(SYS_setgroups, count, groups));
}

int sys_get_groups(gid_t *groups, size_t room)
{
	return minus_errno(syscall(SYS_getgroups, (int)room, groups));
}

bool sys_has_groups_besides(gid_t gid)
{
	gid_t only;
	const int count = sys_get_groups(NULL, 0);

	return count > 1 || (count == 1 && (sys_get_groups(&only, 1) != 1 || only != gid));
}

int sys_set_gid(gid_t gid)
{
	return gid == (gid_t)-1 ? -EINVAL : minus_errno(syscall(SYS_setresgid, gid, gid, gid));
}

void sys_set_file_ids(uid_t uid, gid_t gid)
{
	syscall(SYS_setfsgid, gid);
	syscall(SYS_setfsuid, uid);
}

int sys_set_uid(uid_t uid)
{
	return uid == (uid_t)-1 ? -EINVAL : minus_errno(syscall(SYS_setresuid, uid, uid, uid));
}

int sys_get_ids(struct sys_ids *ids)
{
	if (syscall(SYS_getresuid, &ids->real_uid, &ids->effective_uid, &ids->saved_uid) < 0)
		return -errno;
	return minus_errno(syscall(SYS_getresgid, &ids->real_gid, &ids->effective_gid, &ids->saved_gid));
}

int sys_set_capabilities(const struct sys_capabilities *caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (int half = 0; half < 2; half++)
		data[half] = (struct __user_cap_data_struct){
			.effective = (uint32_t)(caps->effective >> (32 * half)),
			.permitted = (uint32_t)(caps->permitted >> (32 * half)),
			.inheritable = (uint32_t)(caps->inheritable >> (32 * half)),
		};
	return minus_errno(syscall(SYS_capset, &header, data));
}

int sys_get_capabilities(struct sys_capabilities *caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	caps->effective = (uint64_t)data[1].effective << 32 | data[0].effective;
	caps->permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	caps->inheritable = (uint64_t)data[1].inheritable << 32 | data[0].inheritable;
	return 0;
}

int sys_drop_bounding(unsigned capability)
{
	return minus_errno(prctl(PR_CAPBSET_DROP, capability, 0, 0, 0));
}

int sys_has_bounding(unsigned capability)
{
	return minus_errno(prctl(PR_CAPBSET_READ, capability, 0, 0, 0));
}

int sys_raise_ambient(unsigned capability)
{
	return minus_errno(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0));
}

int sys_has_ambient(unsigned capability)
{
	return minus_errno(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0));
}

int sys_clear_ambient(void)
{
	return minus_errno(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
}

bool sys_forbids_ambient(void)
{
	const int bits = sys_get_securebits();

	return bits >= 0 && bits & SECBIT_NO_CAP_AMBIENT_RAISE;
}

int sys_set_securebits(unsigned bits)
{
	return minus_errno(prctl(PR_SET_SECUREBITS, bits, 0, 0, 0));
}

int sys_get_securebits(void)
{
	return minus_errno(prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
}

int sys_keep_capabilities(bool keep)
{
	return minus_errno(prctl(PR_SET_KEEPCAPS, keep ? 1 : 0, 0, 0, 0));
}

int sys_no_new_privileges(void)
{
	return minus_errno(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

int sys_has_no_new_privileges(void)
{
	return minus_errno(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

int sys_landlock_abi(void)
{
	return minus_errno(syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION));
}

int sys_landlock_create(uint64_t files, uint64_t ports, uint64_t scopes)
{
	struct landlock_ruleset rules = { files, ports, scopes };
	/* An older kernel refuses a longer struct only where the excess is not zero. */
	size_t size = scopes ? sizeof(rules) : ports ? offsetof(struct landlock_ruleset, scopes)
						      : offsetof(struct landlock_ruleset, ports);

	return minus_errno(syscall(SYS_landlock_create_ruleset, &rules, size, 0));
}

int sys_landlock_allow_path(int ruleset, int fd, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = access, .parent_fd = fd };

	return minus_errno(syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0));
}

int sys_landlock_allow_port(int ruleset, uint16_t port, uint64_t access)
{
	struct landlock_port rule = { access, port };

	return minus_errno(syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0));
}

int sys_landlock_enter(int ruleset)
{
	return minus_errno(syscall(SYS_landlock_restrict_self, ruleset, 0));
}

int sys_seccomp_load(const struct sock_filter *program, unsigned short count, bool with_listener)
{
	struct sock_fprog filter = { .len = count, .filter = (struct sock_filter *)program };

	if (!with_listener) /* a filter of the user's that is loaded before may allow this call alone: bubblewrap(1), --add-seccomp-fd */
		return minus_errno(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter));
	return minus_errno(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter));
}

bool sys_seccomp_can_notify(void)
{
	const uint32_t action = SECCOMP_RET_USER_NOTIF;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}
