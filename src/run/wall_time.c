/* SPDX-License-Identifier: Apache-2.0 */
/* --wall-time: the launcher's own clock, out of the jail's reach. Set-up counts once, the program from its exec. */
#include <poll.h>

#include "run/watch.h"
#include "sys/file.h"
#include "sys/process.h"

struct clock {
	int timer;
	uint64_t nanoseconds;
};

static int start(struct watch *watch, void *state, const struct step *step)
{
	struct clock *clock = state;

	clock->nanoseconds = step->number;
	clock->timer = sys_timer(step->number);
	return clock->timer < 0 ? clock->timer : watch_add(watch, clock->timer, POLLIN);
}

static void started(struct watch *watch, void *state)
{
	struct clock *clock = state;

	(void)watch;
	sys_set_timer(clock->timer, clock->nanoseconds);
}

static void ready(struct watch *watch, void *state, int fd, short events)
{
	(void)state;
	(void)events;
	watch_drop(watch, fd);
	watch_end(watch, REASON_WALL_TIME);
}

static void finish(struct watch *watch, void *state)
{
	struct clock *clock = state;

	(void)watch;
	if (clock->timer >= 0)
		sys_close(clock->timer);
}

const struct source source_wall_time = {
	.name = "wall-time", .op = OP_WALL_TIME, .size = sizeof(struct clock),
	.start = start, .started = started, .ready = ready, .finish = finish,
};
