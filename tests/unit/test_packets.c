/* SPDX-License-Identifier: Apache-2.0 */
/* What a keeper hears: only whole, lawful packets, and no descriptor of a bad one stays open. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "jails/protocol.h"
#include "sys/file.h"

enum { HEADER = 8 };

static int pair[2];

static int open_pair(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair);
}

static int close_pair(void **state)
{
	(void)state;
	return close(pair[0]) + close(pair[1]);
}

static int count_one(int fd, const void *argument)
{
	(void)fd;
	++*(unsigned *)argument;
	return 0;
}

static unsigned open_descriptors(void)
{
	unsigned count = 0;

	assert_int_equal(sys_each_descriptor(count_one, &count), 0);
	return count;
}

static void a_packet_arrives_as_it_was_sent(void **state)
{
	const struct packet_output output = { 2 };
	struct packet packet;
	size_t size;

	(void)state;
	assert_int_equal(packet_send(pair[0], &(struct packet_parts){ .type = PACKET_OUTPUT, .fixed = &output, .tail = "a\0b", .tail_size = 3 }), 0);
	assert_int_equal(packet_receive(pair[1], false, &packet), 1);
	assert_int_equal(packet.type, PACKET_OUTPUT);
	assert_int_equal(packet.output.stream, 2);
	assert_memory_equal(packet_tail(&packet, &size), "a\0b", 3);
	assert_int_equal(size, 3);
	assert_int_equal(packet_receive(pair[1], false, &packet), -EAGAIN);
	close(pair[0]);
	assert_int_equal(packet_receive(pair[1], false, &packet), 0);
	pair[0] = dup(0);
}

static void descriptors_travel_both_ways_and_are_closed_on_exec(void **state)
{
	struct packet_run run = { .name = "web" };
	struct packet packet;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(packet_send(pair[0], &(struct packet_parts){ .type = PACKET_RUN, .fixed = &run, .fds = ends, .fd_count = 1 }), 0);
	assert_int_equal(packet_receive(pair[1], true, &packet), 1);
	assert_string_equal(packet.name.name, "web");
	assert_int_equal(packet.fd_count, 1);
	assert_true(sys_is_same_file(packet.fds[0], ends[0]));
	assert_false(sys_stays_open(packet.fds[0]));
	packet_close_descriptors(&packet);
	assert_int_equal(packet_send(pair[1], &(struct packet_parts){ .type = PACKET_DESCRIPTOR, .fds = ends, .fd_count = 2 }), 0);
	assert_int_equal(packet_receive(pair[0], false, &packet), 1);
	assert_int_equal(packet.fd_count, 2);
	packet_close_descriptors(&packet);
	close(ends[0]);
	close(ends[1]);
}

/* Sends what no honest client would. */
static int receive_forged(uint32_t type, uint32_t said, const void *payload, size_t size, unsigned fd_count)
{
	const uint32_t header[2] = { type, said };
	const struct iovec parts[2] = { { (void *)header, sizeof(header) }, { (void *)payload, size } };
	const int fds[SYS_PACKET_DESCRIPTORS] = { 0 };
	struct packet packet;
	int rc;

	assert_int_equal(sys_send_packet(pair[0], parts, 2, fds, fd_count), 0);
	rc = packet_receive(pair[1], true, &packet);
	if (rc > 0)
		packet_close_descriptors(&packet);
	return rc;
}

