/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop of one who is attached. Two things are on their way at most: a packet of output that has not gone to the end, and what was
 * typed and not sent. While either waits no more is taken of its kind: so who types faster than the program reads has to wait, and
 * who reads slower than it writes loses the oldest at the keeper, which never waits.
 */
#include "jails/attach.h"

#include <errno.h>
#include <stdlib.h>

#include "sys/file.h"
#include "sys/process.h"

enum { TALK = FRONT_DESCRIPTORS, INPUT, OUTPUT, POLLED };

struct loop {
	struct attachment *attachment;
	struct front *front;
	struct packet *packet;
	const char *waiting;    /* output that has not gone yet */
	size_t left;
	unsigned stream;
	bool is_end_told;       /* of the input */
	int rc;
	bool is_over;
};

static bool wants_to_end(const struct loop *loop)
{
	return loop->front->is_input_over && !loop->is_end_told && loop->attachment->ends_input;
}

static void name_descriptors(const struct loop *loop, struct pollfd *polled)
{
	const struct front *front = loop->front;
	const bool has_typed = front->start < front->end || wants_to_end(loop);

	front_poll(front, polled);
	polled[TALK] = (struct pollfd){ .fd = loop->attachment->talk,
		.events = (short)((loop->left ? 0 : POLLIN) | (has_typed || front->is_resized ? POLLOUT : 0)) };
	polled[INPUT] = (struct pollfd){ .fd = front_wants_input(front) ? front->in : -1, .events = POLLIN };
	/* A closed reader is told without events; where nothing waits that is to be noticed as well, or "| head" would hang. */
	polled[OUTPUT] = (struct pollfd){ .fd = front->out[loop->left ? loop->stream : 1], .events = loop->left ? POLLOUT : 0 };
}

/* What does not go now goes later; who does not read any more ends the talk. */
static void write_output(struct loop *loop)
{
	while (loop->left) {
		const long done = front_write(loop->front, loop->stream, loop->waiting, loop->left);

		if (done == -EAGAIN)
			return;
		if (done < 0) {
			loop->front->is_leaving = true;
			loop->left = 0;
			return;
		}
		loop->waiting += done;
		loop->left -= (size_t)done;
		if (loop->front->opened[loop->stream] < 0)
			return; /* poll(2) promised one write only */
	}
}

static void take_packet(struct loop *loop)
{
	const struct packet *packet = loop->packet;

	switch ((int)packet->type) {
	case PACKET_OUTPUT:
		loop->waiting = packet_tail(packet, &loop->left);
		loop->stream = packet->output.stream == 2 ? 2 : 1;
		break;
	case PACKET_LOST:
		loop->attachment->lost += packet->lost.bytes;
		break;
	case PACKET_ENDED:
		loop->attachment->end = packet->ended;
		loop->attachment->has_ended = loop->is_over = true;
		break;
	default: /* nothing else is said to one who is attached */
		loop->rc = -EPROTO;
	}
}

static void hear(struct loop *loop)
{
	int rc = packet_receive(loop->attachment->talk, false, loop->packet);

	if (rc == -EAGAIN)
		return;
	if (rc <= 0) {
		loop->rc = rc < 0 ? rc : -EPIPE;
		return;
	}
	take_packet(loop);
	packet_close_descriptors(loop->packet);
}

static int say(struct loop *loop, const struct packet_parts *parts)
{
	int rc = packet_send(loop->attachment->talk, parts);

	if (rc < 0 && rc != -EAGAIN)
		loop->rc = rc;
	return rc;
}

static void tell_size(struct loop *loop)
{
	const struct packet_resize size = { .rows = loop->front->rows, .columns = loop->front->columns };

	if (say(loop, &(struct packet_parts){ .type = PACKET_RESIZE, .fixed = &size }) == 0)
		loop->front->is_resized = false;
}

static void type(struct loop *loop)
{
	struct front *front = loop->front;
	const size_t size = front->end - front->start;

	if (size && say(loop, &(struct packet_parts){ .type = PACKET_INPUT, .tail = front->typed + front->start, .tail_size = size }) == 0)
		front->start = front->end = 0;
	if (wants_to_end(loop) && front->start == front->end && say(loop, &(struct packet_parts){ .type = PACKET_INPUT }) == 0)
		loop->is_end_told = true;
}

static void pass_signals(const struct loop *loop)
{
	struct front *front = loop->front;

	for (int signal = 1; front->to_pass; signal++) {
		if (front->to_pass & 1ULL << (signal - 1))
			loop->attachment->pass(loop->attachment->argument, signal);
		front->to_pass &= ~(1ULL << (signal - 1));
	}
}

static void turn(struct loop *loop)
{
	struct front *front = loop->front;
	struct pollfd polled[POLLED];
	int rc;

	name_descriptors(loop, polled);
	rc = sys_wait_ready(polled, POLLED, -1);
	if (rc < 0) {
		loop->rc = rc;
		return;
	}
	front_serve(front, polled, FRONT_DESCRIPTORS);
	pass_signals(loop);
	if (polled[OUTPUT].revents && loop->left)
		write_output(loop);
	else if (polled[OUTPUT].revents & (POLLERR | POLLHUP | POLLNVAL))
		front->is_leaving = true;
	if (polled[TALK].revents & (POLLIN | POLLHUP | POLLERR) && !loop->left)
		hear(loop);
	if (loop->left)
		write_output(loop);
	if (polled[INPUT].revents)
		front_read(front);
	if (front->is_resized && front->rows)
		tell_size(loop);
	front->is_resized &= front->rows != 0;
	type(loop);
}

int attach_serve(struct attachment *attachment, struct front *front)
{
	auto_free struct packet *packet = malloc(sizeof(*packet));
	struct loop loop = { .attachment = attachment, .front = front, .packet = packet };
	int rc = packet ? sys_set_nonblocking(attachment->talk) : -ENOMEM;

	if (rc < 0)
		return rc;
	while (loop.rc == 0 && !loop.is_over && !front->is_leaving && !front->end_signal)
		turn(&loop);
	return loop.rc;
}
