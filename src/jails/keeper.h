/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper: one process for each pod, with no terminal and nobody's environment, that runs the pod's jails as their launcher,
 * keeps what they write, and does what clients ask over its socket. It waits for nobody but poll(2). It ends when its last jail is
 * removed, or, asked by SIGTERM, when all have ended. However it ends, its jails end with it.
 *
 * Who starts it has taken the pod's name, and hands over its folder, lock and socket (state.h); the keeper takes the names of
 * jails, and gives all back when they are removed, and at last when the pod is.
 */
#ifndef IMMURE_JAILS_KEEPER_H
#define IMMURE_JAILS_KEEPER_H

#include "jails/clients.h"
#include "jails/common.h"
#include "jails/member.h"
#include "jails/state.h"

struct visit;

/* What is handed over to the keeper at its start. */
enum { KEEPER_LISTENER = 3, KEEPER_LOCK = 4, KEEPER_FOLDER = 5, KEEPER_FIRST_FREE = 6 };

struct keeper {
	const char *pod;
	struct state state;
	int names;               /* the lock on names, held to the end of a turn; -1: not held */
	int names_timer;         /* somebody else has it: it is tried again; -1: nothing waits for it */
	uint64_t names_since_ns; /* so long; 0: it was free */
	int signals;
	int timer;               /* for the first jail to come, and for the last clients to read; -1: none is set */
	bool has_kept;           /* there was a jail */
	bool is_lasting;         /* the pod was made by itself: it stays without a jail */
	bool is_removed;         /* nothing is on disk any more */
	bool is_asked_to_end;
	bool is_late;            /* the timer has fired */
	bool has_dead_children;  /* a child has died since they were looked through */
	bool has_strays;         /* more of them than were reaped in this turn */
	unsigned failed_turns;   /* one after the other */
	scope_starter *start_scope;
	struct clients clients;
	struct common common;    /* what they share */
	struct member *members;  /* in the order of their start */
	struct visit *visits;    /* programs and hands in them, besides their own */
	struct sys_rest rest;
	struct pollfd *polled;
	unsigned polled_room;
	struct packet packet;    /* the one that is being heard */
};

/* The whole life; returns the exit code. POD and the descriptors KEEPER_* were checked by nobody yet. */
int keeper_live(const char *pod, scope_starter *start_scope);

/*
 * Reaps children that nobody here has borne: a program that is executed in a jail is the keeper's child, and so is what it bears by
 * CLONE_PARENT. Until they are reaped the jail's PID namespace cannot end. pid_namespaces(7)
 */
void strays_reap(struct keeper *keeper);

/* For requests.c: does what PACKET asks, and answers. */
void keeper_hear(struct keeper *keeper, struct client *client, struct packet *packet);
/* The jail of that name; "": the only one. NULL: there is none. */
struct member *keeper_find(const struct keeper *keeper, const char *name);
/* The next from *AT on of those that wait for an answer to QUESTION about MEMBER; NULL: about the pod. NULL: there is none. */
struct client *keeper_next_waiting(const struct keeper *keeper, const struct member *member, enum packet_type question, unsigned *at);
/* The smallest screen of those attached to MEMBER is the one that its terminal shows. */
void keeper_fit_screen(const struct keeper *keeper, struct member *member);
void keeper_tell_event(struct member *member, const char *event);
/*
 * Whether names may be taken and given back in this turn. Others hold their lock as well, be it for seconds: what needs it then
 * waits for a later turn, while everything else goes on. After too long it is true, and what is done without the lock fails.
 */
bool keeper_has_names(struct keeper *keeper);
/* Frees the pod's name when there is nothing to be kept: before somebody is told, who may then try again. */
void keeper_give_up(struct keeper *keeper);
/* Takes it out of everybody's sight, and its files away. It has ended. */
void keeper_remove(struct keeper *keeper, struct member *member);
/* Its name is free and its folder gone; where that fails it is as if the keeper had died. */
int keeper_remove_pod(struct keeper *keeper, struct error *err) MUST_CHECK;
/* From now on CLIENT, whose screen has SIZE, reads what MEMBER writes. */
void keeper_attach(const struct keeper *keeper, struct client *client, struct member *member, const struct packet_attach *how);
void answer_ok(struct client *client);
void answer_error(struct client *client, const struct error *err, int exit_code);
/* Says how it ended, to one who asked for that. */
void answer_end(struct client *client, const struct member *member);

#endif
