/* SPDX-License-Identifier: Apache-2.0 */
/* Pods: what the holder makes, and what members take. Pure, as all features are. */
#include "feature/pod.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "base/path.h"

const char *const share_names[SHARES] = { "net", "ipc", "uts", "pid", "mounts", "cgroup" };

/* Indices of namespace_names: a static table of sys/namespace.c, which a row finds by name. */
static const struct row {
	unsigned kind;
	const char *name;     /* in namespace_names */
	const char *key;      /* of the option */
	size_t offset;
} rows[] = {
	{ SHARE_NET, "net", "net", offsetof(struct spec, net) },
	{ SHARE_IPC, "ipc", "ipcns", offsetof(struct spec, ipcns) },
	{ SHARE_UTS, "uts", "utsns", offsetof(struct spec, utsns) },
	{ SHARE_PID, "pid", "pidns", offsetof(struct spec, pidns) },
	{ SHARE_MOUNTS, "mnt", "mountns", offsetof(struct spec, mountns) },
};

static struct namespace_choice *choice_of(struct spec *spec, const struct row *row)
{
	return (void *)((char *)spec + row->offset);
}

static bool is_asked(const struct spec *spec, size_t offset)
{
	return spec_origin(spec, offset)->layer > LAYER_PRESET;
}

int share_parse(const char *text, unsigned *kinds, struct error *err)
{
	unsigned found = 0;

	while (*text) {
		const size_t length = strcspn(text, ",");
		unsigned i = 0;

		while (i < SHARES && (strlen(share_names[i]) != length || strncmp(share_names[i], text, length) != 0))
			i++;
		if (i == SHARES)
			return error_mistake(err, "--share %.*s: a pod shares net, ipc, uts, pid, mounts or cgroup", (int)length, text);
		found |= 1u << i;
		text += length + (text[length] == ',');
	}
	*kinds = found;
	return 0;
}

/* ---- the holder ---- */

/* What shapes only one kind, and so means nothing where that is not shared. */
static const struct {
	unsigned kinds;
	const char *key;
	size_t offset;
} shapes[] = {
	{ SHARE_NET, "net", offsetof(struct spec, net) },
	{ SHARE_UTS, "hostname", offsetof(struct spec, host_name) },
	{ SHARE_MOUNTS, "root", offsetof(struct spec, root) },
	{ SHARE_MOUNTS, "sys", offsetof(struct spec, sys) },
	{ SHARE_MOUNTS, "dev", offsetof(struct spec, dev) },
	{ SHARE_MOUNTS | SHARE_PID, "proc", offsetof(struct spec, proc) },
	{ SHARE_CGROUP, "memory", offsetof(struct spec, memory_bytes) },
	{ SHARE_CGROUP, "swap", offsetof(struct spec, swap_bytes) },
	{ SHARE_CGROUP, "cpus", offsetof(struct spec, cpus_thousandths) },
	{ SHARE_CGROUP, "pids", offsetof(struct spec, pids) },
	{ SHARE_CGROUP, "io-max", offsetof(struct spec, io_max) },
	/* of a program, and a pod has none */
	{ 0, "cpu-time", offsetof(struct spec, cpu_time_ns) },
	{ 0, "wall-time", offsetof(struct spec, wall_time_ns) },
	{ 0, "output", offsetof(struct spec, output_bytes) },
	{ 0, "timens", offsetof(struct spec, timens) },
	{ 0, "uid-map", offsetof(struct spec, uid_maps) },
};

static int check_shapes(const struct spec *spec, unsigned kinds, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		if (!is_asked(spec, shapes[i].offset) || (shapes[i].kinds & kinds))
			continue;
		if (!shapes[i].kinds)
			return error_mistake(err, "--%s: that is for jails, and not for a pod", shapes[i].key);
		error_mistake(err, "--%s: the pod does not share what this shapes", shapes[i].key);
		error_remedy(err, "E-POD-SHARE", "name it in --share, or say it with each run");
		return -EINVAL;
	}
	if (spec->mounts && !(kinds & SHARE_MOUNTS)) {
		error_mistake(err, "\"%s\": the pod does not share its mounts", spec->mounts->target);
		error_remedy(err, "E-POD-SHARE", "name mounts in --share, or say it with each run");
		return -EINVAL;
	}
	if ((kinds & SHARE_MOUNTS) && !(kinds & SHARE_PID) && spec->proc == PROC_NEW) {
		error_mistake(err, "one /proc shows the processes of one PID namespace, and the members' are different ones");
		error_remedy(err, "E-POD-PROC", "share pid as well, or say --proc none");
		return -EINVAL;
	}
	return 0;
}

