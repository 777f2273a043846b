/* SPDX-License-Identifier: Apache-2.0 */
/* Cheap questions to the machine: no file is read, nothing is tried. */
#ifndef IMMURE_SYS_MACHINE_H
#define IMMURE_SYS_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sys_machine {
	int kernel_major, kernel_minor;
	char architecture[65];
	uid_t uid;
	gid_t gid;
	pid_t pid;
	unsigned last_capability;
	uint64_t random;
	bool has_mount_setattr, has_seccomp;
};

/* Of the clock that /proc counts processor time in, per second. */
unsigned sys_clock_ticks(void);
void sys_look_at_machine(struct sys_machine *machine);

#endif
