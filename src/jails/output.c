/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what a jail writes, and writing what it reads. */
#include "jails/output.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/number.h"
#include "jails/member.h"
#include "sys/process.h"
#include "sys/terminal.h"

/* A turn is short, so that those who read the output get theirs before it is overwritten. */
enum { AT_A_TIME = 16 << 10, LOOK_NS = 250000000, END_OF_FILE = 4, LAST_WORDS = 4 << 20 /* more than pipes hold; pipe(7) */ };

static struct output *output_of(const struct watch *watch)
{
	return &((struct member *)watch->owner)->output;
}

static void close_far_ends(struct run *run)
{
	if (run->far_streams[2] == run->far_streams[1])
		run->far_streams[2] = -1;
	for (int i = 0; i < 3; i++) {
		if (run->far_streams[i] >= 0)
			sys_close(run->far_streams[i]);
		run->far_streams[i] = -1;
	}
}

static int start(struct watch *watch, void *state, const struct step *step)
{
	struct output *output = output_of(watch);

	(void)state;
	(void)step;
	output->from[0] = output->from[1] = output->from[2] = -1;
	output->to = output->look = -1;
	output->limit = NUMBER_NONE;
	close_far_ends(watch->run);
	return 0;
}

static void poll_terminal(struct watch *watch, struct output *output)
{
	short events = (short)((output->is_dark ? 0 : POLLIN) | (output->end ? POLLOUT : 0));

	watch_change(watch, output->to, events);
}

static int open_terminal(struct watch *watch, struct output *output)
{
	const int master = watch->run->slots[SLOT_TERMINAL];

	if (master < 0)
		return -EPROTO;
	output->is_terminal = true;
	output->from[1] = output->to = master;
	if (output->rows)
		sys_set_window_size(master, output->rows, output->columns);
	return watch_add(watch, master, POLLIN);
}

static int open_pipes(struct watch *watch, struct output *output, const struct step *step)
{
	const int *near = watch->run->near_streams;
	int rc = 0;

	output->limit = step->number;
	output->to = near[0];
	if (near[0] >= 0)
		rc = watch_add(watch, near[0], 0);
	for (int i = 1; rc == 0 && i < 3; i++) {
		output->from[i] = near[i];
		if (near[i] >= 0)
			rc = watch_add(watch, near[i], POLLIN);
	}
	return rc;
}

static void started(struct watch *watch, void *state)
{
	const struct step *pipes = plan_find(watch->run->plan, OP_PIPES), *terminal = plan_find(watch->run->plan, OP_TERMINAL);
	struct output *output = output_of(watch);
	int rc = terminal ? open_terminal(watch, output) : pipes ? open_pipes(watch, output, pipes) : 0;

	(void)state;
	if (rc == 0)
		return;
	watch->result->output_errno = -rc;
	watch_end(watch, REASON_SIGNALED);
}

/* Its descriptor is the run's, and closed with it or here. */
static void close_pipe(struct watch *watch, int stream)
{
	int *near = &watch->run->near_streams[stream];

	watch_drop(watch, *near);
	sys_close(*near);
	*near = -1;
}

/* Nobody has the terminal open: its master would poll ready for ever. */
static void wait_for_light(struct watch *watch, struct output *output)
{
	output->is_dark = true;
	poll_terminal(watch, output);
	if (output->look >= 0) {
		sys_set_timer(output->look, LOOK_NS);
		return;
	}
	output->look = sys_timer(LOOK_NS);
	if (output->look >= 0 && watch_add(watch, output->look, POLLIN) < 0)
		sys_auto_close(&output->look);
}

/* Bytes that were read; 0 or negative: nothing now, or never again. */
static ssize_t read_some(struct watch *watch, struct output *output, int stream)
{
	const uint64_t left = output->limit == NUMBER_NONE ? NUMBER_NONE : output->limit - output->passed;
	char bytes[AT_A_TIME];
	ssize_t size = sys_read(output->from[stream], bytes, sizeof(bytes));

	if (size <= 0)
		return size;
	if ((uint64_t)size > left)
		watch_end(watch, REASON_OUTPUT);
	output->passed += (uint64_t)size > left ? left : (uint64_t)size;
	member_hear(watch->owner, (unsigned)stream, bytes, (uint64_t)size > left ? (size_t)left : (size_t)size);
	return size;
}

