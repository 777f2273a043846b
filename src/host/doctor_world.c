/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces: each is really made, as a run would, and whoever forbids it is found by what the kernel says. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "host/doctor.h"
#include "host/trial.h"
#include "sys/attempt.h"
#include "sys/file.h"
#include "sys/process.h"

#define NEWTIME 0x00000080

/* The number in /proc/sys/user/max_KIND_namespaces is 0. */
static bool is_limit_zero(const char *kind)
{
	char path[64], value[32];

	snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", kind);
	return strcmp(doctor_read(path, value, sizeof(value)), "0") == 0;
}

static bool is_switch(const char *path, const char *wanted)
{
	char value[32];

	return strcmp(doctor_read(path, value, sizeof(value)), wanted) == 0;
}

/* In a chroot, no mount is on "/": such a caller may make no user namespace. user_namespaces(7) */
static bool is_in_chroot(void)
{
	char mounts[65536];

	return sys_read_file("/proc/self/mountinfo", mounts, sizeof(mounts)) > 0 && !strstr(mounts, " / / ") &&
	       !strstr(mounts, " / rw") && !strstr(mounts, " / ro");
}

static const char *profile(char *buffer, size_t size)
{
	return doctor_read("/proc/self/attr/current", buffer, size);
}

static int unshare_body(void *argument)
{
	return sys_unshare((int)*(const uint64_t *)argument);
}

/* Why a user namespace could not be born: EPERM has the most fathers. */
static void blame_denial(struct doctor *doctor, struct finding *finding)
{
	char label[128];

	if (doctor->host->uid && is_switch("/proc/sys/kernel/unprivileged_userns_clone", "0")) {
		blame(doctor, finding, "the sysctl kernel.unprivileged_userns_clone is 0");
		advise(doctor, finding, "sysctl -w kernel.unprivileged_userns_clone=1, or run immure as root");
	} else if (is_in_chroot()) {
		blame(doctor, finding, "the caller is in a chroot, where the kernel allows no user namespace");
		advise(doctor, finding, "start immure outside of the chroot, or as root with --userns host");
	} else if (doctor_is_filtered()) {
		blame(doctor, finding, "a system call filter forbids it: an outer container or sandbox");
		advise(doctor, finding, "let the container use unshare, clone with namespaces, setns and mounts (Docker: --security-opt "
		       "seccomp=FILE), or --may-lack namespaces for Landlock and seccomp alone");
	} else if (is_switch("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1")) {
		blame(doctor, finding, "AppArmor: the sysctl kernel.apparmor_restrict_unprivileged_userns is 1");
		advise(doctor, finding, "install an AppArmor profile with \"userns,\" for immure, or set that sysctl to 0, or run as root");
	} else {
		blame(doctor, finding, "a security module forbids it (this process is \"%s\"), or its ids are not mapped",
		      profile(label, sizeof(label)));
		advise(doctor, finding, "allow user namespaces to this program in AppArmor's or SELinux's policy, or run as root");
	}
}

static void blame_birth(struct doctor *doctor, struct finding *finding, int errnum)
{
	switch (errnum) {
	case ENOSPC:
		if (is_limit_zero("user"))
			blame(doctor, finding, "the sysctl user.max_user_namespaces is 0 in this user namespace");
		else
			blame(doctor, finding, "a limit user.max_*_namespaces is used up, here or further out (a container)");
		advise(doctor, finding, "sysctl -w user.max_user_namespaces=15000 outside, or run immure as root of the host");
		return;
	case EUSERS:
		blame(doctor, finding, "user namespaces are nested 32 deep, or their number is used up");
		advise(doctor, finding, "start immure further out");
		return;
	case EINVAL:
		blame(doctor, finding, "the kernel is built without CONFIG_USER_NS");
		advise(doctor, finding, "another kernel, or root with --userns host");
		return;
	case ENOSYS:
		blame(doctor, finding, "a filter hides the calls that make namespaces");
		advise(doctor, finding, "let the outer container use clone and clone3 with namespaces");
		return;
	case ECHILD:
		blame(doctor, finding, "the trial was killed: a filter of an outer sandbox kills whoever tries");
		advise(doctor, finding, "start immure outside of that sandbox");
		return;
	default:
		blame_denial(doctor, finding);
	}
}

