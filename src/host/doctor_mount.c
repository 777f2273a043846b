/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts: each is made in a mount namespace that ends with its maker. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "host/doctor.h"
#include "host/trial.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/mount_flags.h"
#include "sys/process.h"

static bool cannot_try(struct doctor *doctor, struct finding *finding)
{
	if (!doctor->namespaces || doctor->has_userns)
		return false;
	answer(doctor, finding, VERDICT_NO, "not tried: without root it needs a user namespace");
	blame(doctor, finding, "see user-namespace");
	return true;
}

/* A file system in memory over the root; this process stands in it afterwards. Returns its descriptor. */
static int enter_tmpfs(void)
{
	int tree, rc = sys_set_propagation("/", AT_RECURSIVE, MS_PRIVATE);

	tree = rc < 0 ? rc : sys_new_mount("tmpfs", "size=1M", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	rc = tree < 0 ? tree : sys_attach(tree, AT_FDCWD, "/");
	if (rc == 0)
		rc = sys_fchdir(tree);
	return rc < 0 ? rc : tree;
}

static int mount_body(void *argument)
{
	int rc = enter_tmpfs();

	(void)argument;
	return rc < 0 ? rc : 0;
}

void check_mount(struct doctor *doctor, struct finding *finding)
{
	const struct trial trial = { .namespaces = doctor->namespaces | CLONE_NEWNS, .body = mount_body };
	int rc;

	if (cannot_try(doctor, finding))
		return;
	rc = trial_run(&trial, NULL);
	if (rc >= 0) {
		answer(doctor, finding, VERDICT_YES, "a tmpfs was mounted");
		return;
	}
	answer(doctor, finding, VERDICT_NO, "mounting a tmpfs failed: %s", strerror(-rc));
	if (doctor_is_filtered())
		blame(doctor, finding, "a filter of an outer container forbids the mount calls");
	else
		blame(doctor, finding, "a security module (AppArmor in a container, SELinux) forbids mounts");
	advise(doctor, finding, "let the container use the mount calls (fsopen, fsmount, move_mount, open_tree, mount_setattr, pivot_root)");
}

static int root_body(void *argument)
{
	int rc = enter_tmpfs();

	(void)argument;
	return rc < 0 ? rc : sys_pivot_here();
}

void check_root(struct doctor *doctor, struct finding *finding)
{
	const struct trial trial = { .namespaces = doctor->namespaces | CLONE_NEWNS, .body = root_body };
	int rc;

	if (cannot_try(doctor, finding))
		return;
	rc = trial_run(&trial, NULL);
	if (rc >= 0) {
		answer(doctor, finding, VERDICT_YES, "a new root was entered and the old one detached");
	} else if (rc == -EINVAL) {
		answer(doctor, finding, VERDICT_PARTLY, "pivot_root failed: %s", strerror(-rc));
		blame(doctor, finding, "the root is the initial ramfs, which cannot be pivoted");
		advise(doctor, finding, "nothing need be done where immure falls back to chroot; or boot with a real root");
	} else {
		answer(doctor, finding, VERDICT_NO, "pivot_root failed: %s", strerror(-rc));
		blame(doctor, finding, "see mount");
	}
}

static int proc_body(void *argument)
{
	int rc = sys_new_mount("proc", NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);

	(void)argument;
	return rc < 0 ? rc : 0;
}

/* The first mounts below /proc, which hide what is under them: "/proc/kcore, /proc/keys, ...". */
static const char *find_masks(char *list, size_t size)
{
	char mounts[65536];
	size_t used = 0;

	*list = '\0';
	if (sys_read_file("/proc/self/mountinfo", mounts, sizeof(mounts)) < 0)
		return list;
	for (const char *at = mounts; (at = strstr(at, " /proc/")) && used + 64 < size; at++) {
		const int length = (int)strcspn(at + 1, " ");

		if (length < 48)
			used += (size_t)snprintf(list + used, size - used, "%s%.*s", used ? ", " : "", length, at + 1);
	}
	return list;
}

void check_proc(struct doctor *doctor, struct finding *finding)
{
	const struct trial trial = { .namespaces = doctor->namespaces | CLONE_NEWNS | CLONE_NEWPID, .body = proc_body };
	char masks[512];
	int rc;

	if (cannot_try(doctor, finding))
		return;
	rc = trial_run(&trial, NULL);
	if (rc >= 0) {
		answer(doctor, finding, VERDICT_YES, "one was mounted");
		return;
	}
	answer(doctor, finding, VERDICT_NO, "mounting proc failed: %s", strerror(-rc));
	if (!doctor->host->has_proc && !sys_exists("/proc/self"))
		blame(doctor, finding, "there is no /proc outside, so that the kernel gives none inside");
	else if (*find_masks(masks, sizeof(masks)))
		blame(doctor, finding, "parts of /proc are masked, so that the kernel refuses an unmasked one: %s", masks);
	else
		blame(doctor, finding, "see mount");
	advise(doctor, finding, "--proc bind or --proc none; or start the container with an unmasked /proc (Kubernetes: procMount: Unmasked)");
}

static int overlay_body(void *argument)
{
	int rc = enter_tmpfs();

	(void)argument;
	for (const char *const *name = (const char *const[]){ "lower", "upper", "work", NULL }; rc >= 0 && *name; name++)
		rc = sys_mkdirat(AT_FDCWD, *name, 0700);
	if (rc >= 0)
		rc = sys_new_mount("overlay", "lowerdir=lower,upperdir=upper,workdir=work", 0);
	return rc < 0 ? rc : 0;
}

void check_overlay(struct doctor *doctor, struct finding *finding)
{
	const struct trial trial = { .namespaces = doctor->namespaces | CLONE_NEWNS, .body = overlay_body };
	int rc;

	if (cannot_try(doctor, finding))
		return;
	rc = trial_run(&trial, NULL);
	if (rc >= 0) {
		answer(doctor, finding, VERDICT_YES, "one was mounted%s", doctor->namespaces ? " in a user namespace" : "");
		return;
	}
	answer(doctor, finding, VERDICT_NO, "mounting one failed: %s", strerror(-rc));
	if (rc == -ENODEV) {
		blame(doctor, finding, "the kernel has no overlay file system, or its module is not loaded");
		advise(doctor, finding, "modprobe overlay");
	} else if (rc == -EPERM && !host_kernel_is(doctor->host, 5, 11)) {
		blame(doctor, finding, "before Linux 5.11 only root may mount one");
		advise(doctor, finding, "Linux 5.11 or newer, or root");
	} else {
		blame(doctor, finding, "see mount");
	}
}

static _Noreturn void hold_namespace(int wire)
{
	struct message message = { 0 };
	int fd;

	sys_die_with_parent(SIGKILL);
	channel_receive(wire, &message, &fd); /* until the other end is closed */
	sys_exit(0);
}

/* A descriptor of a user namespace with a range mapped, held by a process that dies with this one. */
static int open_mapped_userns(void)
{
	char path[64];
	int ends[2], pidfd, rc = channel_open(ends);
	pid_t pid = rc < 0 ? rc : sys_clone(CLONE_NEWUSER, -1, &pidfd);

	if (pid == 0) {
		sys_close(ends[0]);
		hold_namespace(ends[1]);
	}
	if (pid < 0)
		return pid;
	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	rc = sys_write_file(path, "0 100000 65536\n");
	snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)pid);
	if (rc == 0)
		rc = sys_write_file(path, "0 100000 65536\n");
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	return rc < 0 ? rc : sys_open(path, O_RDONLY, 0);
}

