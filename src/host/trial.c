/* SPDX-License-Identifier: Apache-2.0 */
/* Trying something in a child. */
#include "host/trial.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "sys/channel.h"
#include "sys/confine.h"
#include "sys/file.h"
#include "sys/process.h"

enum { LIMIT_MS = 5000 };

static int write_map(const char *path, uint32_t id)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu32 " %" PRIu32 " 1\n", id, id);
	return sys_write_file(path, text);
}

/* Ids as they were before the new namespace hid them. */
static int map_self(const struct sys_ids *ids)
{
	int rc = sys_write_file("/proc/self/setgroups", "deny");

	if (rc == 0)
		rc = write_map("/proc/self/uid_map", ids->effective_uid);
	if (rc == 0)
		rc = write_map("/proc/self/gid_map", ids->effective_gid);
	return rc;
}

static _Noreturn void live(const struct trial *trial, const struct sys_ids *ids, int wire)
{
	struct message message = { .what = TRIAL_MAP };

	sys_die_with_parent(SIGKILL);
	if (trial->namespaces & CLONE_NEWUSER)
		message.value = map_self(ids);
	if (message.value == 0) {
		message.what = TRIAL_BODY;
		message.value = trial->body ? trial->body(trial->argument) : 0;
	}
	channel_send(wire, message, -1);
	sys_exit(0);
}

/* Docker's filter forbids clone with namespaces; where unshare is allowed a run makes them so, one process further. */
static _Noreturn void live_by_unshare(const struct trial *trial, const struct sys_ids *ids, int wire)
{
	struct message message = { .what = TRIAL_BIRTH };
	int pidfd = -1, status;
	pid_t pid;

	sys_die_with_parent(SIGKILL);
	message.value = sys_unshare((int)trial->namespaces);
	if (message.value == 0) {
		pid = sys_clone(0, -1, &pidfd);
		if (pid == 0)
			live(trial, ids, wire);
		message.value = pid < 0 ? pid : -ECHILD;
		if (pid > 0 && sys_wait(pid, &status, 0, NULL) == pid && status == 0)
			sys_exit(0); /* it has told */
	}
	channel_send(wire, message, -1);
	sys_exit(0);
}

static int hear(int wire, enum trial_stage *stage)
{
	struct pollfd ready = { .fd = wire, .events = POLLIN };
	struct message message = { 0 };
	int fd = -1, rc = sys_wait_ready(&ready, 1, LIMIT_MS);

	if (rc <= 0)
		return rc < 0 ? rc : -ETIMEDOUT;
	rc = channel_receive(wire, &message, &fd);
	if (fd >= 0)
		sys_close(fd);
	if (rc <= 0)
		return rc < 0 ? rc : -ECHILD;
	*stage = (enum trial_stage)message.what;
	return message.value;
}

int trial_run(const struct trial *trial, enum trial_stage *stage)
{
	enum trial_stage unheard = TRIAL_BIRTH;
	auto_close int near = -1, far = -1, pidfd = -1;
	int ends[2], status, rc = channel_open(ends);
	struct sys_ids ids = { 0 };
	pid_t pid;

	stage = stage ? stage : &unheard;
	*stage = TRIAL_BIRTH;
	if (rc == 0)
		rc = sys_get_ids(&ids);
	if (rc < 0)
		return rc;
	near = ends[0];
	far = ends[1];
	pid = sys_clone(trial->namespaces, -1, &pidfd);
	if (pid == 0)
		live(trial, &ids, far);
	if (pid == -EPERM && trial->namespaces) {
		pid = sys_clone(0, -1, &pidfd);
		if (pid == 0)
			live_by_unshare(trial, &ids, far);
	}
	if (pid < 0)
		return pid;
	sys_close(take_fd(&far));
	*stage = TRIAL_BODY;
	rc = hear(near, stage);
	sys_signal_pidfd(pidfd, SIGKILL);
	sys_wait(pid, &status, 0, NULL);
	return rc;
}
