/* SPDX-License-Identifier: Apache-2.0 */
/* Single calls and small facilities of the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "host/doctor.h"
#include "host/trial.h"
#include "sys/attempt.h"
#include "sys/file.h"

static void check_call(struct doctor *doctor, struct finding *finding, enum attempt attempt, const char *name, const char *since,
		       enum verdict without)
{
	int rc = sys_attempt(attempt);

	if (rc == 0) {
		answer(doctor, finding, VERDICT_YES, "%s answers", name);
		return;
	}
	answer(doctor, finding, without, "%s: %s", name, strerror(-rc));
	if (doctor_is_filtered()) {
		blame(doctor, finding, "a filter of an outer container or sandbox denies it, or the kernel is older than %s", since);
		advise(doctor, finding, "let the container use %s", name);
	} else {
		blame(doctor, finding, "this kernel is older than Linux %s", since);
		advise(doctor, finding, "Linux %s or newer", since);
	}
}

void check_clone3(struct doctor *doctor, struct finding *finding)
{
	check_call(doctor, finding, ATTEMPT_CLONE3, "clone3", "5.7", VERDICT_PARTLY);
	if (finding->verdict == VERDICT_PARTLY)
		advise(doctor, finding, "nothing need be done: immure falls back to clone and joins the group afterwards");
}

void check_pidfd(struct doctor *doctor, struct finding *finding)
{
	check_call(doctor, finding, ATTEMPT_PIDFD_OPEN, "pidfd_open", "5.3", VERDICT_NO);
}

void check_close_range(struct doctor *doctor, struct finding *finding)
{
	check_call(doctor, finding, ATTEMPT_CLOSE_RANGE, "close_range", "5.11", VERDICT_NO);
}

void check_openat2(struct doctor *doctor, struct finding *finding)
{
	check_call(doctor, finding, ATTEMPT_OPENAT2, "openat2", "5.6", VERDICT_NO);
}

void check_mount_api(struct doctor *doctor, struct finding *finding)
{
	check_call(doctor, finding, ATTEMPT_MOUNT_SETATTR, "mount_setattr", "5.12", VERDICT_NO);
	if (finding->verdict == VERDICT_YES)
		check_call(doctor, finding, ATTEMPT_OPEN_TREE, "open_tree", "5.2", VERDICT_NO);
	if (finding->verdict == VERDICT_YES && sys_attempt(ATTEMPT_OPEN_TREE_ATTR) == 0)
		answer(doctor, finding, VERDICT_YES, "open_tree, mount_setattr and open_tree_attr answer");
	else if (finding->verdict == VERDICT_YES)
		answer(doctor, finding, VERDICT_YES, "open_tree and mount_setattr answer (open_tree_attr, Linux 6.15, would save calls)");
}

static int terminal_body(void *argument)
{
	auto_close int fd = sys_open("/dev/ptmx", O_RDWR | O_NOCTTY, 0);

	(void)argument;
	return fd < 0 ? fd : 0;
}

void check_terminal(struct doctor *doctor, struct finding *finding)
{
	const struct trial trial = { .body = terminal_body };
	int rc = trial_run(&trial, NULL);

	if (rc >= 0) {
		answer(doctor, finding, VERDICT_YES, "one was opened");
		return;
	}
	answer(doctor, finding, VERDICT_NO, "opening /dev/ptmx failed: %s", strerror(-rc));
	blame(doctor, finding, "there is no devpts file system, it is not for this user, or all its terminals are used");
	advise(doctor, finding, "mount devpts on /dev/pts with ptmxmode=0666, or --tty no");
}

void check_core(struct doctor *doctor, struct finding *finding)
{
	char pattern[256];

	doctor_read("/proc/sys/kernel/core_pattern", pattern, sizeof(pattern));
	answer(doctor, finding, VERDICT_YES, doctor->host->core_pattern_is_pipe
	       ? "core_pattern is a pipe (%s); the limit of 1 that immure sets keeps it from starting"
	       : "core_pattern is \"%s\"; the limit of 0 that immure sets is enough", pattern);
}

void check_devices(struct doctor *doctor, struct finding *finding)
{
	static const char *const nodes[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty" };
	const char *missing = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		if (host_look(doctor->host, nodes[i])->kind == PATH_MISSING)
			missing = nodes[i];
	if (!missing) {
		answer(doctor, finding, VERDICT_YES, "all are there");
		return;
	}
	answer(doctor, finding, strcmp(missing, "/dev/null") == 0 ? VERDICT_NO : VERDICT_PARTLY, "%s is missing", missing);
	blame(doctor, finding, "the /dev of this root is not complete");
	advise(doctor, finding, "mount devtmpfs on /dev, or make the node there");
}

/* Nothing is made: a run makes it when it needs it. */
void check_state(struct doctor *doctor, struct finding *finding)
{
	const char *folder = doctor->host->state_folder;
	int rc = 0;

	if (folder) {
		auto_close int fd = sys_open(folder, O_RDONLY | O_DIRECTORY, 0);
		auto_close int parent = fd == -ENOENT ? sys_open("/run", O_RDONLY | O_DIRECTORY, 0) : -1;

		rc = fd >= 0 || parent >= 0 ? 0 : fd;
	}
	if (!folder) {
		answer(doctor, finding, VERDICT_PARTLY, "none");
		blame(doctor, finding, "XDG_RUNTIME_DIR is not set");
		advise(doctor, finding, "log in through a session manager; a plain immure run needs no state");
	} else if (rc < 0) {
		answer(doctor, finding, VERDICT_NO, "%s: %s", folder, strerror(-rc));
		blame(doctor, finding, "there is no /run, or it is not for this user");
		advise(doctor, finding, "mount a tmpfs on /run");
	} else {
		answer(doctor, finding, VERDICT_YES, "%s", folder);
	}
}
