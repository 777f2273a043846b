/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of a keeper: heard, answered, and never waited for. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "jails/client.h"
#include "jails/clients.h"
#include "sys/file.h"

static char path[64];
static int folder, listener;
static struct clients clients;

static int open_door(void **state)
{
	(void)state;
	strcpy(path, "/tmp/immure-clients-XXXXXX");
	folder = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	listener = sys_listen(folder, "socket");
	clients_open(&clients, listener, geteuid());
	return listener < 0;
}

static int close_door(void **state)
{
	(void)state;
	clients_close(&clients);
	unlinkat(folder, "socket", 0);
	close(listener);
	close(folder);
	return rmdir(path);
}

static int join(enum talk talk)
{
	int fd = sys_connect(folder, "socket", 1000);

	assert_true(fd >= 0);
	clients_accept(&clients);
	clients.client[clients.count - 1]->talk = talk;
	return fd;
}

static void say(int fd, enum packet_type type)
{
	static const char nothing[PACKET_NAME + 64];

	assert_int_equal(packet_send(fd, &(struct packet_parts){ .type = type, .fixed = nothing }), 0);
}

static void what_the_state_does_not_permit_ends_the_talk(void **state)
{
	static struct packet packet;
	int good = join(TALK_READY), bad = join(TALK_ATTACHED);

	(void)state;
	say(good, PACKET_STATUS);
	say(bad, PACKET_STATUS);
	assert_int_equal(client_hear(clients.client[0], &packet), 1);
	assert_int_equal(packet.type, PACKET_STATUS);
	assert_int_equal(client_hear(clients.client[0], &packet), 0);
	assert_false(clients.client[0]->is_over);
	assert_int_equal(client_hear(clients.client[1], &packet), 0);
	assert_true(clients.client[1]->is_over);
	clients_sweep(&clients, NULL, NULL);
	assert_int_equal(clients.count, 1);
	assert_int_equal(packet_receive(bad, false, &packet), 0);
	close(good);
	close(bad);
	assert_int_equal(client_hear(clients.client[0], &packet), 0);
	assert_true(clients.client[0]->is_over);
}

static void another_user_is_not_let_in(void **state)
{
	int mine, others;

	(void)state;
	mine = join(TALK_READY);
	assert_int_equal(clients.count, 1);
	clients.uid = geteuid() + 1;
	others = sys_connect(folder, "socket", 1000);
	clients_accept(&clients);
	assert_int_equal(clients.count, geteuid() == 0 ? 2 : 1); /* root always is */
	close(mine);
	close(others);
}

static void one_who_does_not_read_is_dropped_and_gets_what_was_queued_before(void **state)
{
	static char line[PACKET_ROOM];
	static struct packet packet;
	int fd = join(TALK_LISTENING);
	struct client *client = clients.client[0];
	unsigned posted = 0, received = 0;

	(void)state;
	for (; !client->waiting; posted++) {
		memcpy(line, &posted, sizeof(posted));
		client_post(client, &(struct packet_parts){ .type = PACKET_EVENT, .tail = line, .tail_size = sizeof(line) });
	}
	for (; client->waiting < CLIENT_LETTERS; posted++) {
		memcpy(line, &posted, sizeof(posted));
		client_post(client, &(struct packet_parts){ .type = PACKET_EVENT, .tail = line, .tail_size = sizeof(line) });
	}
	assert_false(client->is_over);
	while (received < posted) { /* it reads after all: everything comes, in order */
		unsigned number;

		assert_int_equal(packet_receive(fd, false, &packet), 1);
		memcpy(&number, packet.bytes, sizeof(number));
		assert_int_equal(number, received++);
		client_flush(client);
	}
	assert_false(client_is_behind(client));
	for (unsigned i = 0; i < posted; i++)
		client_post(client, &(struct packet_parts){ .type = PACKET_EVENT, .tail = line, .tail_size = sizeof(line) });
	assert_false(client->is_over);
	client_post(client, &(struct packet_parts){ .type = PACKET_EVENT, .tail = line, .tail_size = sizeof(line) });
	assert_true(client->is_over);
	close(fd);
}

