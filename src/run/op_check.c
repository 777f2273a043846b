/* SPDX-License-Identifier: Apache-2.0 */
/* The self-check: a few cheap reads; -EBADE when what is differs from what was asked. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "run/op.h"
#include "sys/confine.h"
#include "sys/process.h"

enum { DIFFERENT = -EBADE, MOST_GROUPS = 64, LOOKED_AT = 64 };

/* Performed by init, while the host's /proc is still there; the payload inherits all but the PID and time namespaces. */
int op_check_namespaces(struct run *run, const struct step *step)
{
	char path[] = "/proc/self/ns/time_for_children";

	for (int i = 0; i < NAMESPACES; i++) {
		struct sys_identity mine;
		int rc;

		if (!(step->flags & namespace_flags[i]))
			continue;
		strcpy(path + sizeof("/proc/self/ns/") - 1, namespace_names[i]);
		if (namespace_flags[i] == 0x80) /* init itself stays in the old time namespace */
			strcpy(path + sizeof("/proc/self/ns/") - 1, "time_for_children");
		rc = sys_identity(path, &mine);
		if (rc < 0)
			return rc;
		if (mine.inode == run->namespaces[i].inode)
			return DIFFERENT;
	}
	return 0;
}

int op_check_identity(struct run *run, const struct step *step)
{
	const uint32_t base = step->slot == SLOT_IDS ? (uint32_t)run->slots[SLOT_IDS] : 0;
	const uint32_t uid = (uint32_t)step->number + base, gid = (uint32_t)step->more + base;
	gid_t groups[MOST_GROUPS];
	struct sys_ids ids;
	int rc = sys_get_ids(&ids);

	if (rc < 0)
		return rc;
	if (ids.real_uid != uid || ids.effective_uid != uid || ids.saved_uid != uid || ids.real_gid != gid ||
	    ids.effective_gid != gid || ids.saved_gid != gid)
		return DIFFERENT;
	if (!step->flags)
		return 0;
	rc = sys_get_groups(groups, MOST_GROUPS);
	if (rc < 0)
		return rc;
	if ((size_t)rc != step->size)
		return DIFFERENT;
	/* The kernel keeps them sorted. */
	for (size_t i = 0; i < step->size; i++) {
		bool is_there = false;

		for (int j = 0; j < rc; j++)
			is_there |= groups[j] == ((const gid_t *)step->data)[i];
		if (!is_there)
			return DIFFERENT;
	}
	return 0;
}

static int check_sets(const struct step *step)
{
	const bool has_bounding = step->more & 1;

	for (unsigned capability = 0; capability <= step->number; capability++) {
		const int wanted = (int)(step->flags >> capability & 1);

		if (has_bounding && sys_has_bounding(capability) != wanted)
			return DIFFERENT;
		if (sys_has_ambient(capability) != wanted)
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
	if (caps.effective != step->flags || caps.permitted != step->flags || caps.inheritable != step->flags)
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
	return soft == step->number && hard == step->more ? 0 : DIFFERENT;
}

static bool is_kept(const struct step *step, int fd)
{
	for (size_t i = 0; i < step->size; i++)
		if (((const int32_t *)step->data)[i] == fd)
			return true;
	return false;
}

int op_check_descriptors(struct run *run, const struct step *step)
{
	(void)run;
	for (int fd = 3; fd < LOOKED_AT; fd++)
		if (sys_stays_open(fd) && !is_kept(step, fd))
			return DIFFERENT;
	return 0;
}
