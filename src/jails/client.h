/* SPDX-License-Identifier: Apache-2.0 */
/* A client's side of the talk with a keeper: it starts one, connects, asks, and is answered. It may wait; the keeper never does. */
#ifndef IMMURE_JAILS_CLIENT_H
#define IMMURE_JAILS_CLIENT_H

#include "jails/protocol.h"
#include "plan/plan.h"

/*
 * A keeper answers at once, for it waits for nobody; one that is stopped, or whose starter is, never does. Who asks one waits for
 * the greeting so long, and who looks at many for each answer so long; in milliseconds. A keeper that is on its way, but gets no
 * processor or waits for a disk, is not taken for silent before the longer of the two is over.
 */
enum { KEEPER_PATIENCE_MS = 15000, KEEPER_LOOK_MS = 2000 };

/* Connects to the keeper of the pod whose FOLDER is open, and greets it. A socket, or -errno: -ECONNREFUSED, -ENOENT: there is none;
 * -ETIMEDOUT: it does not answer. */
int keeper_connect(int folder, int patience_ms, struct error *err) MUST_CHECK;
/* The same in pieces, so that a question can follow the greeting at once, before what the keeper says to that is heard. PATH: of the
 * keeper's socket, which is the shorter way to it; "": not known. */
int keeper_call(int folder, const char *path, struct error *err) MUST_CHECK;
int keeper_greet(int socket, int folder) MUST_CHECK; /* -ENOENT: the pod is just being removed */
/* What the keeper of another version says is an error, and the question was not heard. */
int keeper_greeted(int socket, int patience_ms, struct packet *reply, struct error *err) MUST_CHECK;

/* The next packet of the keeper's: 0; -EPIPE: the keeper is gone. Where it is an error, that is told in ERR and returned. */
int keeper_listen(int socket, struct packet *packet, struct error *err) MUST_CHECK;
/* Sends QUESTION, waiting for room, and hears the answer, as keeper_listen. */
int keeper_ask(int socket, const struct packet_parts *question, struct packet *reply, struct error *err) MUST_CHECK;
/* The same for what is answered at once. -ETIMEDOUT: it was not, and what comes later on SOCKET cannot be told from another answer. */
int keeper_look(int socket, const struct packet_parts *question, struct packet *reply, struct error *err) MUST_CHECK;

/* What a new keeper gets: the caller keeps its own. */
struct keeper_start {
	const char *pod;
	int listener, lock, folder; /* the socket, bound; the locked file; pods/POD */
	bool needs_full;            /* the small executable cannot do what is asked (-ENOTSUP) */
};

/*
 * Starts a keeper: the small executable beside the one that runs, or where it is installed; else the full one. It has a session of
 * its own, nothing but what START names, an empty environment, and no parent that waits for it. 0: it was executed; what it is to
 * run is said over the socket.
 */
int keeper_start(const struct keeper_start *start, struct error *err) MUST_CHECK;

#endif