static int idmap_body(void *argument)
{
	int userns = open_mapped_userns();
	int rc = userns < 0 ? userns : sys_clone_tree(AT_FDCWD, argument, 0, MOUNT_ATTR_IDMAP, 0, userns);

	return rc < 0 ? rc : 0;
}

void check_idmap(struct doctor *doctor, struct finding *finding)
{
	const char *folder = doctor->host->caller.cwd ? doctor->host->caller.cwd : "/";
	const struct trial trial = { .body = idmap_body, .argument = (void *)folder };
	int rc;

	if (!HOST_HAS_CAP(doctor->host, CAP_SYS_ADMIN) || !HOST_HAS_CAP(doctor->host, CAP_SETUID)) {
		answer(doctor, finding, VERDICT_NO, "not tried: only root may");
		blame(doctor, finding, "the kernel keeps it for root; without root --rw needs none, for the jail's id is the caller's");
		return;
	}
	rc = trial_run(&trial, NULL);
	if (rc >= 0) {
		answer(doctor, finding, VERDICT_YES, "one was made of %s", folder);
		return;
	}
	answer(doctor, finding, VERDICT_NO, "making one of %s failed: %s", folder, strerror(-rc));
	if (rc == -EINVAL && host_kernel_is(doctor->host, 5, 12))
		blame(doctor, finding, "the file system of that folder does not support it");
	else
		blame(doctor, finding, "the kernel is older than Linux 5.12, or the user namespace could not be made");
	advise(doctor, finding, "--rw of a folder on ext4, xfs, btrfs or tmpfs; or give the folder to the ids of the jail");
}
