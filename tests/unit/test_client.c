/* SPDX-License-Identifier: Apache-2.0 */
/* Who looks at a keeper: one that is stopped is silent, and one that only gets no processor is not. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "jails/client.h"
#include "sys/file.h"

enum { SPINS_S = 1 + KEEPER_LOOK_MS / 1000 };

static void spin(void)
{
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += SPINS_S;
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
}

/* What plays the keeper: it hears a question, and answers when it has been busy; or it is stopped. */
static _Noreturn void keep(int listener, bool is_stopped)
{
	static struct packet packet;
	int talk = accept(listener, NULL, NULL);

	if (talk < 0 || packet_receive(talk, true, &packet) != 1)
		_exit(1);
	if (is_stopped)
		raise(SIGSTOP);
	spin();
	_exit(packet_send(talk, &(struct packet_parts){ .type = PACKET_OK }) < 0);
}

/* The peer of a connection is who listens, so that is the child. */
static pid_t start_keeper(bool is_stopped, struct sockaddr_un *address, socklen_t *size)
{
	int ready[2];
	pid_t pid;
	char byte;

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*size = (socklen_t)offsetof(struct sockaddr_un, sun_path) + 1 +
		(socklen_t)snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "immure-test-client-%d", (int)getpid());
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

		close(ready[0]);
		if (bind(listener, (struct sockaddr *)address, *size) < 0 || listen(listener, 1) < 0)
			_exit(1);
		close(ready[1]);
		keep(listener, is_stopped);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 0);
	close(ready[0]);
	return pid;
}

static int look(bool is_stopped, struct error *err)
{
	static struct packet reply;
	struct sockaddr_un address;
	socklen_t size;
	pid_t pid = start_keeper(is_stopped, &address, &size);
	auto_close int talk = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int rc;

	assert_int_equal(connect(talk, (struct sockaddr *)&address, size), 0);
	rc = keeper_look(talk, &(struct packet_parts){ .type = PACKET_EVENTS }, &reply, err);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return rc;
}

static void one_that_is_stopped_is_silent(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(look(true, &err), -ETIMEDOUT);
	assert_string_equal(err.id, "E-KEEPER-SILENT");
}

static void one_that_has_much_to_do_is_waited_for(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(look(false, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_is_stopped_is_silent),
		cmocka_unit_test(one_that_has_much_to_do_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
