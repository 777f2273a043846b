/* SPDX-License-Identifier: Apache-2.0 */
/* Identity, capabilities, Landlock, seccomp: raw calls, so that they act on the calling thread alone. 0 or -errno. */
#ifndef IMMURE_SYS_CONFINE_H
#define IMMURE_SYS_CONFINE_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sys_ids {
	uid_t real_uid, effective_uid, saved_uid;
	gid_t real_gid, effective_gid, saved_gid;
};

int sys_set_groups(const gid_t *groups, size_t count);
bool sys_has_groups_besides(gid_t gid);
int sys_get_groups(gid_t *groups, size_t room);
int sys_set_gid(gid_t gid); /* real, effective and saved; (gid_t)-1 is refused: it would mean "no change" */
int sys_set_uid(uid_t uid);
/* As whom files are made and opened; setfsuid(2). The kernel forgets the signal of the parent's death, and dumpability. */
void sys_set_file_ids(uid_t uid, gid_t gid);
int sys_get_ids(struct sys_ids *ids);

/* Sets of capabilities are 64-bit masks; capabilities(7) */
struct sys_capabilities {
	uint64_t effective, permitted, inheritable;
};
int sys_set_capabilities(const struct sys_capabilities *caps);
int sys_get_capabilities(struct sys_capabilities *caps);
int sys_drop_bounding(unsigned capability);
int sys_has_bounding(unsigned capability);  /* 0, 1; -EINVAL: above the last one */
int sys_raise_ambient(unsigned capability);
int sys_has_ambient(unsigned capability);
int sys_clear_ambient(void);
bool sys_forbids_ambient(void);             /* the securebits do: SECBIT_NO_CAP_AMBIENT_RAISE */
int sys_set_securebits(unsigned bits);
int sys_get_securebits(void);
int sys_keep_capabilities(bool keep);       /* across the coming change of uid: PR_SET_KEEPCAPS */
int sys_no_new_privileges(void);
int sys_has_no_new_privileges(void);

/* Landlock; landlock(7). ABI version from 1, or -ENOSYS, -EOPNOTSUPP. */
int sys_landlock_abi(void);
int sys_landlock_create(uint64_t files, uint64_t ports, uint64_t scopes);
int sys_landlock_allow_path(int ruleset, int fd, uint64_t access);
int sys_landlock_allow_port(int ruleset, uint16_t port, uint64_t access);
int sys_landlock_enter(int ruleset);

/* Loads the program; with LISTENER the descriptor of its notifications is returned. seccomp(2) */
int sys_seccomp_load(const struct sock_filter *program, unsigned short count, bool with_listener);
bool sys_seccomp_can_notify(void);

#endif
