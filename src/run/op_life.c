/* SPDX-License-Identifier: Apache-2.0 */
/* Ops about descriptors that others wait at, or that init keeps while the jail lives; and the nested user namespace. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/op.h"
#include "sys/confine.h"
#include "sys/folder.h"
#include "sys/process.h"

/* Until a byte or the end is there. The other side's death ends the wait, and so does a signal that asks the launcher to end. */
int op_await(struct run *run, const struct step *step)
{
	struct pollfd ready[3] = { { .fd = (int)step->number, .events = POLLIN }, { .fd = run->wire, .events = POLLRDHUP },
				   { .fd = step->side == LAUNCHER ? run->signals : -1, .events = POLLIN } };
	char byte;
	int rc;

	do {
		rc = sys_wait_ready(ready, 3, -1);
		if (rc < 0)
			return rc;
		if (ready[2].revents && signals_interrupt(run) < 0)
			return -EINTR;
		if (ready[1].revents)
			return -EPIPE;
	} while (!ready[0].revents);
	if (ready[0].revents & POLLNVAL)
		return -EBADF;
	rc = (int)sys_read((int)step->number, &byte, 1);
	return rc < 0 ? rc : 0;
}

/* By the process, not by the open file: the program's copy of the descriptor does not count. fcntl(2), F_SETLK */
int op_lock_file(struct run *run, const struct step *step)
{
	int fd = sys_open(step->subject, O_RDONLY, 0);
	int rc = fd < 0 ? fd : sys_lock_to_read(fd);

	if (rc == 0)
		hold(run, fd);
	return rc;
}

int op_hold(struct run *run, const struct step *step)
{
	int rc = sys_keep_on_exec((int)step->number, false);

	if (rc >= 0)
		hold(run, (int)step->number);
	return rc < 0 ? rc : 0;
}

int op_close_on_exec(struct run *run, const struct step *step)
{
	const int32_t *closed = step->data;

	(void)run;
	for (size_t i = 0; i < step->size; i++) {
		int rc = sys_keep_on_exec(closed[i], false);

		if (rc < 0 && rc != -EBADF) /* some are closed by now */
			return rc;
	}
	return 0;
}

enum { MAP = 4096 };

/* A map as the kernel shows it, "inside outside count" a line, becomes one in which outside is inside. True: of OWN alone. */
static int read_identity(int process, const char *file, uint32_t own, char *map, bool *is_own)
{
	char shown[MAP];
	ssize_t length = sys_read_below(process, file, shown, sizeof(shown));
	size_t used = 0, rows = 0;
	char *at = shown;

	if (length < 0)
		return (int)length;
	while (*at) {
		const unsigned long inside = strtoul(at, &at, 10);
		const unsigned long count = (strtoul(at, &at, 10), strtoul(at, &at, 10));

		at += strspn(at, " \n");
		used += (size_t)snprintf(map + used, MAP - used, "%lu %lu %lu\n", inside, inside, count);
		if (used >= MAP)
			return -E2BIG;
		*is_own &= ++rows == 1 && inside == own && count == 1;
	}
	return used ? 0 : -ENODATA;
}

/* What a nested namespace gets, and whether a process in it may write that itself: only its own ids, and where setgroups(2) is denied
 * already. user_namespaces(7) */
struct maps {
	char uids[MAP], gids[MAP];
	bool is_own;
};

static int read_maps(int process, struct maps *maps)
{
	char groups[16];
	struct sys_ids ids;
	int rc = sys_get_ids(&ids);

	maps->is_own = sys_read_below(process, "setgroups", groups, sizeof(groups)) > 0 && strncmp(groups, "deny", 4) == 0;
	if (rc == 0)
		rc = read_identity(process, "uid_map", ids.effective_uid, maps->uids, &maps->is_own);
	return rc < 0 ? rc : read_identity(process, "gid_map", ids.effective_gid, maps->gids, &maps->is_own);
}

static int write_maps(int process, const struct maps *maps)
{
	int rc = sys_write_below(process, "uid_map", maps->uids);

	return rc < 0 ? rc : sys_write_below(process, "gid_map", maps->gids);
}

/* Stays behind in the outer user namespace, and has the right to map all its ids. Says how it went by its status. */
static _Noreturn void map_from_outside(int process, const struct maps *maps, int go)
{
	char is_there = 0;

	if (sys_read(go, &is_there, 1) == 1 && is_there == 1 && write_maps(process, maps) == 0)
		sys_exit(0);
	sys_exit(1);
}

static int nest_with_helper(int process, const struct maps *maps)
{
	int ends[2], status = 1, rc = sys_pipe(ends);
	char is_there;
	pid_t helper;

	if (rc < 0)
		return rc;
	helper = sys_fork_as(HELPER_PID);
	if (helper == 0)
		map_from_outside(process, maps, ends[0]);
	rc = helper < 0 ? helper : sys_unshare((int)SYS_CLONE_NEWUSER);
	is_there = rc == 0;
	if (helper > 0 && sys_write(ends[1], &is_there, 1) == 1)
		sys_wait(helper, &status, 0, NULL);
	sys_close(ends[0]);
	sys_close(ends[1]);
	return rc < 0 ? rc : status ? -EPERM : 0;
}

int op_nest(struct run *run, const struct step *step)
{
	const int process = run->slots[step->slot];
	struct maps maps;
	int rc = read_maps(process, &maps);

	if (rc == 0) /* its maps could not be written otherwise: a change of ids made it undumpable */
		rc = sys_set_dumpable(true);
	if (rc < 0)
		return rc;
	if (!maps.is_own)
		return nest_with_helper(process, &maps);
	rc = sys_unshare((int)SYS_CLONE_NEWUSER);
	return rc < 0 ? rc : write_maps(process, &maps);
}

/* In a child of the caller's memory or in the caller itself: one that worked is the end of the run. */
int op_assert_no_userns(struct run *run, const struct step *step)
{
	(void)run;
	(void)step;
	return sys_unshare((int)SYS_CLONE_NEWUSER) == 0 ? -EBADE : 0;
}
