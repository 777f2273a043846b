/* SPDX-License-Identifier: Apache-2.0 */
/* Ids behind the jail's: ranges as root, sub-ids by newuidmap otherwise. */
#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/doctor.h"
#include "host/trial.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/process.h"

enum { SAMPLE_FIRST = 1879048192 }; /* where the leases of jails begin */

struct subids {
	uint32_t uid, gid, count; /* the first range of each */
};

/* A child in a user namespace that waits; it dies with this process. *WIRE must stay open meanwhile. */
static pid_t bear_waiting(int *wire)
{
	struct message message = { 0 };
	int ends[2], fd, pidfd, rc = channel_open(ends);
	pid_t pid = rc < 0 ? rc : sys_clone(CLONE_NEWUSER, -1, &pidfd);

	if (pid == 0) {
		sys_close(ends[0]);
		sys_die_with_parent(SIGKILL);
		channel_receive(ends[1], &message, &fd);
		sys_exit(0);
	}
	*wire = rc < 0 ? -1 : ends[0];
	return pid;
}

static int range_body(void *argument)
{
	char path[64], text[64];
	int wire, rc = 0;
	pid_t pid = bear_waiting(&wire);

	(void)argument;
	snprintf(text, sizeof(text), "0 %u 65536\n", (unsigned)SAMPLE_FIRST);
	for (int i = 0; pid > 0 && rc == 0 && i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, i ? "gid_map" : "uid_map");
		rc = sys_write_file(path, text);
	}
	return pid < 0 ? pid : rc;
}

void check_ranges(struct doctor *doctor, struct finding *finding)
{
	const struct trial trial = { .body = range_body };
	int rc;

	if (!HOST_HAS_CAP(doctor->host, CAP_SETUID) || !HOST_HAS_CAP(doctor->host, CAP_SETGID)) {
		answer(doctor, finding, VERDICT_NO, "not tried: only root may");
		blame(doctor, finding, "the kernel keeps it for root; without root a jail has the caller's one id, or sub-ids");
		return;
	}
	rc = trial_run(&trial, NULL);
	if (rc >= 0) {
		answer(doctor, finding, VERDICT_YES, "a range of 65,536 ids was mapped");
		return;
	}
	answer(doctor, finding, VERDICT_NO, "mapping a range failed: %s", strerror(-rc));
	if (doctor->has_userns)
		blame(doctor, finding, "these ids are not mapped where immure runs: it is in a user namespace (a container) itself");
	else
		blame(doctor, finding, "see user-namespace");
	advise(doctor, finding, "--ids subid or explicit --uid-map and --gid-map within what is mapped; or start immure outside");
}

/* "name:first:count" or "uid:first:count"; subuid(5) */
static uint32_t find_range(const char *file, const char *name, uid_t uid, uint32_t *count)
{
	char text[65536], number[16], *save = NULL;

	snprintf(number, sizeof(number), "%u", (unsigned)uid);
	if (sys_read_file(file, text, sizeof(text)) < 0)
		return 0;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char owner[256];
		uint32_t first;

		if (sscanf(line, "%255[^:]:%" SCNu32 ":%" SCNu32, owner, &first, count) != 3)
			continue;
		if (strcmp(owner, name) == 0 || strcmp(owner, number) == 0)
			return first;
	}
	return 0;
}

/* The account's name in /etc/passwd; "" when there is none. */
static const char *find_name(uid_t uid, char *name)
{
	char text[65536], *save = NULL;

	*name = '\0';
	if (sys_read_file("/etc/passwd", text, sizeof(text)) < 0)
		return name;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char owner[256];
		unsigned number;

		if (sscanf(line, "%255[^:]:%*[^:]:%u:", owner, &number) == 2 && number == uid)
			return strcpy(name, owner);
	}
	return name;
}

static int subid_body(void *argument)
{
	const struct subids *ids = argument;
	char pid_text[16], first[16], count[16];
	int wire, rc = 0;
	pid_t pid = bear_waiting(&wire);

	if (pid < 0)
		return pid;
	snprintf(pid_text, sizeof(pid_text), "%d", (int)pid);
	snprintf(count, sizeof(count), "%u", ids->count);
	snprintf(first, sizeof(first), "%u", ids->uid);
	rc = sys_run_helper("/usr/bin/newuidmap", (char *[]){ "newuidmap", pid_text, "0", first, count, NULL });
	snprintf(first, sizeof(first), "%u", ids->gid);
	if (rc == 0)
		rc = sys_run_helper("/usr/bin/newgidmap", (char *[]){ "newgidmap", pid_text, "0", first, count, NULL });
	return rc;
}

static void try_subids(struct doctor *doctor, struct finding *finding, struct subids *ids)
{
	const struct trial trial = { .body = subid_body, .argument = ids };
	int rc = trial_run(&trial, NULL);

	if (rc >= 0) {
		answer(doctor, finding, VERDICT_YES, "%u ids from %u were mapped by newuidmap and newgidmap", ids->count, ids->uid);
		return;
	}
	answer(doctor, finding, VERDICT_NO, "mapping ids from %u failed: %s", ids->uid, strerror(-rc));
	if (rc == -ENOENT) {
		blame(doctor, finding, "newuidmap and newgidmap are not installed");
		advise(doctor, finding, "apt-get install uidmap");
	} else {
		blame(doctor, finding, "newuidmap refused: no_new_privs is set (a container), it lost its set-user-id bit or capability, "
		      "or see user-namespace");
		advise(doctor, finding, "reinstall the package uidmap; allow privilege escalation in the container");
	}
}

void check_subids(struct doctor *doctor, struct finding *finding)
{
	char name[256];
	uint32_t gid_count = 0;
	struct subids ids = { 0 };

	find_name(doctor->host->uid, name);
	ids.uid = find_range("/etc/subuid", name, doctor->host->uid, &ids.count);
	ids.gid = find_range("/etc/subgid", name, doctor->host->uid, &gid_count);
	if (gid_count < ids.count)
		ids.count = gid_count;
	if (ids.uid && ids.gid && ids.count) {
		try_subids(doctor, finding, &ids);
		return;
	}
	answer(doctor, finding, VERDICT_NO, "%s has no range", *name ? name : "this user");
	blame(doctor, finding, "no line for it in /etc/subuid and /etc/subgid");
	if (doctor->host->uid == 0)
		advise(doctor, finding, "root needs none: --ids range");
	else
		advise(doctor, finding, "as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s", *name ? name : "USER");
}
