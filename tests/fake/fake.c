/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that hand control over; the others are generated. */
#include "fake.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sys/channel.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/rest.h"

enum { CHILD = 4242, FIRST_DESCRIPTOR = 100 };

struct fake fake;

void fake_reset(const struct plan *plan, bool is_child)
{
	fake.plan = plan;
	fake.count = fake.open_descriptors = 0;
	fake.fail_at = fake.sent_step = -1;
	fake.fail_errno = fake.sent_value = 0;
	memset(fake.shared, 0, sizeof(fake.shared));
	fake.is_child = is_child;
	fake.end = FAKE_RUNNING;
}

int fake_note(const char *format, ...)
{
	va_list args;

	if (fake.count == FAKE_CALLS) {
		fake.end = FAKE_EXIT;
		longjmp(fake.over, 1);
	}
	va_start(args, format);
	vsnprintf(fake.calls[fake.count], FAKE_LINE, format, args);
	va_end(args);
	return fake.count++ == fake.fail_at ? -fake.fail_errno : 0;
}

int fake_descriptor(void)
{
	fake.open_descriptors++;
	return FIRST_DESCRIPTOR + fake.count;
}

int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

int minus_errno(long rc)
{
	return rc < 0 ? -errno : (int)rc;
}

/* Not noted: the compiler calls it, and it cannot fail. */
void sys_auto_close(int *fd)
{
	fake.open_descriptors -= *fd >= 0;
	*fd = -1;
}

int sys_close(int fd)
{
	int rc = fake_note("sys_close %d", fd);

	fake.open_descriptors -= fd >= FIRST_DESCRIPTOR; /* Linux closes even when it says that it failed */
	return rc;
}

pid_t sys_clone(uint64_t flags, int cgroup, int *pidfd)
{
	int rc = fake_note("sys_clone %llx %d", (unsigned long long)flags, cgroup);

	*pidfd = -1;
	if (rc < 0)
		return rc;
	if (fake.is_child)
		return 0;
	*pidfd = fake_descriptor();
	return CHILD;
}

/* Init's helper lives elsewhere. */
pid_t sys_fork_as(pid_t pid)
{
	int rc = fake_note("sys_fork_as %d", (int)pid);

	return rc < 0 ? rc : pid;
}

/* A launcher as commonly started; an init that is asked is only so by the self-check, which is left out. */
int sys_is_dumpable(void)
{
	int rc = fake_note("sys_is_dumpable");

	return rc < 0 ? rc : 1;
}

int sys_share_memory(size_t size, void **memory)
{
	int rc = fake_note("sys_share_memory %zu", size);

	if (rc < 0 || size > sizeof(fake.shared))
		return rc < 0 ? rc : -ENOMEM;
	*memory = fake.shared;
	return 0;
}

/* The payload's whole life happens in here. */
pid_t sys_borrow_child(int (*body)(void *), void *argument, void *stack, size_t stack_size)
{
	int rc = fake_note("sys_borrow_child");

	(void)stack;
	(void)stack_size;
	if (rc < 0)
		return rc;
	body(argument);
	return CHILD + 1;
}

_Noreturn void sys_exit(int status)
{
	fake_note("sys_exit %d", status);
	fake.end = FAKE_EXIT;
	longjmp(fake.over, 1);
}

int sys_exec(const char *path, char *const argv[], char *const envp[])
{
	int rc = fake_note("sys_exec %s", path);

	(void)argv;
	(void)envp;
	if (rc < 0)
		return rc;
	fake.end = FAKE_EXEC;
	longjmp(fake.over, 1);
}

int channel_send(int end, struct message message, int fd)
{
	(void)end;
	(void)fd;
	if (message.what >= 0) {
		fake.sent_step = message.what;
		fake.sent_value = message.value;
	}
	return fake_note("channel_send %d %d", message.what, message.value);
}

/* The other side passes the baton for the step after those that it has performed: the next one of this side. */
int channel_receive(int end, struct message *message, int *fd)
{
	int rc = fake_note("channel_receive");
	int at = fake.sent_step;

	if (at < 0) /* nothing was passed on yet: since the birth it is the launcher's turn */
		for (at = 1; at < fake.plan->count && fake.plan->steps[at - 1].op != OP_CLONE; at++)
			;
	(void)end;
	*fd = -1;
	if (rc < 0)
		return rc;
	if (!fake.is_child)
		return 0; /* the other side is gone */
	while (at < fake.plan->count && fake.plan->steps[at].side == LAUNCHER)
		at++;
	*message = (struct message){ at, 0 };
	return 1;
}

int channel_receive_all(int end, struct message *message, int fds[CHANNEL_DESCRIPTORS])
{
	for (int i = 1; i < CHANNEL_DESCRIPTORS; i++)
		fds[i] = -1;
	return channel_receive(end, message, fds);
}

/* Whatever is waited for is there. */
int sys_wait_ready(struct pollfd *fds, unsigned count, int timeout_ms)
{
	int rc = fake_note("sys_wait_ready %d", timeout_ms);

	for (unsigned i = 0; i < count; i++)
		fds[i].revents = 0;
	if (rc < 0 || !timeout_ms)
		return rc;
	fds[0].revents = fds[0].events;
	return 1;
}

int sys_rest_until_ready(struct sys_rest *rest, struct pollfd *fds, unsigned count)
{
	(void)rest;
	return sys_wait_ready(fds, count, -1);
}