static void queued_descriptors_arrive_though_the_sender_closed_its_own(void **state)
{
	static char line[PACKET_ROOM];
	static struct packet packet;
	int fd = join(TALK_LISTENING), ends[2];
	struct client *client = clients.client[0];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	while (!client->waiting)
		client_post(client, &(struct packet_parts){ .type = PACKET_EVENT, .tail = line, .tail_size = sizeof(line) });
	client_post(client, &(struct packet_parts){ .type = PACKET_DESCRIPTOR, .fds = ends, .fd_count = 1 });
	close(ends[0]);
	assert_int_equal(write(ends[1], "x", 1), 1);
	do {
		assert_int_equal(packet_receive(fd, false, &packet), 1);
		client_flush(client);
	} while (packet.type != PACKET_DESCRIPTOR);
	assert_int_equal(read(packet.fds[0], line, 2), 1);
	packet_close_descriptors(&packet);
	close(ends[1]);
	close(fd);
}

/* Output: all of it to one who reads, the newest and a count to one who does not, and the end behind it. */
static void output_reaches_everybody_as_fast_as_each_reads(void **state)
{
	static char chunk[8192];
	static struct packet packet;
	const struct packet_ended ended = { .exit_code = 7 };
	int quick = join(TALK_ATTACHED), lazy = join(TALK_ATTACHED), idle[2] = { quick, lazy };
	struct ring ring = { 0 };
	uint64_t got[2] = { 0 }, lost[2] = { 0 }, written = 0;

	(void)state;
	sys_set_nonblocking(quick);
	for (int i = 0; i < 2; i++)
		clients.client[i]->ring = &ring;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(ring_add(&ring, 1, chunk, sizeof(chunk)), 0);
		written += sizeof(chunk);
		client_flush(clients.client[0]);
		client_flush(clients.client[1]);
		while (packet_receive(quick, false, &packet) == 1)
			got[0] += packet.size - sizeof(struct packet_output);
	}
	assert_int_equal(got[0], written);
	for (int i = 0; i < 2; i++)
		client_part(clients.client[i], &(struct packet_parts){ .type = PACKET_ENDED, .fixed = &ended });
	for (int i = 0; i < 2; i++) {
		packet.type = PACKETS;
		while (packet.type != PACKET_ENDED) {
			size_t size;

			client_flush(clients.client[i]);
			assert_int_equal(packet_receive(idle[i], false, &packet), 1);
			packet_tail(&packet, &size);
			got[i] += packet.type == PACKET_OUTPUT ? size : 0;
			lost[i] += packet.type == PACKET_LOST ? packet.lost.bytes : 0;
		}
		assert_int_equal(packet.ended.exit_code, 7);
		assert_int_equal(got[i] + lost[i], written);
		assert_int_equal(clients.client[i]->talk, TALK_READY);
		assert_false(clients.client[i]->is_over);
	}
	assert_int_equal(lost[0], 0);
	assert_true(lost[1] > 0 && got[1] >= RING_ROOM);
	ring_free(&ring);
	close(quick);
	close(lazy);
}

static void a_full_table_leaves_the_next_one_waiting_at_the_door(void **state)
{
	int fds[CLIENTS + 1];
	struct pollfd polled[1 + CLIENTS];

	(void)state;
	for (int i = 0; i <= CLIENTS; i++) {
		fds[i] = sys_connect(folder, "socket", 1000);
		assert_true(fds[i] >= 0);
		clients_accept(&clients);
	}
	assert_int_equal(clients.count, CLIENTS);
	assert_int_equal(clients_poll(&clients, polled), 1 + CLIENTS);
	assert_int_equal(polled[0].events, 0);
	client_drop(clients.client[3]);
	clients_sweep(&clients, NULL, NULL);
	clients_accept(&clients);
	assert_int_equal(clients.count, CLIENTS);
	for (int i = 0; i <= CLIENTS; i++)
		close(fds[i]);
}

/* As a keeper does, to fit a screen to those who still look. */
static void look_at_all(void *argument, struct client *leaver)
{
	unsigned *told = argument;

	assert_true(leaver->is_over);
	for (unsigned i = 0; i < clients.count; i++)
		for (unsigned other = 0; other < i; other++)
			assert_ptr_not_equal(clients.client[i], clients.client[other]);
	for (unsigned i = 0; i < clients.count; i++)
		assert_true(clients.client[i]->socket >= 0);
	++*told;
}

