/* SPDX-License-Identifier: Apache-2.0 */
/* What does not go together, and what follows: which namespaces there will be, which descriptors are used up, whether there is an init. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "compat/bwrap.h"

/* Before it is settled whether there is a user namespace: these are about the words themselves. */
static int check_user_words(struct bwrap *bwrap)
{
	const bool is_blocked = bwrap->userns_block_fd >= 0, is_joined = bwrap->userns_fd >= 0;
	const struct { bool is_wrong; const char *text; } rows[] = {
		{ is_blocked && !bwrap->unshare_user, "--userns-block-fd requires --unshare-user" },
		{ is_blocked && bwrap->info_fd < 0, "--userns-block-fd requires --info-fd" },
		{ is_joined && bwrap->unshare_user, "--userns not compatible --unshare-user" },
		{ is_joined && bwrap->unshare_user_try, "--userns not compatible --unshare-user-try" },
		{ bwrap->disable_userns && !bwrap->unshare_user, "--disable-userns requires --unshare-user" },
		{ bwrap->disable_userns && is_blocked, "--disable-userns is not compatible with --userns-block-fd" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].is_wrong)
			return bwrap_refuse(bwrap, "%s", rows[i].text);
	return 0;
}

static void settle_namespaces(struct bwrap *bwrap)
{
	const struct bwrap_caller *caller = bwrap->caller;

	/* Whoever is not root has no other way; and hardened, root does not go in as root either. */
	if (bwrap->userns_fd < 0 && (caller->uid != 0 || caller->is_hardened))
		bwrap->unshare_user = true;
	if (bwrap->unshare_user_try && caller->has_userns)
		bwrap->unshare_user = true;
	if (bwrap->unshare_cgroup_try && caller->has_cgroupns)
		bwrap->unshare_cgroup = true;
}

static int check_settled(struct bwrap *bwrap)
{
	const struct bwrap_caller *caller = bwrap->caller;
	const bool has_own_ids = bwrap->unshare_user || bwrap->userns_fd >= 0;
	const bool is_other_uid = bwrap->uid != BWRAP_UNSET_ID && bwrap->uid != (int64_t)caller->uid;
	const bool is_other_gid = bwrap->gid != BWRAP_UNSET_ID && bwrap->gid != (int64_t)caller->gid;
	const struct { bool is_wrong; const char *text; } rows[] = {
		{ is_other_uid && !has_own_ids, "Specifying --uid requires --unshare-user or --userns" },
		{ is_other_gid && !has_own_ids, "Specifying --gid requires --unshare-user or --userns" },
		{ bwrap->hostname && !bwrap->unshare_uts, "Specifying --hostname requires --unshare-uts" },
		{ bwrap->as_pid_1 && !bwrap->unshare_pid, "Specifying --as-pid-1 requires --unshare-pid" },
		{ bwrap->as_pid_1 && bwrap->lock_count, "Specifying --as-pid-1 and --lock-file is not permitted" },
		{ bwrap->unshare_cgroup && !caller->has_cgroupns,
		  "Cannot create new cgroup namespace because the kernel does not support it\n  try: --unshare-cgroup-try" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].is_wrong)
			return bwrap_refuse(bwrap, "%s", rows[i].text);
	return 0;
}

static int check_label(struct bwrap *bwrap)
{
	if (!bwrap->label)
		return 0;
	if (!bwrap->caller->has_selinux)
		return bwrap_refuse(bwrap, "%s: labeling is not supported on this system: it has no SELinux", bwrap->label);
	return bwrap_refuse(bwrap, "%s: labels are not supported by immure-bwrap; leave it out, or use bubblewrap", bwrap->label);
}

static int consume_all(struct bwrap *bwrap)
{
	const struct bwrap_consumed rows[] = {
		{ bwrap->userns_fd, "--userns" }, { bwrap->userns2_fd, "--userns2" }, { bwrap->pidns_fd, "--pidns" },
		{ bwrap->block_fd, "--block-fd" }, { bwrap->userns_block_fd, "--userns-block-fd" }, { bwrap->info_fd, "--info-fd" },
		{ bwrap->json_status_fd, "--json-status-fd" }, { bwrap->seccomp_fd, "--seccomp" },
		/* Where there is no process to hold it, the program does. */
		{ bwrap->needs_init ? bwrap->sync_fd : -1, "--sync-fd" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].descriptor >= 0 && bwrap_consume(bwrap, rows[i].descriptor, rows[i].where) < 0)
			return -1;
	return 0;
}

/* Relative to the sandbox's root, in which the program's folder is looked for. */
static int settle_start(struct bwrap *bwrap)
{
	if (!bwrap->start_folder)
		return 0;
	if (!*bwrap->start_folder)
		return bwrap_refuse(bwrap, "Can't chdir to %s: %s", bwrap->start_folder, strerror(ENOENT));
	bwrap->start_folder = strcmp(bwrap->start_folder, ".") == 0 ? "/" : bwrap_rooted(bwrap, bwrap->start_folder);
	return bwrap->start_folder ? 0 : -1;
}

int bwrap_check(struct bwrap *bwrap)
{
	if (check_user_words(bwrap) < 0)
		return -1;
	settle_namespaces(bwrap);
	if (check_settled(bwrap) < 0 || check_label(bwrap) < 0)
		return -1;
	bwrap->needs_init = !bwrap->as_pid_1 && (bwrap->unshare_pid || bwrap->lock_count || bwrap->sync_fd >= 0 || bwrap->caller->is_hardened);
	return settle_start(bwrap) < 0 ? -1 : consume_all(bwrap);
}

int bwrap_close_consumed(struct bwrap *bwrap)
{
	for (size_t i = 0; i < bwrap->consumed_count; i++) {
		const struct bwrap_consumed *consumed = &bwrap->consumed[i];

		if (fcntl(consumed->descriptor, F_SETFD, FD_CLOEXEC) < 0)
			return bwrap_refuse(bwrap, "%s %d: %s", consumed->where, consumed->descriptor, strerror(errno));
	}
	return 0;
}