static void choose(struct spec *spec, unsigned kinds, bool is_root)
{
	const bool needs_tree = kinds & (SHARE_MOUNTS | SHARE_IPC | SHARE_PID);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!(kinds & rows[i].kind))
			choice_of(spec, &rows[i])->mode = NAMESPACE_HOST;
	if (needs_tree)
		spec->mountns.mode = NAMESPACE_NEW;
	spec->userns.mode = !is_root || (kinds & SHARE_MOUNTS) ? NAMESPACE_NEW : NAMESPACE_HOST;
	spec->cgroupns.mode = spec->timens.mode = NAMESPACE_HOST;
}

/* What members borrow from a tree that they do not share as a whole. */
static int furnish(struct spec *spec, unsigned kinds)
{
	static const struct origin origin = { .layer = LAYER_DEFAULT };
	struct mount *shm;

	spec->root = "empty";
	spec->sys = SYS_NONE;
	spec->dev = DEV_NONE;
	spec->proc = kinds & SHARE_PID ? PROC_NEW : PROC_NONE;
	if (!(kinds & SHARE_IPC))
		return 0;
	shm = mount_new(&spec->arena, MOUNT_TMPFS, &origin);
	if (!shm)
		return -ENOMEM;
	shm->target = "/dev/shm";
	shm->mode = 01777;
	shm->has_mode = true;
	spec->mounts = shm;
	return 0;
}

/* No more than what its namespaces and its group need; nobody enters it, and it executes nothing. */
static int make_plain(struct spec *spec)
{
	char **command = arena_alloc(&spec->arena, 2 * sizeof(*command));

	if (!command)
		return -ENOMEM;
	command[0] = arena_copy(&spec->arena, "pod");
	command[1] = NULL;
	spec->command = command;
	spec->seccomp = "off";
	spec->landlock = LANDLOCK_OFF;
	spec->may_nest = true;
	spec->init = INIT_OWN;
	spec->lifetime = LIFETIME_LAUNCHER;
	spec->tty = TTY_NO;
	spec->cap_add = spec->leave = NULL;
	spec->is_holder = spec->is_kept = true;
	return 0;
}

int pod_shape(struct spec *spec, unsigned kinds, const struct host *host, struct error *err)
{
	const bool is_root = HOST_HAS_CAP(host, CAP_SYS_ADMIN);
	int rc = check_shapes(spec, kinds, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (choice_of(spec, &rows[i])->mode != NAMESPACE_NEW && choice_of(spec, &rows[i])->mode != NAMESPACE_BARE && (kinds & rows[i].kind))
			return error_mistake(err, "--%s: what a pod shares is its own", rows[i].key);
	if (kinds & SHARE_PID && host->landlock_abi < 6) {
		error_mistake(err, "--share pid: only Landlock's scopes (ABI 6, Linux 6.12) would tell the processes of one member from another's");
		error_remedy(err, "E-PIDNS-JOIN", "leave pid out: each jail has a PID namespace of its own then");
		return -EINVAL;
	}
	if (kinds & SHARE_MOUNTS && host->root_is_rootfs)
		return error_mistake(err, "--share mounts: on an initial ramfs a jail's root is no namespace's");
	if (!is_asked(spec, offsetof(struct spec, pids)))
		spec->pids = NUMBER_NONE;
	if (!is_root) { /* the number that the caller has outside is mapped to itself, which the members count on */
		spec->user = arena_format(&spec->arena, "%u", (unsigned)host->uid);
		spec->group = arena_format(&spec->arena, "%u", (unsigned)host->gid);
	}
	choose(spec, kinds, is_root);
	spec->has_common_group = kinds & SHARE_CGROUP;
	rc = make_plain(spec);
	if (rc == 0 && !(kinds & SHARE_MOUNTS) && spec->mountns.mode == NAMESPACE_NEW)
		rc = furnish(spec, kinds);
	return rc < 0 ? error_set(err, -rc, "shaping the pod") : 0;
}

static bool is_holders(const struct step *step)
{
	switch ((int)step->op) {
	case OP_FORK: case OP_CGROUP_JOIN: case OP_CGROUP_VERIFY: case OP_CGROUP_WATCH: case OP_PIPES: case OP_PTY: case OP_EVIDENCE:
	case OP_WALL_TIME: case OP_ADOPT: case OP_FENCE: case OP_KEYRING: return false;
	/* The kernel chooses a victim; the end of all would be the end of the pod. */
	case OP_WRITE: return strcmp(path_last(step->subject), "memory.oom.group") != 0;
	default: return step->side != PAYLOAD;
	}
}

void pod_hold(struct plan *plan)
{
	int kept = 0;

	for (int i = 0; i < plan->count; i++)
		if (is_holders(&plan->steps[i]))
			plan->steps[kept++] = plan->steps[i];
	plan->count = kept;
	plan->is_holder = true;
}

/* ---- members ---- */

static int refuse_own(const struct pod_share *share, const char *key, const char *what, struct error *err)
{
	error_mistake(err, "--%s: the pod %s shares %s", key, share->pod, what);
	error_remedy(err, "E-POD-SHARED", "leave it out; it is said when the pod is created");
	return -EINVAL;
}

static const char *world_of(const struct pod_share *share, const char *name)
{
	for (unsigned kind = 0; kind < NAMESPACES; kind++)
		if (strcmp(namespace_names[kind], name) == 0)
			return share->worlds[kind];
	return NULL;
}

static int join_worlds(struct spec *spec, const struct pod_share *share, const struct origin *origin, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!(share->kinds & rows[i].kind))
			continue;
		if (is_asked(spec, rows[i].offset))
			return refuse_own(share, rows[i].key, "it", err);
		*choice_of(spec, &rows[i]) = (struct namespace_choice){ NAMESPACE_JOIN, world_of(share, rows[i].name) };
		spec_set_origin(spec, rows[i].offset, origin);
	}
	return 0;
}

