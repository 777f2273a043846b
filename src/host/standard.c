/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's standard descriptors. */
#include <errno.h>
#include <fcntl.h>

#include "host/probe.h"
#include "sys/file.h"
#include "sys/terminal.h"

static int look(int fd, bool *is_tty, struct error *err)
{
	int rc = sys_is_terminal(fd);

	*is_tty = rc == 1;
	if (rc != -EBADF)
		return 0;
	/* The lowest free number is FD: those below are open by now. */
	rc = sys_open_for_program("/dev/null", O_RDWR);
	return rc < 0 ? error_set(err, -rc, "opening /dev/null in the place of descriptor %d, which is closed", fd) : 0;
}

int host_probe_standard(struct host *host, bool has_limit, struct error *err)
{
	int rc = look(0, &host->stdin_is_tty, err);

	if (rc == 0)
		rc = look(1, &host->stdout_is_tty, err);
	if (rc == 0)
		rc = look(2, &host->stderr_is_tty, err);
	host->stderr_is_stdout = rc == 0 && (has_limit || host->stdout_is_tty) && sys_is_same_file(1, 2);
	return rc;
}
