/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/api only: a jail that stays, and the talk with its keeper. */
#ifndef IMMURE_API_JAIL_H
#define IMMURE_API_JAIL_H

#include "api/api.h"
#include "jails/client.h"
#include "jails/state.h"

/* What a talk with the keeper is good for. */
enum talk_use {
	USE_ASK,
	USE_GREET,  /* the greeting is still to come, with the first question */
	USE_ATTACH, /* it is attached already: the keeper was asked for that with the start */
	USE_NONE,   /* nobody listens to what is still said in it: the next question begins another */
};

struct immure_jail {
	struct state state;
	char name[NAME_ROOM], pod[NAME_ROOM];
	int folder;           /* pods/POD */
	int talk;             /* with the keeper; -1: it is dead */
	enum talk_use use;
	int64_t patience_ms;  /* with an answer; -1: without end */
	bool has_terminal;    /* known for one that was started here */
	struct packet packet; /* what was heard last */
};

/* Opens what is on disk. -ENOMEM, or as state_open. */
int open_state(struct state *state, struct error *err) MUST_CHECK;
/* A jail that is nowhere yet; NULL: no memory. */
struct immure_jail *jail_new(void);
/* The talk with the keeper of JAIL's pod, whose folder is open. -ECONNREFUSED, -ENOENT: there is none. */
int jail_connect(struct immure_jail *jail, struct error *err) MUST_CHECK;
/* Hears what the keeper says to the greeting, for who must know now whether it is there. */
void jail_settle(struct immure_jail *jail);
/* Hears the answer to PARTS; the story of a refusal is the keeper's, with its exit code. Descriptors in JAIL's packet are the caller's. */
int jail_ask(struct immure_jail *jail, const struct packet_parts *parts, struct immure_error *out) MUST_CHECK;
/* The same for an answer that was heard already: RC and ERR are keeper_listen's. */
int tell_reply(struct immure_error *out, const struct packet *packet, const struct error *err, int rc);
/* Fails for one whose keeper is dead. */
int needs_keeper(const struct immure_jail *jail, struct error *err) MUST_CHECK;
/* A file in memory that holds the words of SPEC, resolved. */
int write_words(struct immure_spec *spec, struct error *err);
/* Takes the name of POD and starts its keeper. The pod's folder, or -errno with ERR told and the name free. */
int start_keeper(const struct state *state, const char *pod, bool needs_full, struct error *err);
/* RC came of asking it. If that says that it is dead, what it had taken is free again, and OUT says so. */
int bury_keeper(const struct state *state, const char *pod, int rc, struct immure_error *out);
/* As immure_jails. */
int see_jails(const char *name, int (*see)(void *argument, const struct immure_jail_info *info), void *argument, struct error *err) MUST_CHECK;
/* -ENOENT with the nearest name. */
int refuse_unknown(const struct state *state, const char *name, struct error *err);
void fill_name(char to[PACKET_NAME], const char *name);

#endif
