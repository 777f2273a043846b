/* SPDX-License-Identifier: Apache-2.0 */
/* Denied system calls on their way to a supervisor. seccomp_unotify(2). 0 or -errno. */
#ifndef IMMURE_SYS_NOTIFY_H
#define IMMURE_SYS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sys_denied {
	uint64_t id;
	pid_t thread;        /* as the caller sees it; 0: it does not */
	int number;
	uint32_t arch;       /* AUDIT_ARCH_* */
	uint64_t args[6];    /* pointers among them may change at any time: never to be decided on */
};

/* To be called when poll(2) has said that there is one. -ENOENT: its maker has died meanwhile. */
int sys_denied_receive(int listener, struct sys_denied *call);
/* The call returns -ERRNUM in the program, or is made after all (ERRNUM 0). -ENOENT: its maker is dead. */
int sys_denied_answer(int listener, uint64_t id, int errnum);
/* Whether the thread still waits: until then its pid is its own. */
bool sys_denied_is_waiting(int listener, uint64_t id);

#endif
