/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Visits to a jail: a program that a client executes in it beside its own, or a file that is fetched or brought. Each is a run of
 * its own (run/run.h) by a plan of feature/enter.h, served beside the members and waiting for nobody. A program ends with the
 * client that asked for it, unless that said otherwise, and at the latest with the jail.
 */
#ifndef IMMURE_JAILS_VISIT_H
#define IMMURE_JAILS_VISIT_H

#include "jails/keeper.h"

enum visit_kind {
	VISIT_FILE,
	VISIT_PROGRAM,
	VISIT_CHECK,             /* a program as well, of the jail's health: nobody asked */
	VISIT_WAITING,           /* waiting.h: nobody has come for it yet; then it is a program */
};

struct visit {
	enum visit_kind kind;
	struct visit *next;
	struct member *member;
	struct client *client;   /* who asked; NULL: gone, or told all */
	bool has_waited;         /* for whoever came */
	struct room *room;       /* what its helper is told by; NULL: it was borne for the one who asked */
	bool is_left_alone;      /* it goes on when the client is gone */
	bool is_start_told;
	bool is_late;            /* it took too long on its way in; or nobody came for it, and it was told to end */
	struct spec request;     /* what the client said */
	struct host host;        /* the jail's, with who the visitor is */
	struct kept kept;        /* its spec: the jail's, with that. The timer: until it is in, or is to be looked at again */
};

/* PACKET_EXEC and PACKET_OPEN: begins it; the client is answered when there is something to say, or now that it failed. */
void visit_exec(struct keeper *keeper, struct client *client, struct member *member, const struct packet *packet);
void visit_open(struct keeper *keeper, struct client *client, struct member *member, const struct packet *packet);

/* The command of MEMBER's health, with these STREAMS, which stay the caller's; its end is told by health_take_end. What fails at once is
 * told by ERR and *EXIT_CODE. */
int visit_check(struct keeper *keeper, struct member *member, const int streams[3], int *exit_code, struct error *err) MUST_CHECK;

/* What was polled, handed back; what follows from it is told. One that is over is freed by visits_sweep. */
void visit_serve(struct visit *visit, const struct pollfd *polled, unsigned count);
void visits_sweep(struct keeper *keeper);
/* All are ended, and waited for. */
void visits_close(struct keeper *keeper);

/* For waiting.c. One that is free belongs to nobody's list. */
struct visit *visit_new(struct member *member, struct client *client);
void visit_free(struct visit *visit);
void waiting_close(struct visit *visit);
/* PACKET_EXEC with three descriptors for the program. */
bool visit_brings_streams(const struct packet *packet);
/* The jail's spec with what PACKET asks; the words of both outlive the packet. */
int visit_make_spec(struct visit *visit, const struct packet *packet) MUST_CHECK;

void visit_signal(struct visit *visit, int signal);
/* The visit that CLIENT asked for and waits for; NULL: none. */
struct visit *visit_of(const struct keeper *keeper, const struct client *client);
/* CLIENT is gone. */
void visits_forget(struct keeper *keeper, const struct client *client);
/* The jail has ended, and with it whoever is in it. */
void visits_end(struct keeper *keeper, const struct member *member);
bool visits_have(const struct keeper *keeper, const struct member *member);

#endif
