/* SPDX-License-Identifier: Apache-2.0 */
/* A client whose program runs in a jail beside the jail's own: what the program cannot have directly, the caller's terminal, is relayed. */
#ifndef IMMURE_JAILS_RELAY_H
#define IMMURE_JAILS_RELAY_H

#include "jails/front.h"
#include "jails/protocol.h"

struct relay {
	int talk;               /* with the keeper, which executes the program */
	int master;             /* of the program's terminal; -1: it has none */
	int pipes[3];           /* ends of pipes in the places of 0, 1, 2; -1: the program has the caller's own. The relay closes them */
	/* how it ended: */
	bool has_ended;
	struct packet_ended end;
};

/* Until the program ends or FRONT leaves. PACKET: room; where the answer is an error (PACKET_ERROR) it is there, and its errno
 * returned. -EPIPE: the keeper is gone. */
int relay_serve(struct relay *relay, struct front *front, struct packet *packet) MUST_CHECK;

#endif
