/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop of one whose program runs in a jail. At the end of the program what it has written is still in the pipes or the terminal;
 * that is passed on, but nobody is waited for who might hold the other end open.
 */
#include "jails/relay.h"

#include <errno.h>

#include "run/flow.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/terminal.h"

enum { TALK = FRONT_DESCRIPTORS, INPUT, TO, FLOWS_AT, POLLED = FLOWS_AT + 4, END_OF_FILE = 4 };

struct loop {
	struct relay *relay;
	struct front *front;
	struct packet *packet;
	struct flow flows[3];   /* 1, 2: what the program writes */
	int to;                 /* where what is typed goes; -1: nowhere */
	int rc;
};

static int open_flows(struct loop *loop)
{
	const struct relay *relay = loop->relay;

	for (unsigned i = 1; i < 3; i++) {
		const int from = relay->master >= 0 && i == 1 ? relay->master : relay->pipes[i];
		int rc;

		loop->flows[i] = (struct flow){ .from = -1, .to = -1 };
		if (from < 0)
			continue;
		rc = flow_open(&loop->flows[i], from, loop->front->out[i]);
		if (rc == 0)
			rc = sys_set_nonblocking(from);
		if (rc < 0)
			return rc;
		loop->flows[i].never_waits = loop->front->opened[i] >= 0;
	}
	loop->to = relay->master >= 0 ? relay->master : relay->pipes[0];
	return loop->to >= 0 ? sys_set_nonblocking(loop->to) : 0;
}

static void name_descriptors(const struct loop *loop, struct pollfd *polled)
{
	const struct front *front = loop->front;
	const bool has_typed = loop->to >= 0 && front->start < front->end;

	front_poll(front, polled);
	polled[TALK] = (struct pollfd){ .fd = loop->relay->has_ended ? -1 : loop->relay->talk, .events = POLLIN };
	polled[INPUT] = (struct pollfd){ .fd = front_wants_input(front) ? front->in : -1, .events = POLLIN };
	polled[TO] = (struct pollfd){ .fd = has_typed ? loop->to : -1, .events = POLLOUT };
	for (unsigned i = 1; i < 3; i++) {
		const struct flow *flow = &loop->flows[i];

		polled[FLOWS_AT + 2 * i - 2] = (struct pollfd){ .fd = flow_wants_input(flow) ? flow->from : -1, .events = POLLIN };
		polled[FLOWS_AT + 2 * i - 1] = (struct pollfd){ .fd = flow_has_output(flow) ? flow->to : -1, .events = POLLOUT };
	}
}

static void hear(struct loop *loop)
{
	int rc = packet_receive(loop->relay->talk, false, loop->packet);

	if (rc == -EAGAIN)
		return;
	if (rc <= 0) {
		loop->rc = rc < 0 ? rc : -EPIPE;
		return;
	}
	if (loop->packet->type == PACKET_ENDED) {
		loop->relay->end = loop->packet->ended;
		loop->relay->has_ended = true;
	} else if (loop->packet->type == PACKET_ERROR) {
		loop->rc = loop->packet->error.errnum > 0 ? -loop->packet->error.errnum : -EPROTO;
	} else if (loop->packet->type != PACKET_OK) { /* that answers a signal */
		loop->rc = -EPROTO;
	}
	packet_close_descriptors(loop->packet);
}

static void close_input(struct loop *loop)
{
	if (loop->relay->pipes[0] >= 0)
		sys_close(loop->relay->pipes[0]);
	loop->relay->pipes[0] = loop->to = -1;
}

/* The end of what is typed: of a pipe its end, of a terminal the character. */
static void end_input(struct loop *loop)
{
	static const char end_of_file = END_OF_FILE;

	if (loop->relay->master < 0) {
		close_input(loop);
		return;
	}
	if (sys_write(loop->to, &end_of_file, 1) != -EAGAIN)
		loop->to = -1;
}

