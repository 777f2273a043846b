/* SPDX-License-Identifier: Apache-2.0 */
/* cgroups: which layout, and whether a group can really be made where this process stands. cgroups(7) */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "host/cgroups.h"
#include "host/doctor.h"
#include "sys/attempt.h"
#include "sys/file.h"

enum { PATH_ROOM = 4096 };

/* The controllers that limits need, by their names in version 2 and in version 1. */
static const struct { const char *name, *old, *option; } wanted[] = {
	{ "memory", "memory", "--memory" }, { "cpu", "cpu", "--cpus" }, { "pids", "pids", "--pids" },
	{ "io", "blkio", "--io-max" }, { "cpuacct", "cpuacct", "--cpu-time" },
};

struct layout {
	const char *name; /* of the group that is tried */
	char mounts[65536], groups[8192]; /* /proc/self/mountinfo and cgroup */
	bool has_v1, has_v2;
};

static bool has_word(const char *text, size_t length, const char *word)
{
	const size_t size = strlen(word);

	for (const char *at = text; (size_t)(at - text) + size <= length; at++)
		if (strncmp(at, word, size) == 0 && (at == text || strchr(", ", at[-1])) && (at + size == text + length ||
		    strchr(", ", at[size])))
			return true;
	return false;
}

/* The mount of version 1 with CONTROLLER, or of version 2 (NULL); its place into PLACE and its root into ROOT. */
static bool find_mount(const struct layout *layout, const char *controller, char *place, char *root)
{
	for (const char *line = layout->mounts; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const size_t length = strcspn(line, "\n");
		const char *type = strstr(line, controller ? " - cgroup " : " - cgroup2 ");
		const char *options = type && type < line + length ? strchr(type + 3, ' ') : NULL;

		options = options ? strchr(options + 1, ' ') : NULL; /* after the type and the source */
		if (!options || (controller && !has_word(options + 1, (size_t)(line + length - options) - 1, controller)))
			continue;
		if (sscanf(line, "%*s %*s %*s %4095s %4095s", root, place) == 2)
			return true;
	}
	return false;
}

/* The group of this process in the hierarchy of CONTROLLER, "/a/b"; "" when there is none. */
static void find_group(const struct layout *layout, const char *controller, char *group)
{
	*group = '\0';
	for (const char *line = layout->groups; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *names = strchr(line, ':');
		const char *path = names ? strchr(names + 1, ':') : NULL;

		if (!path)
			return;
		if (controller ? has_word(names + 1, (size_t)(path - names) - 1, controller) : path == names + 1) {
			snprintf(group, PATH_ROOM, "%.*s", (int)strcspn(path + 1, "\n"), path + 1);
			return;
		}
	}
}

/* The folder of this process's group; false: there is none. */
static bool find_folder(const struct layout *layout, const char *controller, char *folder, size_t size)
{
	char place[PATH_ROOM], root[PATH_ROOM], group[PATH_ROOM];
	const char *below;

	if (!find_mount(layout, controller, place, root))
		return false;
	find_group(layout, controller, group);
	below = strcmp(root, "/") != 0 && strncmp(group, root, strlen(root)) == 0 ? group + strlen(root) : group;
	snprintf(folder, size, "%s%s", place, strcmp(below, "/") == 0 ? "" : below);
	return true;
}

static void read_layout(const struct doctor *doctor, struct layout *layout)
{
	char place[PATH_ROOM], root[PATH_ROOM];

	layout->name = doctor->host->run_id;
	if (sys_read_file("/proc/self/mountinfo", layout->mounts, sizeof(layout->mounts)) < 0)
		layout->mounts[0] = '\0';
	if (sys_read_file("/proc/self/cgroup", layout->groups, sizeof(layout->groups)) < 0)
		layout->groups[0] = '\0';
	layout->has_v2 = find_mount(layout, NULL, place, root);
	layout->has_v1 = strstr(layout->mounts, " - cgroup ") != NULL;
}

/* Makes a group in FOLDER, reads FILE of it when there is one, and removes it. */
static int try_group(const char *folder, const char *name, const char *file, char *content, size_t size)
{
	char path[2 * PATH_ROOM + 256];
	auto_close int parent = sys_open(folder, O_RDONLY | O_DIRECTORY, 0);
	int rc;

	rc = parent < 0 ? parent : sys_mkdirat(parent, name, 0700);
	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "%s/%s/%s", folder, name, file ? file : "");
	if (file)
		doctor_read(path, content, size);
	return sys_unlinkat(parent, name, AT_REMOVEDIR);
}

