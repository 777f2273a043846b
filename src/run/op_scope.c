/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scope made by the user's systemd, for users who may make no cgroup where they stand. The jail gets a group of its own inside, and
 * a keeper lives beside it: a scope vanishes with its last process, and the jail's group must be read after the jail's
 * end. systemd itself moves init there, because the caller may not: it needs the right to write the nearest common
 * ancestor of both places. The keeper dies with the launcher, and the scope with both. cgroups(7), systemd.scope(5)
 *
 * What jails of a pod are bounded by together is a group for whose members no single run is there. The launcher, which serves them
 * all, goes into the scope itself then, and beside it makes groups like anybody to whom one was delegated.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "run/op.h"
#include "sys/folder.h"
#include "sys/process.h"

enum { PATIENCE_MS = 10000, MEMBERSHIP_BYTES = 16 << 10 };

static _Noreturn void keeper_live(pid_t launcher)
{
	sys_die_with_parent(SIGKILL);
	if (sys_parent() != launcher)
		sys_exit(0);
	sys_close_range(0, ~0u, 0);
	for (;;)
		sys_wait_ready(NULL, 0, -1);
}

static int start_keeper(struct run *run)
{
	const pid_t launcher = sys_pid();
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sys_block_signals(&all, &before);
	pid = sys_clone(0, -1, &run->keeper_pidfd);
	if (pid == 0)
		keeper_live(launcher);
	sys_block_signals(&before, NULL);
	run->keeper = pid < 0 ? 0 : pid;
	return pid < 0 ? pid : 0;
}

/* Whether PID stands in the scope yet. */
static bool has_arrived(pid_t pid, const char *path)
{
	const size_t size = strlen(path);
	char file[32], text[MEMBERSHIP_BYTES];
	const char *at;

	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	if (sys_read_file(file, text, sizeof(text)) < 0)
		return false;
	at = text;
	while (at && strncmp(at, "0::", 3) != 0) {
		at = strchr(at, '\n');
		at += at != NULL;
	}
	return at && strncmp(at + 3, path, size) == 0 && (at[3 + size] == '\n' || !at[3 + size]);
}

/* All, for systemd moves them one after the other, in no given order: a keeper that had been settled before would be taken back. */
static int await_arrival(const struct scope *scope, const char *path)
{
	for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms++) {
		unsigned arrived = 0;

		while (arrived < scope->pid_count && has_arrived((pid_t)scope->pids[arrived], path))
			arrived++;
		if (arrived == scope->pid_count)
			return 0;
		sys_wait_ready(NULL, 0, 1);
	}
	return -ETIMEDOUT;
}

static int settle_keeper(pid_t keeper, const char *directory)
{
	char path[4096], pid[16];
	int rc;

	if (snprintf(path, sizeof(path), "%s/keeper", directory) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	rc = sys_mkdirat(AT_FDCWD, path, 0755);
	snprintf(pid, sizeof(pid), "%d", (int)keeper);
	{
		auto_close int group = rc < 0 ? rc : sys_open(path, O_RDONLY | O_DIRECTORY, 0);

		return group < 0 ? group : sys_write_below(group, "cgroup.procs", pid);
	}
}

int op_cgroup_scope(struct run *run, const struct step *step)
{
	const struct scope_place *place = step->data;
	struct scope scope = { .name = step->subject, .slice = place->slice, .runtime = place->runtime,
			       .pid_count = place->is_launchers ? 1 : 2 };
	int rc = !run->plan->start_scope ? -ENOTSUP : place->is_launchers ? 0 : start_keeper(run);

	if (rc < 0)
		return rc;
	scope.pids[0] = (uint32_t)(place->is_launchers ? sys_pid() : run->keeper);
	scope.pids[1] = (uint32_t)run->init;
	rc = run->plan->start_scope(&scope);
	if (rc == 0)
		rc = await_arrival(&scope, place->path);
	return rc < 0 ? rc : settle_keeper((pid_t)scope.pids[0], place->directory);
}