static int check_own(const struct spec *spec, const struct pod_share *share, struct error *err)
{
	const struct { unsigned kinds; size_t offset; const char *key, *what; } own[] = {
		{ SHARE_UTS, offsetof(struct spec, host_name), "hostname", "its host name" },
		{ SHARE_MOUNTS, offsetof(struct spec, root), "root", "its tree" },
		{ SHARE_MOUNTS, offsetof(struct spec, proc), "proc", "its tree" },
		{ SHARE_MOUNTS, offsetof(struct spec, dev), "dev", "its tree" },
		{ SHARE_MOUNTS, offsetof(struct spec, sys), "sys", "its tree" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if ((share->kinds & own[i].kinds) && is_asked(spec, own[i].offset))
			return refuse_own(share, own[i].key, own[i].what, err);
	if ((share->kinds & SHARE_MOUNTS) && spec->mounts)
		return refuse_own(share, "ro, --rw, ...", "its tree", err);
	return 0;
}

static int join_users(struct spec *spec, const struct pod_share *share, const struct origin *origin, struct error *err)
{
	const char *userns = world_of(share, "user");

	if (spec->userns.mode != NAMESPACE_NEW)
		return error_mistake(err, "--userns: members of a pod have their own");
	if (!userns)
		return 0;
	if (spec->ids != IDS_AUTO && spec->ids != share->ids) {
		error_mistake(err, "--ids: a member has the ids that its pod has");
		error_remedy(err, "E-POD-IDS", "say --ids when the pod is created");
		return -EINVAL;
	}
	spec->ids = share->ids;
	spec->userns_parent = userns;
	spec_set_origin(spec, offsetof(struct spec, userns_parent), origin);
	return 0;
}

int pod_join(struct spec *spec, const struct pod_share *share, struct error *err)
{
	struct origin origin = { .layer = LAYER_DEFAULT, .source = arena_format(&spec->arena, "pod %s", share->pod) };
	int rc = spec->is_ordered && share->kinds ? error_mistake(err, "a tree that is built in order is for no pod") : 0;

	if (!origin.source)
		return error_set(err, ENOMEM, "joining the pod");
	if (rc == 0)
		rc = check_own(spec, share, err);
	if (rc == 0)
		rc = join_worlds(spec, share, &origin, err);
	if (rc == 0)
		rc = join_users(spec, share, &origin, err);
	spec->has_common_group = share->kinds & SHARE_CGROUP;
	if (rc < 0 || share->kinds & SHARE_MOUNTS)
		return rc;
	spec->pod_mounts = world_of(share, "mnt");
	spec->borrows_proc = share->kinds & SHARE_PID;
	spec->borrows_shm = share->kinds & SHARE_IPC;
	return 0;
}

/* ---- groups ---- */

/* The pod's own group of this controller; NULL: it has none. */
static const struct step *find_group(const struct plan *holder, const struct host_controller *controller)
{
	for (int i = 0; i < holder->count; i++) {
		const struct step *step = &holder->steps[i];
		const size_t length = strlen(controller->parent);

		if (step->op == OP_CGROUP_CREATE && strncmp(step->subject, controller->parent, length) == 0 && step->subject[length] == '/')
			return step;
	}
	return NULL;
}

void pod_place(struct host *host, const struct plan *holder)
{
	for (enum controller i = 0; i < CONTROLLERS; i++) {
		struct host_controller *controller = &host->controllers[i];
		const struct step *group;

		if (controller->way == CGROUP_NONE || (holder && controller->way != CGROUP_DIRECT))
			continue;
		group = holder ? find_group(holder, controller) : NULL;
		if (holder && !group)
			continue;
		controller->is_common = true;
		if (!group)
			continue;
		controller->path = arena_format(&host->arena, "%s%s", strcmp(controller->path, "/") == 0 ? "" : controller->path,
						group->subject + strlen(controller->parent));
		controller->parent = group->subject;
		if (controller->version == 2) {
			host->unified.above = NULL;
			host->unified.must_step_aside = false;
		}
	}
}
