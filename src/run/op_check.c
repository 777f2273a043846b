/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The self-check: a few cheap reads; -EBADE when what is differs from what was asked. What the launcher notes for it
 * is read before birth.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "run/op.h"
#include "sys/confine.h"
#include "sys/process.h"

enum { DIFFERENT = -EBADE, MOST_GROUPS = 64, LOOKED_AT = 4096 };

static const struct step *find_step(const struct plan *plan, enum op op)
{
	for (int i = 0; i < plan->count; i++)
		if (plan->steps[i].op == op)
			return &plan->steps[i];
	return NULL;
}

/* The PID namespace needs no reading: init is number 1 in a new one. */
static uint64_t read_kinds(const struct step *step)
{
	return step ? step->flags & ~SYS_CLONE_NEWPID : 0;
}

static int look_at_namespaces(const struct run *run, uint64_t kinds, uint64_t *inodes)
{
	auto_close int self = -1;

	if (!kinds)
		return 0;
	self = sys_open_pid(sys_pid());
	for (unsigned kind = 0; kind < NAMESPACES; kind++) {
		int rc = kinds & namespace_flags[kind] ? sys_own_namespace(self, other_proc(run), kind, &inodes[kind]) : 0;

		if (rc < 0)
			return rc;
	}
	return 0;
}

int check_prepare(struct run *run)
{
	if (find_step(run->plan, OP_KEYRING))
		run->keyring = sys_session_keyring();
	return look_at_namespaces(run, read_kinds(find_step(run->plan, OP_CHECK_NAMESPACES)), run->namespaces);
}

/* By init, whose namespaces the payload inherits. */
int op_check_namespaces(struct run *run, const struct step *step)
{
	uint64_t mine[NAMESPACES];
	int rc = look_at_namespaces(run, read_kinds(step), mine);

	if (rc < 0)
		return rc;
	for (unsigned kind = 0; kind < NAMESPACES; kind++)
		if ((read_kinds(step) & namespace_flags[kind]) && mine[kind] == run->namespaces[kind])
			return DIFFERENT;
	return step->flags & SYS_CLONE_NEWPID && sys_pid() != 1 ? DIFFERENT : 0;
}

int op_check_joined(struct run *run, const struct step *step)
{
	struct sys_identity theirs;
	uint64_t mine[NAMESPACES];
	int rc = sys_identity_at(run->slots[step->slot], &theirs);

	if (rc == 0)
		rc = look_at_namespaces(run, step->flags, mine);
	for (unsigned kind = 0; rc == 0 && kind < NAMESPACES; kind++)
		if ((step->flags & namespace_flags[kind]) && mine[kind] != theirs.inode)
			rc = DIFFERENT;
	return rc;
}

int op_check_init(struct run *run, const struct step *step)
{
	(void)run;
	return (sys_is_dumpable() == 1) != ((step->how & STEP_LEFT) != 0) || sys_parent_death_signal() != (int)step->number ? DIFFERENT : 0;
}

static int check_workdir(const char *path)
{
	struct sys_identity here, there;
	char buffer[4096];
	int rc = sys_getcwd(buffer, sizeof(buffer));

	if (rc >= 0)
		rc = sys_identity(".", &here);
	if (rc >= 0)
		rc = sys_identity(path, &there);
	if (rc < 0)
		return rc;
	return here.device == there.device && here.inode == there.inode ? 0 : DIFFERENT;
}

/* What lies over the root is not seen by way of "/", but "/.." leads there. */
static int check_root(int root)
{
	uint64_t wanted = 0, found = 0, above = 0;
	int rc = sys_mount_id(root, "", &wanted);

	if (rc == 0)
		rc = sys_mount_id(AT_FDCWD, "/", &found);
	if (rc == 0)
		rc = sys_mount_id(AT_FDCWD, "/..", &above);
	if (rc < 0)
		return rc;
	return wanted == found && wanted == above ? 0 : DIFFERENT;
}

/* "/" must be the very mount that was made for it, with nothing over it, and the working directory must be reached from there. */
int op_check_root(struct run *run, const struct step *step)
{
	int rc = step->slot >= 0 ? check_root(run->slots[step->slot]) : 0;

	if (rc < 0)
		return rc;
	return check_workdir(((const char *const *)step->data)[run->start]);
}

/* Where an outer filter hides the keyrings, it hides them from the program too. */
static bool has_new_keyring(const struct run *run)
{
	const int now = sys_session_keyring();

	return now < 0 ? now == run->keyring : now != run->keyring;
}

int op_check_process(struct run *run, const struct step *step)
{
	if (sys_set_umask((unsigned)step->number) != (int)step->number)
		return DIFFERENT;
	if (step->more & CHECK_PERSONALITY && sys_personality(0xffffffff) != (int)step->flags)
		return DIFFERENT;
	if (step->more & CHECK_SESSION && !sys_leads_session())
		return DIFFERENT;
	if (step->more & CHECK_INITS_SESSION && !sys_is_in_parents_session())
		return DIFFERENT;
	if (!(step->how & STEP_LEFT) && sys_has_blocked_signals() != 0)
		return DIFFERENT;
	return step->more & CHECK_KEYRING && !has_new_keyring(run) ? DIFFERENT : 0;
}

