/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Those who talk to a keeper, each over a socket of its own. None is ever waited for: what a client does not take at once is
 * queued, at most CLIENT_LETTERS packets; then it is dropped. A jail's output is not queued but read from its ring when the
 * client has room, so a slow one loses the oldest, and is told how much.
 *
 * The owner polls what clients_poll names, and calls clients_accept, client_hear and client_flush for what is ready. A client
 * that is over stays in the table until clients_sweep, so that no handler finds one gone.
 */
#ifndef IMMURE_JAILS_CLIENTS_H
#define IMMURE_JAILS_CLIENTS_H

#include <poll.h>

#include "jails/protocol.h"
#include "jails/ring.h"

enum { CLIENTS = 64, CLIENT_LETTERS = 32 };

struct letter; /* a packet that waits */

struct client {
	int socket;
	struct sys_peer peer;
	enum talk talk;
	void *subject;            /* the jail that its talk is about; the owner's */
	bool is_over;             /* gone, or dropped */
	bool is_leaving;          /* dropped once all that waits for it has gone */
	uint64_t greeted_ns;      /* when it did; its answer goes before anything else. 0: it has that */
	enum packet_type question; /* WAITING: what it asked */
	bool may_write;           /* ATTACHED: its input is the jail's */
	bool waits_for_names;     /* and until then with what it says next */
	bool is_held;             /* what it says next is not wanted yet */
	uint16_t rows, columns;   /* ATTACHED: of its screen; 0: none */
	const struct ring *ring;  /* ATTACHED: what it reads; NULL: nothing */
	uint64_t at, lost;        /* its place there; what it missed and has not been told of */
	struct letter *first, **last; /* waiting; no output goes before these */
	struct letter *farewell;  /* goes behind all output; NULL: none */
	unsigned waiting;
};

struct clients {
	int listener;             /* the owner's */
	uid_t uid;                /* whose clients are welcome, beside root's */
	bool is_short;            /* there were no descriptors or memory for the next; whoever waits at the door is looked at again later */
	unsigned count;
	struct client *client[CLIENTS];
};

void clients_open(struct clients *clients, int listener, uid_t uid);
/* Names the descriptors to poll: the listener first, then each client in its order in the table. Their number; FDS holds 1 + CLIENTS. */
unsigned clients_poll(const struct clients *clients, struct pollfd *fds);
/* Takes in whoever is at the door. */
void clients_accept(struct clients *clients);
/* Lets go of those that are over, with a last call for each. */
void clients_sweep(struct clients *clients, void (*gone)(void *argument, struct client *client), void *argument);
void clients_close(struct clients *clients);

/* The next packet of CLIENT that it is permitted to send: 1, its descriptors are the caller's. 0: nothing more now; or it is over. */
int client_hear(struct client *client, struct packet *packet);
/* Answers its greeting, if that is owed. */
void client_greet(struct client *client);
/* Sends, or queues; its descriptors are duplicated where they have to wait. A client that is full is over. */
void client_post(struct client *client, const struct packet_parts *parts);
/* The same, but behind all output that its ring holds when it gets there; then its talk is READY again. */
void client_part(struct client *client, const struct packet_parts *parts);
/* Sends what waits, then output, as far as it goes. */
void client_flush(struct client *client);
/* Whether something waits for it. */
bool client_is_behind(const struct client *client);
void client_drop(struct client *client);

#endif
