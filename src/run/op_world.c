/* SPDX-License-Identifier: Apache-2.0 */
/* Ops of init about itself and the worlds it lives in. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "run/op.h"
#include "sys/confine.h"
#include "sys/environment.h"
#include "sys/process.h"

/* It may die meanwhile; then another has taken its place. prctl(2), PR_SET_PDEATHSIG */
int op_die_with_parent(struct run *run, const struct step *step)
{
	const pid_t parent = sys_parent();
	const int before = sys_parent_death_signal();
	int rc = before < 0 ? before : sys_die_with_parent(SIGKILL);

	(void)step;
	if (rc < 0)
		return rc;
	run->parent_signal = before;
	return sys_parent() == parent ? 0 : -ESRCH;
}

/* A launcher that is gone by now took the jail along: its death was missed only where a change of ids had made the kernel forget. */
int op_outlive(struct run *run, const struct step *step)
{
	struct pollfd wire = { .fd = run->wire };
	int rc = sys_die_with_parent(0);

	(void)step;
	if (rc >= 0)
		rc = sys_wait_ready(&wire, 1, 0);
	return rc < 0 ? rc : wire.revents & POLLHUP ? -EPIPE : 0;
}

/* The kernel forgets this at a change of ids, so the plan has it more than once. prctl(2), PR_SET_PDEATHSIG */
int op_die_with_launcher(struct run *run, const struct step *step)
{
	struct pollfd wire = { .fd = run->wire };
	int rc = sys_die_with_parent(SIGKILL);

	(void)step;
	if (rc < 0)
		return rc;
	/* It may have died before; then the wire has ended. */
	rc = sys_wait_ready(&wire, 1, 0);
	return rc < 0 ? rc : wire.revents & POLLHUP ? -EPIPE : 0;
}

int op_hide(struct run *run, const struct step *step)
{
	(void)run;
	sys_forget_arguments();
	return sys_set_dumpable(step->how & STEP_LEFT); /* a change of ids may have hidden it */
}

int op_own_id_map(struct run *run, const struct step *step)
{
	char path[32] = "/proc/self/";

	(void)run;
	strcat(path, step->subject);
	return sys_write_file(path, step->text);
}

int op_join_namespace(struct run *run, const struct step *step)
{
	return sys_join_namespace(run->slots[step->slot], (int)step->flags);
}

int op_unshare(struct run *run, const struct step *step)
{
	(void)run;
	return sys_unshare((int)step->flags);
}

int op_open_process(struct run *run, const struct step *step)
{
	return run->slots[step->slot] = sys_open_pid((pid_t)step->number);
}

/* Orphans come to init instead of the host's PID 1; and init keeps the list of its children, to end them by. */
int op_adopt(struct run *run, const struct step *step)
{
	int rc = sys_be_subreaper();

	if (rc == 0)
		rc = run->slots[step->slot] = sys_open("/proc/thread-self/children", O_RDONLY, 0);
	return rc < 0 && !step->number ? rc : 0;
}

/* The payload's own domain lies within this one: what init signals by kill(-1) is the jail and nothing else. landlock(7) */
int op_fence(struct run *run, const struct step *step)
{
	int rc = sys_no_new_privileges();
	auto_close int ruleset = rc < 0 ? rc : sys_landlock_create(0, 0, step->flags);

	rc = ruleset < 0 ? ruleset : sys_landlock_enter(ruleset);
	run->is_fenced = rc == 0;
	return rc;
}

int op_become_root_inside(struct run *run, const struct step *step)
{
	int rc = sys_set_gid((gid_t)step->more);

	(void)run;
	return rc < 0 ? rc : sys_set_uid((uid_t)step->number);
}

int op_host_name(struct run *run, const struct step *step)
{
	(void)run;
	return sys_host_name(step->subject);
}

int op_loopback(struct run *run, const struct step *step)
{
	(void)run;
	(void)step;
	return sys_loopback_up();
}

int op_keyring(struct run *run, const struct step *step)
{
	int rc = sys_new_keyring();

	(void)run;
	(void)step;
	/* A kernel without keyrings has none to share; an outer filter (Docker's) that hides them hides them from the program too. */
	return rc == -ENOSYS || rc == -EPERM || rc > 0 ? 0 : rc;
}
