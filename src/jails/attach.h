/* SPDX-License-Identifier: Apache-2.0 */
/* A client that is attached to a jail: what the jail writes goes to its standard output and error, what is typed goes to the jail. */
#ifndef IMMURE_JAILS_ATTACH_H
#define IMMURE_JAILS_ATTACH_H

#include "jails/front.h"
#include "jails/protocol.h"

struct attachment {
	int talk;               /* with the keeper, attached */
	bool ends_input;        /* the end of standard input is told */
	/* Called with a signal for the program. */
	void (*pass)(void *argument, int signal);
	void *argument;
	/* how it ended: */
	bool has_ended;         /* the jail has; otherwise the talk only */
	struct packet_ended end;
	uint64_t lost;          /* bytes of output that were dropped, since they were not read fast enough */
};

/* Until the jail ends or FRONT leaves. 0; -EPIPE: the keeper is gone. */
int attach_serve(struct attachment *attachment, struct front *front) MUST_CHECK;

#endif
