/* SPDX-License-Identifier: Apache-2.0 */
/* The list of what is looked at, and how the checks answer. */
#include "host/doctor.h"

#include <linux/capability.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sys/file.h"

/* The user namespace comes first: what follows is tried inside one. */
static const struct {
	const char *name, *meaning;
	check_function *check;
} checks[] = {
	{ "user-namespace", "the jail has ids and rights of its own; without root everything else rests on it", check_userns },
	{ "pid-namespace", "the program sees and signals only its own processes; nothing of it survives", check_pidns },
	{ "mount-namespace", "the jail has a tree of its own", check_mountns },
	{ "net-namespace", "the jail has a network of its own", check_netns },
	{ "uts-namespace", "the jail has a host name of its own", check_utsns },
	{ "ipc-namespace", "System V and POSIX queues are not shared", check_ipcns },
	{ "cgroup-namespace", "the jail does not see which group it is in", check_cgroupns },
	{ "time-namespace", "--monotonic-offset, --boottime-offset", check_timens },
	{ "mount", "file systems can be mounted in the jail's namespace", check_mount },
	{ "mount-api", "mounts are made by descriptor, so that no path is resolved twice", check_mount_api },
	{ "root-switch", "the host's tree can be detached from the jail's", check_root },
	{ "new-proc", "--proc new: a /proc that shows only the jail", check_proc },
	{ "overlay", "--overlay, --root-mode overlay: writes that are thrown away", check_overlay },
	{ "idmapped-mount", "--rw as root: files belong to the folder's owner, not to the jail's ids", check_idmap },
	{ "loopback", "--net loopback: lo is up inside", check_loopback },
	{ "id-range", "--ids range: host ids that no other jail has", check_ranges },
	{ "sub-ids", "--ids subid: several users inside without root", check_subids },
	{ "landlock", "a second wall around files, and the only one without namespaces", check_landlock },
	{ "landlock-ports", "--tcp-bind, --tcp-connect with a shared network", check_landlock_ports },
	{ "landlock-scopes", "no signals and no abstract sockets to processes outside", check_landlock_scopes },
	{ "seccomp", "the filter of system calls", check_seccomp },
	{ "seccomp-notify", "a blocked call is named in the result", check_notify },
	{ "no-new-privs", "setuid programs gain nothing", check_no_new_privs },
	{ "cgroup-layout", "where the kernel accounts for groups of processes", check_cgroup_layout },
	{ "cgroup-delegation", "a group for the jail can be made", check_cgroup_way },
	{ "cgroup-controllers", "--memory, --cpus, --pids, --io-max, --cpu-time for the jail as a whole", check_controllers },
	{ "cgroup-kill", "a whole group is killed at once", check_cgroup_kill },
	{ "pause", "immure pause: a jail is stopped as a whole, and neither notices nor resists", check_pause },
	{ "systemd", "the user's service manager makes groups without root", check_systemd },
	{ "clone3", "init is born straight into its group", check_clone3 },
	{ "pidfd", "processes are held by descriptor: a reused pid is never hit", check_pidfd },
	{ "close-range", "no descriptor leaks into the jail", check_close_range },
	{ "openat2", "a link inside never leads outside", check_openat2 },
	{ "terminal", "--tty: a terminal of the jail's own", check_terminal },
	{ "core-dumps", "no memory of the program reaches the host", check_core },
	{ "device-nodes", "/dev/null and its kin, taken from the host", check_devices },
	{ "state-folder", "leases of ids, and what must be undone after a crash", check_state },
	{ "lingering", "jails that stay go on when their user logs out", check_login },
};

unsigned doctor_examine(struct arena *arena, const struct host *host, struct finding *findings)
{
	struct doctor doctor = { .arena = arena, .host = host };

	_Static_assert(ARRAY_SIZE(checks) <= DOCTOR_FINDINGS, "room for every check");
	if (!HOST_HAS_CAP(host, CAP_SYS_ADMIN))
		doctor.namespaces = CLONE_NEWUSER;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		findings[i] = (struct finding){ .name = checks[i].name, .meaning = checks[i].meaning };
		checks[i].check(&doctor, &findings[i]);
	}
	return ARRAY_SIZE(checks);
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = { [VERDICT_NO] = "no", [VERDICT_PARTLY] = "partly", [VERDICT_YES] = "yes" };

	return names[verdict];
}

static const char *format(struct doctor *doctor, const char *pattern, va_list args)
{
	char buffer[1024];

	vsnprintf(buffer, sizeof(buffer), pattern, args);
	return arena_copy(doctor->arena, buffer);
}

void answer(struct doctor *doctor, struct finding *finding, enum verdict verdict, const char *found, ...)
{
	va_list args;

	va_start(args, found);
	finding->verdict = verdict;
	finding->found = format(doctor, found, args);
	va_end(args);
}

void blame(struct doctor *doctor, struct finding *finding, const char *cause, ...)
{
	va_list args;

	va_start(args, cause);
	finding->cause = format(doctor, cause, args);
	va_end(args);
}

void advise(struct doctor *doctor, struct finding *finding, const char *remedy, ...)
{
	va_list args;

	va_start(args, remedy);
	finding->remedy = format(doctor, remedy, args);
	va_end(args);
}

const char *doctor_read(const char *path, char *buffer, size_t size)
{
	if (sys_read_file(path, buffer, size) < 0)
		*buffer = '\0';
	buffer[strcspn(buffer, "\n")] = '\0';
	return buffer;
}

bool doctor_is_filtered(void)
{
	char status[8192];
	const char *line;

	if (sys_read_file("/proc/self/status", status, sizeof(status)) < 0)
		return false;
	line = strstr(status, "\nSeccomp:\t");
	return line && line[sizeof("\nSeccomp:\t") - 1] == '2';
}
