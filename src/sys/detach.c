/* SPDX-License-Identifier: Apache-2.0 */
/* Two forks and an exec; how it went comes back over a pipe that exec closes. */
#include "sys/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/process.h"

enum { FIRST = 3, ASIDE = FIRST + SYS_DETACH_MOST };

/* First all out of the way, for one's place may be another's number; then each to its place. */
static int place_descriptors(const int *fds, unsigned count, int *answer)
{
	int aside[SYS_DETACH_MOST];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (unsigned i = 0; i < count; i++) {
		aside[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, ASIDE);
		if (aside[i] < 0)
			return -errno;
	}
	*answer = fcntl(*answer, F_DUPFD_CLOEXEC, ASIDE);
	if (null < 0 || *answer < 0)
		return -errno;
	for (int fd = 0; fd < FIRST; fd++)
		if (null == fd ? fcntl(fd, F_SETFD, 0) < 0 : dup2(null, fd) < 0)
			return -errno;
	for (unsigned i = 0; i < count; i++)
		if (dup2(aside[i], FIRST + (int)i) < 0)
			return -errno;
	/* What is closed on exec may stay until then: without close_range(2) whoever opened it saw to it. */
	return sys_close_range(FIRST + count, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */) == -EINVAL ? -EINVAL : 0;
}

static int become(const char *const *paths, const char *const *argv, const int *fds, unsigned count, int *answer)
{
	static char *const nothing[] = { NULL };
	int rc = place_descriptors(fds, count, answer);

	if (rc == 0)
		rc = sys_default_signals();
	if (rc == 0)
		rc = minus_errno(chdir("/"));
	for (; rc == 0 && *paths; paths++) {
		execve(*paths, (char *const *)argv, nothing);
		if (errno != ENOENT && errno != ENOTDIR)
			rc = -errno;
	}
	return rc < 0 ? rc : -ENOENT;
}

/* In the child: it only leaves the grandchild behind. */
static _Noreturn void go_between(const char *const *paths, const char *const *argv, const int *fds, unsigned count, int answer)
{
	int pidfd, rc = 0;
	pid_t pid;

	setsid();
	pid = sys_clone(0, -1, &pidfd); /* fork(3) would take locks that another thread of the caller's may have held */
	if (pid == 0)
		rc = become(paths, argv, fds, count, &answer);
	else if (pid < 0)
		rc = pid;
	if (rc < 0 && write(answer, &rc, sizeof(rc)) < 0)
		_exit(1);
	_exit(0);
}

int sys_start_detached(const char *const *paths, const char *const *argv, const int *fds, unsigned count)
{
	int ends[2], status, answer = 0, rc = sys_pipe(ends);
	pid_t pid;

	if (rc < 0)
		return rc;
	pid = sys_clone(0, -1, &status);
	if (pid == 0)
		go_between(paths, argv, fds, count, ends[1]);
	sys_close(ends[1]);
	if (pid > 0) {
		sys_close(status); /* its pidfd */
		rc = sys_wait(pid, &status, 0, NULL);
	}
	if (pid < 0)
		rc = pid;
	else if (sys_read(ends[0], &answer, sizeof(answer)) == (ssize_t)sizeof(answer))
		rc = answer;
	else
		rc = rc == pid && status ? -ECHILD : 0; /* it was killed, and perhaps before it left anybody behind */
	sys_close(ends[0]);
	return rc < 0 ? rc : 0;
}