static void blame_map(struct doctor *doctor, struct finding *finding)
{
	char label[128];

	if (doctor_read("/proc/self/uid_map", label, sizeof(label))[0] == '\0') {
		blame(doctor, finding, "there is no /proc, through which ids are mapped");
		advise(doctor, finding, "mount proc on /proc before immure is started");
	} else if (is_switch("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1")) {
		blame(doctor, finding, "AppArmor lets the namespace be made and takes its rights away "
		      "(kernel.apparmor_restrict_unprivileged_userns is 1)");
		advise(doctor, finding, "install an AppArmor profile with \"userns,\" for immure, or set that sysctl to 0, or run as root");
	} else {
		blame(doctor, finding, "a security module takes the rights in the new namespace away (this process is \"%s\"), or "
		      "/proc is read-only", profile(label, sizeof(label)));
		advise(doctor, finding, "allow user namespaces to this program in the security module's policy, or run as root");
	}
}

void check_userns(struct doctor *doctor, struct finding *finding)
{
	const struct trial trial = { .namespaces = CLONE_NEWUSER };
	enum trial_stage stage;
	int rc = trial_run(&trial, &stage);

	if (rc >= 0) {
		doctor->has_userns = true;
		doctor->namespaces = CLONE_NEWUSER;
		answer(doctor, finding, VERDICT_YES, "one was made and an id mapped");
		return;
	}
	if (stage == TRIAL_MAP) {
		answer(doctor, finding, VERDICT_NO, "one was made, but mapping an id failed: %s", strerror(-rc));
		blame_map(doctor, finding);
		return;
	}
	answer(doctor, finding, VERDICT_NO, "making one failed: %s", strerror(-rc));
	blame_birth(doctor, finding, -rc);
}

/* BORN: made at birth by clone, as a run does; otherwise by unshare. */
static void check_kind(struct doctor *doctor, struct finding *finding, const char *kind, uint64_t flag, bool is_born)
{
	const struct trial trial = { .namespaces = doctor->namespaces | (is_born ? flag : 0),
				     .body = is_born ? NULL : unshare_body, .argument = &flag };
	int rc;

	if (doctor->namespaces && !doctor->has_userns) {
		answer(doctor, finding, VERDICT_NO, "not tried: without root it needs a user namespace");
		blame(doctor, finding, "see user-namespace");
		return;
	}
	rc = trial_run(&trial, NULL);
	if (rc >= 0) {
		answer(doctor, finding, VERDICT_YES, "one was made");
		return;
	}
	answer(doctor, finding, VERDICT_NO, "making one failed: %s", strerror(-rc));
	if (rc == -EINVAL || (rc == -ENOSYS && !doctor_is_filtered())) {
		blame(doctor, finding, "the kernel is built without it");
		advise(doctor, finding, "a kernel with this namespace, or share it: the option's value host");
	} else if (rc == -ENOSPC && is_limit_zero(kind)) {
		blame(doctor, finding, "the sysctl user.max_%s_namespaces is 0", kind);
		advise(doctor, finding, "sysctl -w user.max_%s_namespaces=15000", kind);
	} else {
		blame_birth(doctor, finding, -rc);
	}
}

void check_pidns(struct doctor *doctor, struct finding *finding)
{
	check_kind(doctor, finding, "pid", CLONE_NEWPID, true);
}

void check_mountns(struct doctor *doctor, struct finding *finding)
{
	check_kind(doctor, finding, "mnt", CLONE_NEWNS, true);
}

void check_netns(struct doctor *doctor, struct finding *finding)
{
	check_kind(doctor, finding, "net", CLONE_NEWNET, true);
}

void check_utsns(struct doctor *doctor, struct finding *finding)
{
	check_kind(doctor, finding, "uts", CLONE_NEWUTS, true);
}

void check_ipcns(struct doctor *doctor, struct finding *finding)
{
	check_kind(doctor, finding, "ipc", CLONE_NEWIPC, true);
}

void check_cgroupns(struct doctor *doctor, struct finding *finding)
{
	check_kind(doctor, finding, "cgroup", CLONE_NEWCGROUP, false);
}

void check_timens(struct doctor *doctor, struct finding *finding)
{
	check_kind(doctor, finding, "time", NEWTIME, false);
}

static int loopback_body(void *argument)
{
	(void)argument;
	return sys_loopback_up();
}

void check_loopback(struct doctor *doctor, struct finding *finding)
{
	const struct trial trial = { .namespaces = doctor->namespaces | CLONE_NEWNET, .body = loopback_body };
	int rc = trial_run(&trial, NULL);

	if (rc >= 0) {
		answer(doctor, finding, VERDICT_YES, "lo was brought up in a new network namespace");
		return;
	}
	answer(doctor, finding, VERDICT_NO, "bringing lo up failed: %s", strerror(-rc));
	blame(doctor, finding, "see net-namespace; or sockets are forbidden by a filter");
	advise(doctor, finding, "--net none, or --net host");
}
