/* SPDX-License-Identifier: Apache-2.0 */
/* Ops of a pod's members: a user namespace below the pod's, and mounts that are the pod's. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/path.h"
#include "run/op.h"
#include "sys/channel.h"
#include "sys/folder.h"
#include "sys/mount.h"
#include "sys/process.h"

static int write_map(int process, const char *file, const struct id_row *row)
{
	char text[64];

	snprintf(text, sizeof(text), "%" PRIu32 " %" PRIu32 " %" PRIu32 "\n", row->inside, row->outside, row->count);
	return sys_write_below(process, file, text);
}

/* One's own id may be mapped without any right, by oneself. user_namespaces(7) */
int op_own_userns(struct run *run, const struct step *step)
{
	const struct id_row *rows = step->data;
	const int process = run->slots[step->slot];
	int rc = sys_set_dumpable(true);

	if (rc >= 0)
		rc = sys_unshare((int)SYS_CLONE_NEWUSER);
	if (rc >= 0)
		rc = sys_write_below(process, "setgroups", "deny");
	if (rc >= 0)
		rc = write_map(process, "uid_map", &rows[0]);
	return rc < 0 ? rc : write_map(process, "gid_map", &rows[1]);
}

/* In a folder that was opened while there was a path to it. */
int op_write_below(struct run *run, const struct step *step)
{
	return sys_write_below(run->slots[step->slot], path_last(step->subject), step->text);
}

/* Shares the descriptor table, so that what it takes is the launcher's as well. */
static _Noreturn void borrow(const struct run *run, const struct step *step, int end)
{
	const int userns = step->number ? run->slots[step->number] : -1;
	int rc = userns < 0 ? 0 : sys_join_namespace(userns, (int)SYS_CLONE_NEWUSER);

	if (rc == 0)
		rc = sys_join_namespace(run->slots[step->more], (int)SYS_CLONE_NEWNS);
	if (rc == 0)
		rc = sys_clone_tree(AT_FDCWD, step->subject, 0, 0, 0, -1);
	channel_send(end, (struct message){ rc, 0 }, -1);
	sys_exit(0);
}

/* Only from inside a mount namespace can a mount be copied out of it, so a helper goes there. open_tree(2) */
int op_borrow_mount(struct run *run, const struct step *step)
{
	struct message message;
	int ends[2], status, fd = -1, rc = channel_open(ends);
	pid_t helper;

	if (rc < 0)
		return rc;
	helper = sys_fork_with_descriptors();
	if (helper == 0)
		borrow(run, step, ends[1]);
	if (helper > 0)
		sys_wait(helper, &status, 0, NULL); /* what it said waits in the socket */
	sys_close(ends[1]);
	rc = helper < 0 ? helper : channel_receive(ends[0], &message, &fd);
	sys_close(ends[0]);
	if (fd >= 0)
		sys_close(fd);
	if (rc <= 0)
		return rc < 0 ? rc : -ECHILD;
	return run->slots[step->slot] = message.what;
}