void check_cgroup_layout(struct doctor *doctor, struct finding *finding)
{
	struct layout *layout = arena_alloc(doctor->arena, sizeof(*layout));

	if (!layout)
		return;
	read_layout(doctor, layout);
	if (layout->has_v1 && layout->has_v2)
		answer(doctor, finding, VERDICT_YES, "hybrid: version 1 with version 2 beside it");
	else if (layout->has_v2)
		answer(doctor, finding, VERDICT_YES, "version 2 alone");
	else if (layout->has_v1)
		answer(doctor, finding, VERDICT_YES, "version 1 alone");
	if (layout->has_v1 || layout->has_v2)
		return;
	answer(doctor, finding, VERDICT_NO, "no cgroup file system is mounted");
	blame(doctor, finding, "this is a minimal system or a container without /sys/fs/cgroup");
	advise(doctor, finding, "mount -t cgroup2 none /sys/fs/cgroup, or --may-lack memory,cpus,...");
}

static int check_controller(const struct layout *layout, size_t which, bool *is_old)
{
	char folder[2 * PATH_ROOM], content[1024] = "";
	int rc;

	*is_old = find_folder(layout, wanted[which].old, folder, sizeof(folder));
	if (*is_old)
		return try_group(folder, layout->name, NULL, NULL, 0);
	if (!find_folder(layout, NULL, folder, sizeof(folder)))
		return -ENOENT;
	rc = try_group(folder, layout->name, "cgroup.controllers", content, sizeof(content));
	if (rc == 0 && strcmp(wanted[which].name, "cpuacct") == 0)
		return 0; /* version 2 counts the time of every group */
	return rc < 0 ? rc : has_word(content, strlen(content), wanted[which].name) ? 0 : -ENODEV;
}

void check_cgroup_way(struct doctor *doctor, struct finding *finding)
{
	struct layout *layout = arena_alloc(doctor->arena, sizeof(*layout));
	int rc = -ENOENT;
	bool is_old;

	if (!layout)
		return;
	read_layout(doctor, layout);
	for (size_t i = 0; rc < 0 && i < ARRAY_SIZE(wanted); i++) {
		int one = check_controller(layout, i, &is_old);

		rc = one == -ENODEV ? 0 : one == -ENOENT ? rc : one;
	}
	if (rc == 0) {
		answer(doctor, finding, VERDICT_YES, "a group was made where this process stands, and removed");
		return;
	}
	answer(doctor, finding, VERDICT_NO, "making a group where this process stands failed: %s", strerror(-rc));
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
	struct layout *layout = arena_alloc(doctor->arena, sizeof(*layout));
	auto_text struct text have = { 0 }, lack = { 0 };
	unsigned count = 0;

	if (!layout)
		return;
	read_layout(doctor, layout);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		bool is_old;
		const bool is_there = check_controller(layout, i, &is_old) == 0;

		text_add(is_there ? &have : &lack, " %s", wanted[i].option);
		if (is_there)
			text_add(&have, " (version %d)", is_old ? 1 : 2);
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
	struct layout *layout = arena_alloc(doctor->arena, sizeof(*layout));
	char folder[2 * PATH_ROOM], path[2 * PATH_ROOM + 32];

	if (!layout)
		return;
	read_layout(doctor, layout);
	if (find_folder(layout, NULL, folder, sizeof(folder))) {
		snprintf(path, sizeof(path), "%s/cgroup.kill", folder);
		if (sys_exists(path) || host_kernel_is(doctor->host, 5, 14)) {
			answer(doctor, finding, VERDICT_YES, "version 2 with cgroup.kill");
			return;
		}
	}
	answer(doctor, finding, VERDICT_PARTLY, "%s", layout->has_v2 ? "no cgroup.kill" : "no cgroup version 2");
	blame(doctor, finding, "it came with Linux 5.14, in version 2 only");
	advise(doctor, finding, "nothing need be done: the end of the PID namespace kills everything in it");
}

void check_pause(struct doctor *doctor, struct finding *finding)
{
	static const struct spec nothing;
	struct host host = *doctor->host;
	int rc;

	host.arena = (struct arena){ 0 };
	host.has_cgroups = false;
	rc = host_probe_cgroups(&host, &nothing, NULL);
	if (rc == 0 && cgroups_may_freeze(&host)) {
		answer(doctor, finding, VERDICT_YES, "by a group in %s (version %d)", host.controllers[CONTROLLER_FREEZER].parent,
		       host.controllers[CONTROLLER_FREEZER].version);
	} else {
		answer(doctor, finding, VERDICT_PARTLY, "by SIGSTOP to each process; by its group where it has a limit that needs one");
		blame(doctor, finding, "no group can be made for it where this process stands; parents inside are told of SIGSTOP (SIGCHLD)");
		advise(doctor, finding, "nothing need be done; as root, or in a delegated group with others, it is the group");
	}
	arena_free(&host.arena);
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
