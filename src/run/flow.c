/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes on their way from one descriptor to another. */
#include "run/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sys/file.h"
#include "sys/terminal.h"

/* Where a write could wait, poll(2) promises no more room than this: PIPE_BUF; pipe(7) */
enum { AT_A_TIME = 4096 };

int flow_open(struct flow *flow, int from, int to)
{
	*flow = (struct flow){ .from = from, .to = to, .room = malloc(FLOW_ROOM) };
	return flow->room ? 0 : -ENOMEM;
}

void flow_close(struct flow *flow)
{
	free(flow->room);
	*flow = (struct flow){ .from = -1, .to = -1 };
}

bool flow_wants_input(const struct flow *flow)
{
	return flow->room && flow->from >= 0 && flow->to >= 0 && flow->end < FLOW_ROOM;
}

bool flow_has_output(const struct flow *flow)
{
	return flow->room && flow->to >= 0 && flow->start < flow->end;
}

ssize_t flow_fill(struct flow *flow, size_t most)
{
	const size_t room = FLOW_ROOM - flow->end;
	ssize_t done = sys_read(flow->from, flow->room + flow->end, room < most ? room : most);

	if (done > 0)
		flow->end += (size_t)done;
	return done;
}

void flow_cut(struct flow *flow, size_t count)
{
	flow->end -= count;
}

void flow_add(struct flow *flow, char byte)
{
	if (flow->end < FLOW_ROOM)
		flow->room[flow->end++] = byte;
}

ssize_t flow_empty(struct flow *flow)
{
	size_t size = flow->end - flow->start;
	const char *bytes = flow->room + flow->start;
	long done = flow->never_waits ? sys_write(flow->to, bytes, size)
				      : sys_write_now(flow->to, bytes, size < AT_A_TIME ? size : AT_A_TIME);

	if (done < 0)
		return done;
	flow->start += (size_t)done;
	if (flow->start < flow->end && flow->end < FLOW_ROOM)
		return done;
	memmove(flow->room, flow->room + flow->start, flow->end - flow->start);
	flow->end -= flow->start;
	flow->start = 0;
	return done;
}
