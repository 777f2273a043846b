/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stopping all of a jail and letting it go on: by its cgroup where one could be planned (feature/group.c), of version 2
 * (cgroup.freeze) or of version 1's freezer, which nothing inside notices or undoes; else by SIGSTOP to each process, sent by init.
 */
#include <errno.h>
#include <signal.h>

#include "jails/member.h"
#include "sys/folder.h"

static const struct group_slots *groups_of(const struct member *member)
{
	const struct step *step = plan_find(member->kept.plan, OP_CGROUP_WATCH);

	return step ? step->data : NULL;
}

/* A descriptor of the group that can freeze the jail, of the version that WAY is for; -1: there is none. */
static int freezing_group(const struct member *member, enum pause_way way)
{
	const struct group_slots *groups = groups_of(member);
	for (enum controller i = 0; groups && i < CONTROLLERS; i++)
		if (groups->slot[i] != SLOT_NONE && (way == PAUSE_GROUP ? groups->version[i] == 2 : groups->version[i] == 1 && i == CONTROLLER_FREEZER))
			return member->kept.run.slots[groups->slot[i]];
	return -1;
}

static int by_group(const struct member *member, bool stop)
{
	const int group = freezing_group(member, PAUSE_GROUP);

	return group < 0 ? -ENOENT : sys_write_below(group, "cgroup.freeze", stop ? "1" : "0");
}

static int by_freezer(const struct member *member, bool stop)
{
	const int group = freezing_group(member, PAUSE_FREEZER);

	return group < 0 ? -ENOENT : sys_write_below(group, "freezer.state", stop ? "FROZEN" : "THAWED");
}

/* Init understands these as for everything in the jail (run/init.c). */
static int by_signals(const struct member *member, bool stop)
{
	member_signal((struct member *)member, stop ? SIGTSTP : SIGCONT);
	return 0;
}

static int (*const ways[])(const struct member *member, bool stop) = {
	[PAUSE_GROUP] = by_group, [PAUSE_FREEZER] = by_freezer, [PAUSE_SIGNALS] = by_signals,
};

enum pause_way member_pause_way(const struct member *member)
{
	return freezing_group(member, PAUSE_GROUP) >= 0 ? PAUSE_GROUP : freezing_group(member, PAUSE_FREEZER) >= 0 ? PAUSE_FREEZER : PAUSE_SIGNALS;
}

int member_pause(struct member *member)
{
	int rc = -ENOENT;

	if (member->state != MEMBER_RUNNING)
		return member->state == MEMBER_PAUSED ? -EALREADY : -ESRCH;
	for (enum pause_way way = PAUSE_GROUP; way <= PAUSE_SIGNALS && rc < 0; way++) {
		rc = ways[way](member, true);
		if (rc >= 0)
			member->pause = way;
	}
	member->state = MEMBER_PAUSED;
	if (member->health)
		member->health->is_void = true;
	member_write_state(member);
	member->tell(member, "freeze");
	return 0;
}

int member_resume(struct member *member)
{
	int rc;

	if (member->state != MEMBER_PAUSED)
		return member->state == MEMBER_RUNNING ? -EALREADY : -ESRCH;
	rc = ways[member->pause](member, false);
	if (rc < 0)
		return rc;
	member->state = MEMBER_RUNNING;
	member->pause = PAUSE_NONE;
	member_write_state(member);
	member->tell(member, "thaw");
	return 0;
}
