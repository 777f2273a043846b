/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock and seccomp: rules and filters are really loaded, and must really deny. */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include "host/doctor.h"
#include "host/trial.h"
#include "sys/attempt.h"
#include "sys/confine.h"
#include "sys/file.h"

enum { LANDLOCK_READ_DIR = 1 << 3 };

/* Nothing may be listed any more, the root folder neither. */
static int landlock_body(void *argument)
{
	int ruleset, rc = sys_no_new_privileges();

	(void)argument;
	ruleset = rc < 0 ? rc : sys_landlock_create(LANDLOCK_READ_DIR, 0, 0);
	if (ruleset < 0)
		return ruleset;
	rc = sys_landlock_enter(ruleset);
	if (rc < 0)
		return rc;
	rc = sys_open("/", O_RDONLY | O_DIRECTORY, 0);
	return rc == -EACCES ? 0 : -EBADE;
}

static void blame_landlock(struct doctor *doctor, struct finding *finding, int rc)
{
	if (rc == -EOPNOTSUPP) {
		blame(doctor, finding, "the kernel has Landlock and it was not switched on at boot");
		advise(doctor, finding, "add landlock to lsm= on the kernel's command line");
	} else if (doctor_is_filtered() && host_kernel_is(doctor->host, 5, 13)) {
		blame(doctor, finding, "a filter of an outer container hides it, or the kernel is built without it");
		advise(doctor, finding, "let the container use landlock_create_ruleset and its kin");
	} else {
		blame(doctor, finding, "the kernel is older than 5.13 or built without CONFIG_SECURITY_LANDLOCK");
		advise(doctor, finding, "a kernel with Landlock; where there are namespaces, --may-lack landlock is not needed");
	}
}

/* linux/landlock.h, by ABI */
static const char *const landlock_covers[] = {
	"nothing", "files", "files, renames between folders", "files, renames, truncation", "files, TCP ports",
	"files, TCP ports, ioctl of devices", "files, TCP ports, ioctl of devices, signals and abstract sockets",
	"files, TCP ports, ioctl of devices, signals and abstract sockets, audit",
};

void check_landlock(struct doctor *doctor, struct finding *finding)
{
	const struct trial trial = { .body = landlock_body };
	const int abi = doctor->host->landlock_abi, last = ARRAY_SIZE(landlock_covers) - 1;
	int rc = trial_run(&trial, NULL);

	if (rc >= 0) {
		answer(doctor, finding, VERDICT_YES, "ABI %d: %s; a ruleset was entered and denied", abi,
		       landlock_covers[abi > last ? last : abi]);
		return;
	}
	answer(doctor, finding, VERDICT_NO, "entering a ruleset failed: %s", strerror(-rc));
	blame_landlock(doctor, finding, sys_landlock_abi());
}

static void check_since_abi(struct doctor *doctor, struct finding *finding, int abi, const char *kernel)
{
	if (doctor->host->landlock_abi >= abi) {
		answer(doctor, finding, VERDICT_YES, "ABI %d", doctor->host->landlock_abi);
		return;
	}
	answer(doctor, finding, VERDICT_NO, "ABI %d; it came with %d", doctor->host->landlock_abi, abi);
	blame(doctor, finding, doctor->host->landlock_abi ? "the kernel is older than Linux %s" : "see landlock (Linux %s)", kernel);
	advise(doctor, finding, "Linux %s or newer, or namespaces of the jail's own, which do not need it", kernel);
}

void check_landlock_ports(struct doctor *doctor, struct finding *finding)
{
	check_since_abi(doctor, finding, 4, "6.7");
}

void check_landlock_scopes(struct doctor *doctor, struct finding *finding)
{
	check_since_abi(doctor, finding, 6, "6.12");
}

static const struct sock_filter deny_getppid[] = {
	{ BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr) },
	{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_getppid },
	{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EDOM },
	{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW },
};

static int seccomp_body(void *argument)
{
	int rc = sys_no_new_privileges();

	(void)argument;
	if (rc == 0)
		rc = sys_seccomp_load(deny_getppid, ARRAY_SIZE(deny_getppid), false);
	return rc < 0 ? rc : sys_attempt_filtered() == -EDOM ? 0 : -EBADE;
}

static int notify_body(void *argument)
{
	int rc = sys_no_new_privileges();

	(void)argument;
	return rc < 0 ? rc : sys_seccomp_load(deny_getppid, ARRAY_SIZE(deny_getppid), true);
}

void check_seccomp(struct doctor *doctor, struct finding *finding)
{
	const struct trial trial = { .body = seccomp_body };
	int rc = trial_run(&trial, NULL);

	if (rc >= 0) {
		answer(doctor, finding, VERDICT_YES, "a filter was loaded and denied a call");
		return;
	}
	answer(doctor, finding, VERDICT_NO, "loading a filter failed: %s", strerror(-rc));
	blame(doctor, finding, doctor_is_filtered() ? "an outer filter forbids further ones"
						    : "the kernel is built without CONFIG_SECCOMP_FILTER");
	advise(doctor, finding, "a kernel or container with seccomp filters, or --may-lack seccomp");
}

void check_notify(struct doctor *doctor, struct finding *finding)
{
	const struct trial trial = { .body = notify_body };
	int rc = trial_run(&trial, NULL);

	if (rc >= 0) {
		answer(doctor, finding, VERDICT_YES, "a filter with a listener was loaded");
		return;
	}
	answer(doctor, finding, VERDICT_NO, "loading a filter with a listener failed: %s", strerror(-rc));
	if (rc == -EBUSY) {
		blame(doctor, finding, "an outer sandbox has a listener already, and there can be one only");
		advise(doctor, finding, "blocked calls still fail; they are not named");
	} else {
		blame(doctor, finding, "the kernel is older than Linux 5.0, or an outer filter forbids it");
		advise(doctor, finding, "Linux 5.0 or newer; blocked calls still fail without it");
	}
}

static int privileges_body(void *argument)
{
	int rc = sys_no_new_privileges();

	(void)argument;
	return rc < 0 ? rc : sys_has_no_new_privileges() == 1 ? 0 : -EBADE;
}

void check_no_new_privs(struct doctor *doctor, struct finding *finding)
{
	const struct trial trial = { .body = privileges_body };
	int rc = trial_run(&trial, NULL);

	if (rc >= 0) {
		answer(doctor, finding, VERDICT_YES, "set, and read back");
		return;
	}
	answer(doctor, finding, VERDICT_NO, "setting it failed: %s", strerror(-rc));
	blame(doctor, finding, "an outer filter forbids prctl");
	advise(doctor, finding, "start immure outside of that sandbox");
}
