/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/run only: the ops, one small function each, by family. None decides anything. */
#ifndef IMMURE_RUN_OP_H
#define IMMURE_RUN_OP_H

#include "run/run.h"

typedef int op_function(struct run *run, const struct step *step);

/* op_host.c: what happens outside the jail */
op_function op_lease_ids, op_open, op_write, op_id_map, op_subid_map, op_id_userns;
/* op_cgroup.c: groups and the journal */
op_function op_journal, op_cgroup_aside, op_cgroup_create, op_cgroup_join, op_cgroup_verify,
	op_cgroup_scope /* op_scope.c: made by systemd */;
/* op_world.c: namespaces, names, init itself */
op_function op_die_with_parent, op_die_with_launcher, op_outlive, op_hide, op_own_id_map, op_join_namespace, op_unshare, op_open_process, op_adopt, op_fence, op_become_root_inside, op_host_name, op_loopback,
	op_keyring;
/* op_network.c: a network namespace that is made meanwhile */
op_function op_network_begin, op_network_enter;
/* Init failed with RC: what the helper failed with was earlier, and is told instead. */
int blame_network(struct run *run, int rc);
/* tell.c, op_life.c: descriptors that others wait at, what init holds */
op_function op_tell_birth, op_tell_life, op_await, op_lock_file, op_hold, op_close_on_exec, op_assert_no_userns, op_nest;
/* op_enter.c: letting others into a jail that is there */
op_function op_give_namespaces, op_give_root, op_give_file, op_root_again;
/* op_pod.c: what a member shares with its pod */
op_function op_own_userns, op_write_below, op_borrow_mount;
/* op_mount.c, op_tree.c: the new tree */
op_function op_private, op_source, op_new_mount, op_attach, op_bind_inside, op_bind_part, op_mask, op_set_read_only, op_pivot, op_chroot;
op_function op_directory, op_find, op_file, op_symlink;
/* op_place.c: where folders of the host's lie on the way */
op_function op_top, op_put, op_place, op_fill, op_link, op_chmod, op_seal;
/* op_layer.c: what is built in a workshop first */
op_function op_overlay, op_file_cover, op_layers;
/* op_program.c: session, limits, exec */
op_function op_session, op_signals, op_chdir, op_umask, op_personality, op_raise_limit, op_rlimit, op_descriptors, op_exec, op_check_program;
/* op_stream.c: standard descriptors */
op_function op_pipes, op_standard, op_pty, op_terminal;
/* op_confine.c: identity, capabilities, Landlock, seccomp */
op_function op_drop_bounding, op_groups, op_gid, op_uid, op_capabilities, op_ambient, op_securebits, op_keep_capabilities,
	op_no_new_privs, op_landlock, op_seccomp, op_filter;
/* op_check.c: the self-check */
op_function op_check_namespaces, op_check_joined, op_check_init, op_check_root, op_check_process, op_check_identity, op_check_capabilities, op_check_mounts, op_check_limit, op_check_descriptors;

#endif
