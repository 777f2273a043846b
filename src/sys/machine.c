/* SPDX-License-Identifier: Apache-2.0 */
/* Cheap questions to the machine. */
#include "sys/machine.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sys/confine.h"

/* A call with arguments that cannot work: only a kernel without it says ENOSYS. */
static bool has_mount_setattr(void)
{
	return !(syscall(SYS_mount_setattr, -1, NULL, 0, NULL, 0) < 0 && errno == ENOSYS);
}

/* PR_CAPBSET_READ knows where the capabilities end: mostly where the headers say so, otherwise by bisection. */
static unsigned find_last_capability(void)
{
	unsigned low = 0, high = 63;

	if (sys_has_bounding(CAP_LAST_CAP) >= 0 && sys_has_bounding(CAP_LAST_CAP + 1) == -EINVAL)
		return CAP_LAST_CAP;
	while (low < high) {
		unsigned middle = (low + high + 1) / 2;

		int rc = sys_has_bounding(middle);

		if (rc < 0 && rc != -EINVAL)
			return 63; /* no answer: dropping them all will then be refused, not forgotten */
		if (rc < 0)
			high = middle - 1;
		else
			low = middle;
	}
	return low;
}

void sys_look_at_machine(struct sys_machine *machine)
{
	struct utsname name;

	*machine = (struct sys_machine){ .uid = geteuid(), .gid = getegid(), .pid = getpid() };
	if (uname(&name) == 0) {
		sscanf(name.release, "%d.%d", &machine->kernel_major, &machine->kernel_minor);
		snprintf(machine->architecture, sizeof(machine->architecture), "%s", name.machine);
	}
	if (getrandom(&machine->random, sizeof(machine->random), GRND_NONBLOCK) < 0)
		machine->random = 0;
	machine->last_capability = find_last_capability();
	machine->has_mount_setattr = has_mount_setattr();
	machine->has_seccomp = prctl(PR_GET_SECCOMP) >= 0;
}

unsigned sys_clock_ticks(void)
{
	const long ticks = sysconf(_SC_CLK_TCK);

	return ticks > 0 ? (unsigned)ticks : 100;
}
