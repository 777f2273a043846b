/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's standard descriptors where they are not simply the caller's: pipes, when output is
 * counted or the caller's terminal must stay outside, and the jail's own terminal. Theory of operation:
 *
 * Up to four flows, each with a bounded room: in (to a pipe or to the terminal's master), out and err
 * (from pipes), screen (from the master). What a flow's reader does not take waits in the pipe, and then
 * the program waits. Descriptors of the caller are never made non-blocking, since it shares them with
 * others; where possible they are opened anew. A descriptor is polled only for what some flow wants of it.
 *
 * At the end everything in the jail is dead, so what is in the pipes is all there will ever be. It is
 * passed on, but nobody is waited for who might hold the other end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "run/flow.h"
#include "run/terminal.h"
#include "run/watch.h"
#include "sys/process.h"
#include "sys/terminal.h"

enum flow_name { FLOW_IN, FLOW_OUT, FLOW_ERR, FLOW_SCREEN, FLOWS };
enum { LOOK_NS = 250000000, LAST_WORDS_MS = 200, PATIENCE_MS = 2000, END_OF_FILE = 4 };
enum { LAST_WORDS = 4 << 20 }; /* more than a pipe can hold: pipe(7), pipe-max-size */

struct streams {
	struct flow flows[FLOWS];
	struct terminal terminal;
	int opened[3];          /* the caller's 0-2, opened anew; -1: used as they are */
	int look;               /* timer, for what makes no event: coming to the foreground, the terminal being opened again; -1: none */
	int master;             /* -1: there is none */
	uint64_t limit, passed; /* bytes of output, all flows together */
	bool is_screen_dark;    /* nobody has the terminal open now; somebody may again */
	bool is_measured;       /* all output comes by here */
};

static int open_anew(struct streams *streams, int fd, int flags)
{
	if (streams->opened[fd] < 0 && sys_can_reopen(fd))
		streams->opened[fd] = sys_reopen(fd, flags);
	return streams->opened[fd] >= 0 ? streams->opened[fd] : fd;
}

/* Neither end is polled or used any more. */
static void drop_flow(struct watch *watch, struct flow *flow)
{
	if (flow->from >= 0)
		watch_drop(watch, flow->from);
	if (flow->to >= 0)
		watch_drop(watch, flow->to);
	flow->from = flow->to = -1;
}

/* The program notices as it would without immure: end of file on its input, SIGPIPE on output. */
static void close_pipe(struct watch *watch, struct streams *streams, enum flow_name name)
{
	int *near = &watch->run->near_streams[name];

	drop_flow(watch, &streams->flows[name]);
	if (*near >= 0)
		sys_close(*near);
	*near = -1;
}

/* The jail's terminal goes away, and the kernel sends SIGHUP to whom it controls. */
static void hang_up(struct watch *watch, struct streams *streams)
{
	drop_flow(watch, &streams->flows[FLOW_SCREEN]);
	drop_flow(watch, &streams->flows[FLOW_IN]);
	if (streams->master >= 0)
		sys_close(streams->master);
	streams->master = watch->run->slots[SLOT_TERMINAL] = -1;
}

static short events_of(const struct streams *streams, int fd)
{
	short events = 0;

	for (int i = 0; i < FLOWS; i++) {
		const struct flow *flow = &streams->flows[i];
		const bool may_read = i != FLOW_IN || streams->terminal.fd < 0 || streams->terminal.may_be_read;

		if (flow->from == fd && may_read && flow_wants_input(flow) && !(i == FLOW_SCREEN && streams->is_screen_dark))
			events |= POLLIN;
		if (flow->to == fd && flow_has_output(flow))
			events |= POLLOUT;
	}
	return events;
}

static void refresh(struct watch *watch, const struct streams *streams)
{
	for (int i = 0; i < FLOWS; i++) {
		const struct flow *flow = &streams->flows[i];

		if (flow->from >= 0)
			watch_change(watch, flow->from, events_of(streams, flow->from));
		if (flow->to >= 0)
			watch_change(watch, flow->to, events_of(streams, flow->to));
	}
}

static int poll_once(struct watch *watch, const struct streams *streams, int fd)
{
	watch_drop(watch, fd); /* two flows may share it */
	return watch_add(watch, fd, events_of(streams, fd));
}

static int open_flow(struct watch *watch, struct streams *streams, enum flow_name name, int from, int to)
{
	struct flow *flow = &streams->flows[name];
	int rc = flow_open(flow, from, to);

	if (rc < 0)
		return rc;
	flow->never_waits = name == FLOW_IN || to > 2;
	rc = poll_once(watch, streams, from);
	return rc < 0 ? rc : poll_once(watch, streams, to);
}

static void look_again(struct watch *watch, struct streams *streams)
{
	const bool is_in_background = streams->terminal.fd >= 0 && !streams->terminal.may_be_read;

	if (!is_in_background && !streams->is_screen_dark)
		return;
	if (streams->look >= 0) {
		sys_set_timer(streams->look, LOOK_NS);
		return;
	}
	streams->look = sys_timer(LOOK_NS);
	if (streams->look >= 0 && watch_add(watch, streams->look, POLLIN) < 0) {
		sys_close(streams->look);
		streams->look = -1;
	}
}

/* Where the screen is shown: the first terminal among output, error, input; else output. */
static int screen_of_caller(void)
{
	static const int order[] = { 1, 2, 0 };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (sys_is_terminal(order[i]) == 1)
			return order[i];
	return 1;
}

static int open_terminal(struct watch *watch, struct streams *streams, const struct step *step)
{
	const int master = watch->run->slots[SLOT_TERMINAL];
	const int screen = screen_of_caller();
	int rc, input;

	if (!step || master < 0)
		return step ? -EPROTO : 0;
	streams->master = master;
	rc = open_flow(watch, streams, FLOW_SCREEN, master, open_anew(streams, screen, screen ? O_WRONLY : O_RDWR));
	if (rc < 0 || !(step->flags & STEP_CONTROLS))
		return rc;
	input = open_anew(streams, 0, O_RDONLY);
	rc = open_flow(watch, streams, FLOW_IN, input, master);
	terminal_open(&streams->terminal, sys_is_terminal(input) == 1 ? input : -1, true);
	return rc;
}

static int open_pipes(struct watch *watch, struct streams *streams, const struct step *step)
{
	const int *near = watch->run->near_streams;
	int rc = 0;

	if (!step)
		return 0;
	streams->limit = step->number;
	if (near[0] >= 0) {
		int input = open_anew(streams, 0, O_RDONLY);

		rc = open_flow(watch, streams, FLOW_IN, input, near[0]);
		terminal_open(&streams->terminal, sys_is_terminal(input) == 1 ? input : -1, false);
	}
	for (int i = FLOW_OUT; rc == 0 && i <= FLOW_ERR; i++)
		if (near[i] >= 0)
			rc = open_flow(watch, streams, (enum flow_name)i, near[i], open_anew(streams, i, O_WRONLY));
	return rc;
}

static void close_far_ends(struct run *run)
{
	const bool is_one = run->far_streams[2] == run->far_streams[1];

	for (int i = 0; i < 3; i++) {
		if (run->far_streams[i] >= 0 && !(i == 2 && is_one))
			sys_close(run->far_streams[i]);
		run->far_streams[i] = -1;
	}
}

static int start(struct watch *watch, void *state, const struct step *step)
{
	struct streams *streams = state;

	(void)step;
	*streams = (struct streams){ .opened = { -1, -1, -1 }, .look = -1, .master = -1, .limit = NUMBER_NONE,
				     .terminal.fd = -1 };
	for (int i = 0; i < FLOWS; i++)
		streams->flows[i] = (struct flow){ .from = -1, .to = -1 };
	close_far_ends(watch->run);
	return 0;
}

static bool covers_output(const struct plan *plan)
{
	const struct step *pipes = plan_find(plan, OP_PIPES), *terminal = plan_find(plan, OP_TERMINAL);
	const uint64_t all = (pipes ? pipes->flags : 0) | (terminal ? terminal->flags : 0);

	return (all & 6) == 6;
}

/* Nothing is read of the caller before there is a program to read it. */
static void started(struct watch *watch, void *state)
{
	struct streams *streams = state;
	const struct plan *plan = watch->run->plan;
	const struct step *terminal = plan_find(plan, OP_TERMINAL);
	int rc = open_pipes(watch, streams, plan_find(plan, OP_PIPES));

	if (rc == 0)
		rc = open_terminal(watch, streams, terminal);
	if (rc < 0) {
		watch->result->output_errno = -rc;
		watch_end(watch, REASON_SIGNALED);
		return;
	}
	streams->is_measured = covers_output(plan);
	look_again(watch, streams);
	refresh(watch, streams);
}

/* Counts what was read; cuts off what is over the limit, and ends the jail for it. */
static void count(struct watch *watch, struct streams *streams, struct flow *flow, size_t size)
{
	const uint64_t left = streams->limit == NUMBER_NONE ? NUMBER_NONE : streams->limit - streams->passed;

	if (size <= left) {
		streams->passed += size;
		return;
	}
	flow_cut(flow, size - (size_t)left);
	streams->passed = streams->limit;
	watch_end(watch, REASON_OUTPUT);
}

/* The caller's input has ended: so does the program's, once it has read what is on its way. */
static void end_input(struct watch *watch, struct streams *streams)
{
	struct flow *flow = &streams->flows[FLOW_IN];

	watch_drop(watch, flow->from);
	flow->from = -1;
	if (streams->master < 0 && !flow_has_output(flow))
		close_pipe(watch, streams, FLOW_IN);
	else if (streams->master >= 0 && streams->terminal.fd >= 0)
		hang_up(watch, streams); /* it was a terminal, and is gone */
	else if (streams->master >= 0)
		flow_add(flow, END_OF_FILE);
}

static void read_input(struct watch *watch, struct streams *streams)
{
	struct terminal *terminal = &streams->terminal;
	ssize_t done;

	terminal_take(terminal);
	if (terminal->fd >= 0 && !terminal->may_be_read) {
		look_again(watch, streams);
		return;
	}
	done = flow_fill(&streams->flows[FLOW_IN], FLOW_ROOM);
	/* EIO is also what a terminal says to those in the background. */
	if (done > 0 || done == -EAGAIN || (done == -EIO && terminal->fd >= 0 && !sys_in_foreground(terminal->fd)))
		return;
	end_input(watch, streams);
}

/* Returns what flow_fill does. */
static ssize_t read_output(struct watch *watch, struct streams *streams, enum flow_name name)
{
	struct flow *flow = &streams->flows[name];
	ssize_t done = flow_fill(flow, FLOW_ROOM);

	if (done > 0) {
		count(watch, streams, flow, (size_t)done);
	} else if (done != -EAGAIN && name == FLOW_SCREEN) {
		streams->is_screen_dark = true;
		look_again(watch, streams);
	} else if (done != -EAGAIN) {
		watch_drop(watch, flow->from);
		flow->from = -1;
	}
	return done;
}

/* Returns what flow_empty does. */
static ssize_t write_some(struct watch *watch, struct streams *streams, enum flow_name name)
{
	struct flow *flow = &streams->flows[name];
	const bool is_terminal = name == FLOW_SCREEN || (name == FLOW_IN && streams->master >= 0);
	ssize_t done = flow_empty(flow);

	if (done >= 0 && name == FLOW_IN && flow->from < 0 && !flow_has_output(flow) && !is_terminal)
		close_pipe(watch, streams, name);
	if (done >= 0 || done == -EAGAIN)
		return done;
	if (name != FLOW_IN && done != -EPIPE)
		watch->result->output_errno = (int)-done;
	if (is_terminal)
		hang_up(watch, streams);
	else
		close_pipe(watch, streams, name);
	return done;
}

static void ready(struct watch *watch, void *state, int fd, short events)
{
	struct streams *streams = state;

	if (fd == streams->look) {
		watch_change(watch, fd, 0);
		streams->is_screen_dark = false;
		terminal_take(&streams->terminal);
		look_again(watch, streams);
	}
	for (int i = 0; i < FLOWS; i++) {
		struct flow *flow = &streams->flows[i];

		if (flow->to == fd && flow_has_output(flow) && events & (POLLOUT | POLLERR | POLLHUP))
			write_some(watch, streams, (enum flow_name)i);
		if (flow->from != fd || !(events_of(streams, fd) & POLLIN) || !(events & (POLLIN | POLLERR | POLLHUP)))
			continue;
		if (i == FLOW_IN)
			read_input(watch, streams);
		else
			read_output(watch, streams, (enum flow_name)i);
	}
	refresh(watch, streams);
}

static void hear_signal(struct watch *watch, void *state, int signal)
{
	struct streams *streams = state;

	if (signal == SIGWINCH && streams->master >= 0)
		sys_copy_window_size(screen_of_caller(), streams->master);
	if (signal == SIGTSTP)
		terminal_give_back(&streams->terminal);
	if (signal != SIGCONT)
		return;
	terminal_take(&streams->terminal);
	look_again(watch, streams);
	refresh(watch, streams);
}

/* Whether there is room for more now. A limit or a signal has ended the run: then a reader that takes nothing is left. */
static bool wait_for_reader(struct watch *watch, const struct flow *flow)
{
	struct pollfd ready[2] = { { .fd = flow->to, .events = POLLOUT }, { .fd = watch->run->signals, .events = POLLIN } };

	for (;;) {
		if (sys_wait_ready(ready, 2, watch->is_ending ? PATIENCE_MS : -1) <= 0)
			return false;
		if (ready[0].revents)
			return true;
		if (signals_interrupt(watch->run) < 0) {
			watch->run->interruption = 0; /* the program had its end */
			return false;
		}
	}
}

/* What is left in the pipes of the dead. Whoever outside holds the other end is not waited for, nor listened to for long. */
static void pass_last_words(struct watch *watch, struct streams *streams, enum flow_name name)
{
	struct flow *flow = &streams->flows[name];
	const uint64_t most = streams->passed + LAST_WORDS;
	bool is_more = true;

	while (flow_has_output(flow) || (is_more && flow_wants_input(flow))) {
		struct pollfd from = { .fd = flow->from, .events = POLLIN };

		if (is_more && flow_wants_input(flow))
			is_more = sys_wait_ready(&from, 1, name == FLOW_SCREEN ? LAST_WORDS_MS : 0) > 0 &&
				  read_output(watch, streams, name) > 0 && streams->passed < most &&
				  streams->passed < streams->limit;
		if (!flow_has_output(flow))
			continue;
		if (!wait_for_reader(watch, flow))
			return;
		write_some(watch, streams, name);
	}
}

static void finish(struct watch *watch, void *state)
{
	struct streams *streams = state;

	for (int i = FLOW_OUT; i < FLOWS; i++)
		pass_last_words(watch, streams, (enum flow_name)i);
	terminal_give_back(&streams->terminal);
	if (streams->is_measured)
		watch->result->output_bytes = streams->passed;
	for (int i = 0; i < FLOWS; i++)
		flow_close(&streams->flows[i]);
	for (int i = 0; i < 3; i++)
		if (streams->opened[i] >= 0)
			sys_close(streams->opened[i]);
	if (streams->look >= 0)
		sys_close(streams->look);
}

const struct source source_streams = {
	.name = "streams", .op = OPS, .size = sizeof(struct streams), .start = start, .started = started, .signal = hear_signal,
	.ready = ready, .finish = finish,
};
