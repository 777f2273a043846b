/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes on their way from one descriptor to another, at most FLOW_ROOM at a time: who writes faster than is read has to wait. */
#ifndef IMMURE_RUN_FLOW_H
#define IMMURE_RUN_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { FLOW_ROOM = 65536 };

struct flow {
	int from, to;       /* the caller's; -1: that end is over */
	bool never_waits;   /* TO is non-blocking */
	char *room;         /* NULL: the flow does not exist */
	size_t start, end;  /* what is on its way */
};

/* -ENOMEM; flow_close must follow. */
int flow_open(struct flow *flow, int from, int to);
void flow_close(struct flow *flow);

bool flow_wants_input(const struct flow *flow);
bool flow_has_output(const struct flow *flow);

/* Reads what there is, at most MOST bytes. Their number; 0: FROM has ended; -EAGAIN: nothing now; -errno. Never waits when poll
 * has said that there is something. */
ssize_t flow_fill(struct flow *flow, size_t most);
/* The last COUNT bytes that were read are not to be passed on. */
void flow_cut(struct flow *flow, size_t count);
/* Adds one byte if there is room. */
void flow_add(struct flow *flow, char byte);
/* Writes what goes. Bytes; -EAGAIN: nothing goes now; -errno: nothing ever will. */
ssize_t flow_empty(struct flow *flow);

#endif