static void type(struct loop *loop)
{
	struct front *front = loop->front;
	const size_t size = front->end - front->start;
	ssize_t done = size && loop->to >= 0 ? sys_write(loop->to, front->typed + front->start, size) : 0;

	if (done > 0)
		front->start += (size_t)done;
	if (done < 0 && done != -EAGAIN) { /* the program reads no more */
		if (loop->relay->master < 0)
			close_input(loop);
		front->start = front->end;
	}
	if (front->start == front->end || loop->to < 0)
		front->start = front->end = 0;
	if (front->is_input_over && loop->to >= 0 && !front->end)
		end_input(loop);
}

/* Who does not read any more is told to the program as it would be without us: by the end of its pipe, or of its terminal. */
static void drop_flow(struct loop *loop, unsigned i)
{
	struct flow *flow = &loop->flows[i];

	if (loop->relay->pipes[i] >= 0)
		sys_close(loop->relay->pipes[i]);
	else
		loop->front->is_leaving = true;
	loop->relay->pipes[i] = flow->from = flow->to = -1;
}

static void pass_output(struct loop *loop, unsigned i, const struct pollfd *polled)
{
	struct flow *flow = &loop->flows[i];
	ssize_t done;

	if (polled[FLOWS_AT + 2 * i - 2].revents) {
		done = flow_fill(flow, FLOW_ROOM);
		if (done <= 0 && done != -EAGAIN)
			flow->from = -1; /* a terminal that nobody has open says EIO */
	}
	if (flow_has_output(flow) && (polled[FLOWS_AT + 2 * i - 1].revents || flow->never_waits)) {
		done = flow_empty(flow);
		if (done < 0 && done != -EAGAIN)
			drop_flow(loop, i);
	}
}

static void pass_signals(struct loop *loop)
{
	for (int signal = 1; loop->front->to_pass; signal++) {
		const struct packet_signal packet = { .signal = (uint32_t)signal, .is_for_visit = 1 };

		if (loop->front->to_pass & 1ULL << (signal - 1) && !loop->relay->has_ended &&
		    packet_send(loop->relay->talk, &(struct packet_parts){ .type = PACKET_SIGNAL, .fixed = &packet }) < 0)
			return;
		loop->front->to_pass &= ~(1ULL << (signal - 1));
	}
}

static void turn(struct loop *loop, int timeout_ms)
{
	struct front *front = loop->front;
	struct pollfd polled[POLLED];
	int rc;

	name_descriptors(loop, polled);
	rc = sys_wait_ready(polled, POLLED, timeout_ms);
	if (rc < 0) {
		loop->rc = rc;
		return;
	}
	front_serve(front, polled, FRONT_DESCRIPTORS);
	pass_signals(loop);
	if (polled[TALK].revents)
		hear(loop);
	if (polled[INPUT].revents)
		front_read(front);
	type(loop);
	for (unsigned i = 1; i < 3; i++)
		pass_output(loop, i, polled);
	if (front->is_resized && loop->relay->master >= 0 && front->rows)
		sys_set_window_size(loop->relay->master, front->rows, front->columns);
	front->is_resized = false;
}

/* All that it wrote is there already. */
static void pass_last_words(struct loop *loop)
{
	bool has_more = true;

	front_stop_reading(loop->front);
	while (has_more && loop->rc == 0 && !loop->front->is_leaving && !loop->front->end_signal && !loop->front->to_pass) {
		has_more = false;
		for (unsigned i = 1; i < 3; i++) {
			struct flow *flow = &loop->flows[i];

			if (flow_wants_input(flow) && flow_fill(flow, FLOW_ROOM) <= 0)
				flow->from = -1;
			has_more |= flow_has_output(flow) || (flow->from >= 0 && flow->to >= 0);
		}
		if (has_more)
			turn(loop, -1);
	}
}

int relay_serve(struct relay *relay, struct front *front, struct packet *packet)
{
	struct loop loop = { .relay = relay, .front = front, .packet = packet };

	loop.rc = open_flows(&loop);
	if (loop.rc == 0)
		loop.rc = sys_set_nonblocking(relay->talk);
	while (loop.rc == 0 && !relay->has_ended && !front->is_leaving && !front->end_signal)
		turn(&loop, -1);
	if (relay->has_ended)
		pass_last_words(&loop);
	for (unsigned i = 1; i < 3; i++)
		flow_close(&loop.flows[i]);
	return loop.rc;
}