static void read_stream(struct watch *watch, struct output *output, int stream)
{
	ssize_t size = read_some(watch, output, stream);

	if (size > 0 || size == -EAGAIN)
		return;
	if (output->is_terminal) {
		wait_for_light(watch, output);
		return;
	}
	close_pipe(watch, stream);
	output->from[stream] = -1;
}

static void forget_input(struct output *output)
{
	free(output->waiting);
	output->waiting = NULL;
	output->start = output->end = 0;
}

/* The program reads no more, or nothing more will come. A terminal stays: it is where the output comes from. */
static void close_input(struct watch *watch, struct output *output)
{
	forget_input(output);
	if (output->is_terminal || output->to < 0)
		return;
	close_pipe(watch, 0);
	output->to = -1;
}

static void write_some(struct watch *watch, struct output *output)
{
	ssize_t done = sys_write(output->to, output->waiting + output->start, output->end - output->start);

	if (done == -EAGAIN)
		return;
	if (done < 0) {
		close_input(watch, output);
		return;
	}
	output->start += (size_t)done;
	if (output->start < output->end)
		return;
	forget_input(output);
	if (output->ends_input)
		close_input(watch, output);
}

static void ready(struct watch *watch, void *state, int fd, short events)
{
	struct output *output = output_of(watch);

	(void)state;
	if (fd == output->look) {
		watch_change(watch, fd, 0);
		output->is_dark = false;
		poll_terminal(watch, output);
		return;
	}
	if (fd == output->to && output->end && events & (POLLOUT | POLLERR | POLLHUP))
		write_some(watch, output);
	else if (fd == output->to && !output->is_terminal && events & (POLLERR | POLLHUP))
		close_input(watch, output);
	for (int i = 1; i < 3; i++)
		if (fd == output->from[i] && events & (POLLIN | POLLERR | POLLHUP))
			read_stream(watch, output, i);
	if (output->to >= 0 && output->is_terminal)
		poll_terminal(watch, output);
	else if (output->to >= 0)
		watch_change(watch, output->to, output->end ? POLLOUT : 0);
}

/* All in the jail are dead: what is in the pipes is all there will be, though somebody outside may hold an end open and write on. */
static void finish(struct watch *watch, void *state)
{
	struct output *output = output_of(watch);
	const uint64_t most = output->passed + LAST_WORDS;

	(void)state;
	for (int i = 1; i < 3; i++)
		while (output->from[i] >= 0 && output->passed < most && output->passed < output->limit &&
		       read_some(watch, output, i) > 0)
			;
	watch->result->output_bytes = output->passed;
	forget_input(output);
	output->from[1] = output->from[2] = output->to = -1; /* the run closes them */
	sys_auto_close(&output->look);
}

const struct source source_output = { .name = "output", .op = OPS, .start = start, .started = started, .ready = ready, .finish = finish };

bool output_has_waiting(const struct member *member)
{
	return member->output.end > 0;
}

void output_type(struct member *member, const char *bytes, size_t size)
{
	static const char end_of_file = END_OF_FILE;
	struct output *output = &member->output;

	if (output->to < 0 || output->end)
		return;
	if (!size && !output->is_terminal) {
		close_input(&member->kept.watch, output);
		return;
	}
	if (!size) {
		bytes = &end_of_file;
		size = 1;
	}
	output->waiting = malloc(size);
	if (!output->waiting)
		return;
	memcpy(output->waiting, bytes, size);
	output->end = size;
	write_some(&member->kept.watch, output);
	if (output->to >= 0 && output->is_terminal)
		poll_terminal(&member->kept.watch, output);
	else if (output->to >= 0)
		watch_change(&member->kept.watch, output->to, output->end ? POLLOUT : 0);
}

void output_resize(struct member *member, unsigned rows, unsigned columns)
{
	struct output *output = &member->output;

	if (!rows || !columns || (rows == output->rows && columns == output->columns))
		return;
	output->rows = (uint16_t)rows;
	output->columns = (uint16_t)columns;
	if (output->is_terminal && output->to >= 0)
		sys_set_window_size(output->to, rows, columns);
}