static void who_is_told_of_those_that_leave_finds_all_others(void **state)
{
	unsigned told = 0;
	int fds[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		fds[i] = join(TALK_READY);
	client_drop(clients.client[0]);
	client_drop(clients.client[2]);
	client_drop(clients.client[3]);
	clients_sweep(&clients, look_at_all, &told);
	assert_int_equal(told, 3);
	assert_int_equal(clients.count, 1);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
}

static int peer_of(int socket)
{
	struct sys_peer peer;

	assert_true(socket >= 0);
	assert_int_equal(sys_peer(socket, &peer), 0);
	close(socket);
	return (int)peer.pid;
}

/* Listens at PLACE as another user until it is killed. */
static pid_t listen_as_stranger(char *place)
{
	const int other = mkdtemp(place) ? open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int ready[2];
	char byte;
	pid_t stranger;

	assert_true(other >= 0);
	assert_int_equal(fchmod(other, 0777) + pipe(ready), 0);
	stranger = fork();
	if (!stranger) {
		const uid_t uid = 65534;

		if (setuid(uid) == 0 && sys_listen(other, "socket") >= 0 && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(other);
	return stranger;
}

static void a_path_leads_to_the_users_own_keeper_and_to_no_stranger(void **state)
{
	char strangers[] = "/tmp/immure-stranger-XXXXXX", place[96];
	pid_t stranger;
	int status;

	(void)state;
	if (geteuid() != 0)
		skip();
	stranger = listen_as_stranger(strangers);
	snprintf(place, sizeof(place), "%s/socket", strangers);
	assert_int_equal(peer_of(sys_connect_path(place, 1000)), stranger); /* the control: it can be met */
	assert_int_equal(peer_of(keeper_call(folder, place, NULL)), getpid());
	kill(stranger, SIGKILL);
	waitpid(stranger, &status, 0);
	assert_int_equal(keeper_call(folder, place, NULL), -ECONNREFUSED);
	unlink(place);
	rmdir(strangers);
	assert_int_equal(peer_of(keeper_call(folder, place, NULL)), getpid());
	snprintf(place, sizeof(place), "%s/socket", path);
	assert_int_equal(peer_of(keeper_call(folder, place, NULL)), getpid());
}

/* By a path as long as no address is. */
static void a_long_path_is_none(void **state)
{
	char place[200] = "";

	(void)state;
	for (size_t used = 0; used + 2 < sizeof(place); used += 2)
		strcpy(place + used, "/.");
	assert_int_equal(peer_of(keeper_call(folder, place, NULL)), getpid());
	assert_int_equal(peer_of(keeper_call(folder, "", NULL)), getpid());
}

static void a_greeting_is_answered_before_all_else_and_once(void **state)
{
	static struct packet packet;
	const int late = join(TALK_READY), quick = join(TALK_READY);
	const struct packet_started started = { .pid = 7 };

	(void)state;
	clients.client[0]->greeted_ns = clients.client[1]->greeted_ns = 1;
	client_greet(clients.client[0]);
	client_greet(clients.client[0]);
	client_post(clients.client[1], &(struct packet_parts){ .type = PACKET_STARTED, .fixed = &started });
	assert_int_equal(packet_receive(late, false, &packet), 1);
	assert_int_equal(packet.type, PACKET_OK);
	assert_int_equal(packet_receive(quick, false, &packet), 1);
	assert_int_equal(packet.type, PACKET_OK);
	assert_int_equal(packet_receive(quick, false, &packet), 1);
	assert_int_equal(packet.type, PACKET_STARTED);
	client_drop(clients.client[0]);
	client_drop(clients.client[1]);
	clients_sweep(&clients, NULL, NULL);
	assert_int_equal(packet_receive(late, false, &packet), 0);
	assert_int_equal(packet_receive(quick, false, &packet), 0);
	close(late);
	close(quick);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_the_state_does_not_permit_ends_the_talk, open_door, close_door),
		cmocka_unit_test_setup_teardown(another_user_is_not_let_in, open_door, close_door),
		cmocka_unit_test_setup_teardown(one_who_does_not_read_is_dropped_and_gets_what_was_queued_before, open_door, close_door),
		cmocka_unit_test_setup_teardown(queued_descriptors_arrive_though_the_sender_closed_its_own, open_door, close_door),
		cmocka_unit_test_setup_teardown(output_reaches_everybody_as_fast_as_each_reads, open_door, close_door),
		cmocka_unit_test_setup_teardown(who_is_told_of_those_that_leave_finds_all_others, open_door, close_door),
		cmocka_unit_test_setup_teardown(a_path_leads_to_the_users_own_keeper_and_to_no_stranger, open_door, close_door),
		cmocka_unit_test_setup_teardown(a_long_path_is_none, open_door, close_door),
		cmocka_unit_test_setup_teardown(a_greeting_is_answered_before_all_else_and_once, open_door, close_door),
		cmocka_unit_test_setup_teardown(a_full_table_leaves_the_next_one_waiting_at_the_door, open_door, close_door),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
