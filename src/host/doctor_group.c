/* SPDX-License-Identifier: Apache-2.0 */
/* cgroups: which layout, and whether a group can really be made where this process stands. cgroups(7) */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "host/cgroups.h"
#include "host/doctor.h"
#include "host/unified.h"
#include "sys/attempt.h"
#include "sys/file.h"

/* The controllers that limits need. */
static const struct { enum controller controller; const char *option; } wanted[] = {
	{ CONTROLLER_MEMORY, "--memory" }, { CONTROLLER_CPU, "--cpus" }, { CONTROLLER_PIDS, "--pids" },
	{ CONTROLLER_IO, "--io-max" }, { CONTROLLER_CPUACCT, "--cpu-time" },
};

/* Makes a group in FOLDER (NULL: there is none), and removes it. */
static int try_group(const char *folder, const char *name)
{
	auto_close int parent = folder ? sys_open(folder, O_RDONLY | O_DIRECTORY, 0) : -ENOENT;
	const int rc = parent < 0 ? parent : sys_mkdirat(parent, name, 0700);

	return rc < 0 ? rc : sys_unlinkat(parent, name, AT_REMOVEDIR);
}

void check_cgroup_layout(struct doctor *doctor, struct finding *finding)
{
	const bool has_v1 = doctor->host->has_cgroup_v1, has_v2 = doctor->host->unified.mount;

	if (has_v1 && has_v2)
		answer(doctor, finding, VERDICT_YES, "hybrid: version 1 with version 2 beside it");
	else if (has_v2)
		answer(doctor, finding, VERDICT_YES, "version 2 alone");
	else if (has_v1)
		answer(doctor, finding, VERDICT_YES, "version 1 alone");
	if (has_v1 || has_v2)
		return;
	answer(doctor, finding, VERDICT_NO, "no cgroup file system is mounted");
	blame(doctor, finding, "this is a minimal system or a container without /sys/fs/cgroup");
	advise(doctor, finding, "mount -t cgroup2 none /sys/fs/cgroup, or --may-lack memory,cpus,...");
}

/* Where a jail's would be, or else below this process's own. -ENOENT: it has none with that controller; -ENODEV: version 2 does not
 * hand it down. */
static int try_controller(const struct host *host, enum controller controller)
{
	const struct host_controller *facts = &host->controllers[controller];
	int rc;

	if (facts->version == 1)
		return try_group(facts->parent, host->run_id);
	if (facts->way == CGROUP_DIRECT)
		return try_group(host->unified.above ? host->unified.above : facts->parent, host->run_id);
	rc = try_group(host->unified.own, host->run_id);
	return rc < 0 ? rc : -ENODEV;
}

void check_cgroup_way(struct doctor *doctor, struct finding *finding)
{
	int rc = -ENOENT;

	for (size_t i = 0; rc < 0 && i < ARRAY_SIZE(wanted); i++) {
		int one = try_controller(doctor->host, wanted[i].controller);

		rc = one == -ENODEV ? 0 : one == -ENOENT ? rc : one;
	}
	if (rc == 0) {
		answer(doctor, finding, VERDICT_YES, "a group was made, and removed");
		return;
	}
	answer(doctor, finding, VERDICT_NO, "making a group failed: %s", strerror(-rc));
	if (rc == -EROFS)
		blame(doctor, finding, "/sys/fs/cgroup is read-only, as in most containers");
	else if (rc == -ENOENT)
		blame(doctor, finding, "there are no groups here");
	else
		blame(doctor, finding, "this user's group is not delegated to it");
	advise(doctor, finding, doctor->host->uid ? "systemd-run --user --scope -p Delegate=yes immure ...; see also systemd"
						  : "give the container a writable cgroup (Docker: --cgroupns private with cgroup v2)");
}

void check_controllers(struct doctor *doctor, struct finding *finding)
{
	auto_text struct text have = { 0 }, lack = { 0 };
	unsigned count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		const struct host_controller *facts = &doctor->host->controllers[wanted[i].controller];
		const bool is_in_scope = facts->way == CGROUP_SCOPE;
		const bool is_there = is_in_scope || try_controller(doctor->host, wanted[i].controller) == 0;

		text_add(is_there ? &have : &lack, " %s", wanted[i].option);
		if (is_there)
			text_add(&have, " (version %d%s)", facts->version, is_in_scope ? ", by systemd" : "");
		count += is_there;
	}
	answer(doctor, finding, count == ARRAY_SIZE(wanted) ? VERDICT_YES : count ? VERDICT_PARTLY : VERDICT_NO,
	       "can be limited:%s", have.bytes ? have.bytes : " nothing");
	if (!lack.bytes)
		return;
	blame(doctor, finding, "cannot:%s; see cgroup-delegation, or the controller is not handed down to this group", lack.bytes);
	advise(doctor, finding, "--may-lack for each of them; rlimits and the wall time hold everywhere");
}

void check_cgroup_kill(struct doctor *doctor, struct finding *finding)
{
	const struct host_unified *unified = &doctor->host->unified;
	char path[8192];

	if (unified->own) {
		snprintf(path, sizeof(path), "%s/cgroup.kill", unified->own);
		if (sys_exists(path) || host_kernel_is(doctor->host, 5, 14)) {
			answer(doctor, finding, VERDICT_YES, "version 2 with cgroup.kill");
			return;
		}
	}
	answer(doctor, finding, VERDICT_PARTLY, "%s", unified->mount ? "no cgroup.kill" : "no cgroup version 2");
	blame(doctor, finding, "it came with Linux 5.14, in version 2 only");
	advise(doctor, finding, "nothing need be done: the end of the PID namespace kills everything in it");
}

void check_pause(struct doctor *doctor, struct finding *finding)
{
	const struct host_controller *freezer = &doctor->host->controllers[CONTROLLER_FREEZER];

	if (cgroups_may_freeze(doctor->host)) {
		answer(doctor, finding, VERDICT_YES, "by a group in %s (version %d)", freezer->parent, freezer->version);
	} else {
		answer(doctor, finding, VERDICT_PARTLY, "by SIGSTOP to each process; by its group where it has a limit that needs one");
		blame(doctor, finding, "no group can be made for it where this process stands; parents inside are told of SIGSTOP (SIGCHLD)");
		advise(doctor, finding, "nothing need be done; as root, or in a delegated group with others, it is the group");
	}
}

void check_systemd(struct doctor *doctor, struct finding *finding)
{
	char path[64];
	int rc;

	if (doctor->host->uid == 0) {
		answer(doctor, finding, VERDICT_NO, "it is not asked by root");
		blame(doctor, finding, "root makes groups itself, or is where systemd's would not help");
		advise(doctor, finding, "nothing need be done");
		return;
	}
	snprintf(path, sizeof(path), "/run/user/%u/bus", (unsigned)doctor->host->uid);
	rc = sys_attempt_connect(path);
	if (rc == 0) {
		answer(doctor, finding, VERDICT_YES, "%s answers", path);
		return;
	}
	answer(doctor, finding, VERDICT_NO, "%s: %s", path, strerror(-rc));
	blame(doctor, finding, "no systemd, or this user has no session");
	advise(doctor, finding, "loginctl enable-linger, or log in through a session manager; as root none is needed");
}
