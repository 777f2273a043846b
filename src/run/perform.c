/* SPDX-License-Identifier: Apache-2.0 */
/* The table of ops. OP_CLONE and OP_FORK are the performers' own affair; what is watched while the program runs is told in
 * watch.h. */
#include <errno.h>

#include "run/op.h"

/* Nothing to do now: a source of the watch acts on it, or it goes where the baton goes. */
static int op_elsewhere(struct run *run, const struct step *step)
{
	(void)run;
	(void)step;
	return 0;
}

static op_function *const ops[OPS] = {
	[OP_LEASE_IDS] = op_lease_ids, [OP_OPEN] = op_open, [OP_WRITE] = op_write, [OP_SOURCE] = op_source,
	[OP_ID_MAP] = op_id_map, [OP_ID_USERNS] = op_id_userns, [OP_SUBID_MAP] = op_subid_map,
	[OP_JOURNAL] = op_journal, [OP_CGROUP_ASIDE] = op_cgroup_aside, [OP_CGROUP_CREATE] = op_cgroup_create,
	[OP_CGROUP_JOIN] = op_cgroup_join, [OP_CGROUP_VERIFY] = op_cgroup_verify,
	[OP_TELL_BIRTH] = op_tell_birth, [OP_TELL_LIFE] = op_tell_life, [OP_AWAIT] = op_await, [OP_LOCK_FILE] = op_lock_file,
	[OP_HOLD] = op_hold, [OP_CLOSE_ON_EXEC] = op_close_on_exec, [OP_ASSERT_NO_USERNS] = op_assert_no_userns, [OP_NEST] = op_nest,
	[OP_DIE_WITH_PARENT] = op_die_with_parent, [OP_DIE_WITH_LAUNCHER] = op_die_with_launcher, [OP_OUTLIVE] = op_outlive, [OP_HIDE] = op_hide, [OP_OWN_ID_MAP] = op_own_id_map, [OP_JOIN_NAMESPACE] = op_join_namespace,
	[OP_UNSHARE] = op_unshare, [OP_BECOME_ROOT_INSIDE] = op_become_root_inside, [OP_HOST_NAME] = op_host_name,
	[OP_LOOPBACK] = op_loopback, [OP_NETWORK_BEGIN] = op_network_begin, [OP_NETWORK_ENTER] = op_network_enter, [OP_KEYRING] = op_keyring,
	[OP_OPEN_PROCESS] = op_open_process, [OP_ADOPT] = op_adopt, [OP_FENCE] = op_fence,
	[OP_OWN_USERNS] = op_own_userns, [OP_WRITE_BELOW] = op_write_below, [OP_BORROW_MOUNT] = op_borrow_mount,
	[OP_GIVE_NAMESPACES] = op_give_namespaces, [OP_GIVE_ROOT] = op_give_root, [OP_GIVE_FILE] = op_give_file, [OP_ROOT_AGAIN] = op_root_again,
	[OP_PRIVATE] = op_private, [OP_NEW_MOUNT] = op_new_mount, [OP_ATTACH] = op_attach, [OP_DIRECTORY] = op_directory,
	[OP_FIND] = op_find, [OP_FILE] = op_file, [OP_FILE_COVER] = op_file_cover, [OP_OVERLAY] = op_overlay, [OP_SYMLINK] = op_symlink, [OP_BIND_INSIDE] = op_bind_inside, [OP_BIND_PART] = op_bind_part, [OP_MASK] = op_mask,
	[OP_SET_READ_ONLY] = op_set_read_only, [OP_PIVOT] = op_pivot, [OP_CHROOT] = op_chroot,
	[OP_TOP] = op_top, [OP_PUT] = op_put, [OP_PLACE] = op_place, [OP_FILL] = op_fill, [OP_LINK] = op_link, [OP_CHMOD] = op_chmod,
	[OP_SEAL] = op_seal, [OP_LAYERS] = op_layers,
	[OP_SESSION] = op_session, [OP_SIGNALS] = op_signals, [OP_CHDIR] = op_chdir, [OP_UMASK] = op_umask, [OP_PERSONALITY] = op_personality,
	[OP_RAISE_LIMIT] = op_raise_limit, [OP_RLIMIT] = op_rlimit, [OP_DESCRIPTORS] = op_descriptors, [OP_EXEC] = op_exec, [OP_CHECK_PROGRAM] = op_check_program,
	[OP_DROP_BOUNDING] = op_drop_bounding, [OP_GROUPS] = op_groups, [OP_GID] = op_gid, [OP_UID] = op_uid,
	[OP_CAPABILITIES] = op_capabilities, [OP_AMBIENT] = op_ambient, [OP_SECUREBITS] = op_securebits,
	[OP_KEEP_CAPABILITIES] = op_keep_capabilities, [OP_NO_NEW_PRIVS] = op_no_new_privs, [OP_LANDLOCK] = op_landlock,
	[OP_SECCOMP] = op_seccomp, [OP_FILTER] = op_filter,
	[OP_CHECK_NAMESPACES] = op_check_namespaces, [OP_CHECK_JOINED] = op_check_joined, [OP_CHECK_INIT] = op_check_init,
	[OP_CHECK_ROOT] = op_check_root, [OP_CHECK_PROCESS] = op_check_process, [OP_CHECK_IDENTITY] = op_check_identity,
	[OP_CHECK_CAPABILITIES] = op_check_capabilities, [OP_CHECK_MOUNTS] = op_check_mounts, [OP_CHECK_LIMIT] = op_check_limit,
	[OP_CHECK_DESCRIPTORS] = op_check_descriptors,
	[OP_WALL_TIME] = op_elsewhere, [OP_EVIDENCE] = op_elsewhere, [OP_PIPES] = op_pipes, [OP_LEND] = op_elsewhere, [OP_STANDARD] = op_standard, [OP_PTY] = op_pty, [OP_TERMINAL] = op_terminal,
	[OP_CGROUP_SCOPE] = op_cgroup_scope, [OP_CGROUP_WATCH] = op_elsewhere,
};

int perform(struct run *run, const struct step *step)
{
	if (step->op == OP_FORK)
		return 0;
	return ops[step->op] ? ops[step->op](run, step) : -ENOSYS;
}