static void what_breaks_the_table_is_refused(void **state)
{
	static const char zeros[PACKET_ROOM + 100];
	struct packet_attach attach = { .name = "a" };
	struct packet_name unterminated;
	const unsigned before = open_descriptors();

	(void)state;
	memset(&unterminated, 'x', sizeof(unterminated));
	/* the lawful ones */
	assert_int_equal(receive_forged(PACKET_STATUS, PACKET_NAME, zeros, PACKET_NAME, 0), 1);
	assert_int_equal(receive_forged(PACKET_INPUT, 0, zeros, 0, 0), 1);
	assert_int_equal(receive_forged(PACKET_INPUT, PACKET_ROOM, zeros, PACKET_ROOM, 0), 1);
	assert_int_equal(receive_forged(PACKET_RUN, sizeof(struct packet_run), zeros, sizeof(struct packet_run), 1), 1);
	assert_int_equal(receive_forged(PACKET_ATTACH, sizeof(attach), &attach, sizeof(attach), 0), 1);
	/* sizes */
	assert_true(receive_forged(PACKET_STATUS, PACKET_NAME - 1, zeros, PACKET_NAME - 1, 0) < 0);
	assert_true(receive_forged(PACKET_STATUS, PACKET_NAME + 1, zeros, PACKET_NAME + 1, 0) < 0);
	assert_true(receive_forged(PACKET_STATUS, PACKET_NAME, zeros, PACKET_NAME + 1, 0) < 0);
	assert_true(receive_forged(PACKET_STATUS, ~0u, zeros, PACKET_NAME, 0) < 0);
	assert_true(receive_forged(PACKET_INPUT, PACKET_ROOM + 1, zeros, PACKET_ROOM + 1, 0) < 0);
	/* types, names, flags */
	assert_true(receive_forged(PACKETS, 0, zeros, 0, 0) < 0);
	assert_true(receive_forged(~0u, 0, zeros, 0, 0) < 0);
	assert_true(receive_forged(PACKET_OK, 0, zeros, 0, 0) < 0);
	assert_true(receive_forged(PACKET_STATUS, PACKET_NAME, &unterminated, PACKET_NAME, 0) < 0);
	attach.flags = ATTACH_FLAGS + 1;
	assert_true(receive_forged(PACKET_ATTACH, sizeof(attach), &attach, sizeof(attach), 0) < 0);
	/* descriptors */
	assert_true(receive_forged(PACKET_STATUS, PACKET_NAME, zeros, PACKET_NAME, 1) < 0);
	assert_true(receive_forged(PACKET_RUN, sizeof(struct packet_run), zeros, sizeof(struct packet_run), 0) < 0);
	assert_true(receive_forged(PACKET_RUN, sizeof(struct packet_run), zeros, sizeof(struct packet_run), 8) < 0);
	assert_int_equal(open_descriptors(), before);
}

static void more_descriptors_than_there_is_room_for_are_closed(void **state)
{
	enum { MANY = 40 };
	union {
		char bytes[CMSG_SPACE(MANY * sizeof(int))];
		struct cmsghdr align;
	} control = { .align = { .cmsg_len = CMSG_LEN(MANY * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	uint32_t header[2] = { PACKET_DETACH, 0 };
	struct iovec part = { header, HEADER };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes) };
	const unsigned before = open_descriptors();
	struct packet packet;

	(void)state;
	assert_int_equal(sendmsg(pair[0], &message, 0), HEADER);
	assert_true(packet_receive(pair[1], true, &packet) < 0);
	assert_int_equal(open_descriptors(), before);
}

static void what_a_client_may_say_depends_on_its_state(void **state)
{
	(void)state;
	for (int type = 0; type < PACKETS; type++) {
		assert_int_equal(packet_is_permitted((enum packet_type)type, TALK_NEW), type == PACKET_HELLO);
		assert_false(packet_is_permitted((enum packet_type)type, TALK_WAITING));
		assert_false(packet_is_permitted((enum packet_type)type, TALK_LISTENING));
		assert_int_equal(packet_is_permitted((enum packet_type)type, TALK_ATTACHED),
				 type == PACKET_INPUT || type == PACKET_RESIZE || type == PACKET_DETACH);
		if (packet_is_permitted((enum packet_type)type, TALK_ATTACHED)) /* it may have ended meanwhile */
			assert_true(packet_is_permitted((enum packet_type)type, TALK_READY));
		if (type >= PACKET_OK)
			assert_false(packet_is_permitted((enum packet_type)type, TALK_READY));
	}
	assert_true(packet_is_permitted(PACKET_RUN, TALK_READY));
	assert_false(packet_is_permitted(PACKET_HELLO, TALK_READY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_packet_arrives_as_it_was_sent, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(descriptors_travel_both_ways_and_are_closed_on_exec, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(what_breaks_the_table_is_refused, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(more_descriptors_than_there_is_room_for_are_closed, open_pair, close_pair),
		cmocka_unit_test(what_a_client_may_say_depends_on_its_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
