/* SPDX-License-Identifier: Apache-2.0 */
/* Denied system calls on their way to a supervisor. */
#include "sys/notify.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>

#include "sys/file.h"

int sys_denied_receive(int listener, struct sys_denied *call)
{
	struct seccomp_notif event;
	int rc;

	do {
		memset(&event, 0, sizeof(event)); /* the kernel insists */
		rc = ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &event);
	} while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return -errno;
	*call = (struct sys_denied){ .id = event.id, .thread = (pid_t)event.pid, .number = event.data.nr, .arch = event.data.arch };
	for (int i = 0; i < 6; i++)
		call->args[i] = event.data.args[i];
	return 0;
}

int sys_denied_answer(int listener, uint64_t id, int errnum)
{
	struct seccomp_notif_resp answer = { .id = id, .error = -errnum,
					     .flags = errnum ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	return minus_errno(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
}

bool sys_denied_is_waiting(int listener, uint64_t id)
{
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}