static int check_groups(const struct step *step)
{
	const gid_t *wanted = step->data;
	gid_t groups[MOST_GROUPS];
	int rc = sys_get_groups(groups, MOST_GROUPS);

	if (rc < 0)
		return rc;
	if ((size_t)rc != step->size)
		return DIFFERENT;
	for (size_t i = 0; i < step->size; i++) { /* the kernel sorts them */
		bool is_there = false;

		for (int j = 0; j < rc; j++)
			is_there |= groups[j] == wanted[i];
		if (!is_there)
			return DIFFERENT;
	}
	return 0;
}

int op_check_identity(struct run *run, const struct step *step)
{
	const uint32_t base = step->slot == SLOT_IDS ? (uint32_t)run->slots[SLOT_IDS] : 0;
	const uint32_t uid = (uint32_t)step->number + base, gid = (uint32_t)step->more + base;
	struct sys_ids ids;
	int rc = sys_get_ids(&ids);

	if (rc < 0)
		return rc;
	if (step->flags & CHECK_USER && (ids.real_uid != uid || ids.effective_uid != uid || ids.saved_uid != uid))
		return DIFFERENT;
	if (step->flags & CHECK_GROUP && (ids.real_gid != gid || ids.effective_gid != gid || ids.saved_gid != gid))
		return DIFFERENT;
	return step->flags & CHECK_GROUPS ? check_groups(step) : 0;
}

/*
 * The ambient set is always within permitted and inheritable, which are known by now: none there, none here. The bounding set gives
 * nothing, it takes: what should be gone from it is looked for, and nothing else, a call each. capabilities(7)
 */
static int check_sets(const struct step *step)
{
	const bool has_bounding = step->more & CHECK_BOUNDING;
	const bool is_optional = step->how & STEP_OPTIONAL && sys_forbids_ambient();

	for (unsigned capability = 0; capability <= step->number; capability++) {
		const int wanted = (int)(step->flags >> capability & 1);

		if (has_bounding && !wanted && sys_has_bounding(capability) != 0)
			return DIFFERENT;
		if (step->more & CHECK_SETS && step->flags && sys_has_ambient(capability) != wanted && !is_optional)
			return DIFFERENT;
	}
	return 0;
}

int op_check_capabilities(struct run *run, const struct step *step)
{
	struct sys_capabilities caps;
	int rc = sys_get_capabilities(&caps);

	(void)run;
	if (rc < 0)
		return rc;
	if (step->more & CHECK_SETS && (caps.effective != step->flags || caps.permitted != step->flags || caps.inheritable != step->flags))
		return DIFFERENT;
	if (sys_has_no_new_privileges() != 1)
		return DIFFERENT;
	if (step->size && sys_get_securebits() != (int)step->size)
		return DIFFERENT;
	return check_sets(step);
}

int op_check_mounts(struct run *run, const struct step *step)
{
	const struct mount_expectation *row = step->data;

	(void)run;
	for (size_t i = 0; i < step->size; i++) {
		unsigned long flags;
		long magic;
		int rc = sys_mount_flags(row[i].path, &flags, &magic);

		if ((rc == -ENOENT && row[i].is_optional) || rc == -EACCES) /* the program cannot get there either */
			continue;
		if (rc < 0)
			return rc;
		if ((flags & row[i].set) != row[i].set || (flags & row[i].clear))
			return DIFFERENT;
	}
	return 0;
}

int op_check_limit(struct run *run, const struct step *step)
{
	uint64_t soft, hard;
	int rc = sys_get_rlimit((int)step->flags, &soft, &hard);

	(void)run;
	if (rc < 0)
		return rc;
	if (step->how & STEP_LOWER_STAYS && hard < step->more)
		return soft <= step->number ? 0 : DIFFERENT;
	return soft == step->number && hard == step->more ? 0 : DIFFERENT;
}

static int check_descriptor(int fd, const void *argument)
{
	const struct step *step = argument;

	if (fd < 3 || !sys_stays_open(fd))
		return 0;
	for (size_t i = 0; i < step->size; i++)
		if (((const int32_t *)step->data)[i] == fd)
			return 0;
	return DIFFERENT;
}

/* Without /proc nobody tells how high they go; then it is close_range's word for those above. */
int op_check_descriptors(struct run *run, const struct step *step)
{
	int rc = sys_each_descriptor(check_descriptor, step);

	(void)run;
	if (rc != -ENOENT && rc != -EACCES)
		return rc;
	rc = 0;
	for (int fd = 3; rc == 0 && fd < LOOKED_AT; fd++)
		rc = check_descriptor(fd, step);
	return rc;
}
