/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One jail of a keeper, from the words that ask for it to its removal. Its run is the launcher's as ever (run/run.h), in pieces:
 * a member is started, served whenever one of its descriptors is ready, and ended; it never waits, so that the others do not.
 *
 *	STARTING   init has the baton or is about to execute the program
 *	RUNNING, PAUSED
 *	ENDED      nothing of it lives; its status and logs stay until it is removed
 *	REMOVED    nobody finds it any more; its scroll-back stays for those who are still reading
 */
#ifndef IMMURE_JAILS_MEMBER_H
#define IMMURE_JAILS_MEMBER_H

#include "base/text.h"
#include "jails/health.h"
#include "jails/kept.h"
#include "jails/log.h"
#include "jails/output.h"
#include "jails/protocol.h"
#include "jails/ring.h"
#include "jails/state.h"

enum member_state { MEMBER_STARTING, MEMBER_RUNNING, MEMBER_PAUSED, MEMBER_ENDED, MEMBER_REMOVED };

/* How it was stopped: by the group, or each process by a signal. */
enum pause_way { PAUSE_NONE, PAUSE_GROUP, PAUSE_FREEZER, PAUSE_SIGNALS };

struct member;
struct common;
/* "start", "exit", "oom", "freeze", "thaw", "log-lost", "health". */
typedef void member_event(struct member *member, const char *event);

struct member {
	struct member *next;
	void *keeper;
	member_event *tell;      /* an event that others may want to know of */
	char name[PACKET_NAME];
	const char *pod;
	enum member_state state;
	enum pause_way pause;
	bool was_started;        /* the program was executed */
	bool is_cut_short;       /* it was killed before that */
	bool is_stopping;        /* it was asked to end when its pod was */
	bool goes_at_end;        /* it is removed when it ends */
	bool attaches_starter;
	unsigned stop_signal;
	int folder;              /* its own in the state; -1: none */

	struct kept kept;        /* the timer: the grace of a stop, and the patience behind a removal */
	struct host host;
	int exit_code;           /* ENDED */
	uint64_t started_ns, ended_ns; /* since 1970 */

	struct health *health;   /* NULL: nobody looks */
	struct output output;
	struct ring ring;
	struct log log;
	bool has_log;
	bool lost_scrollback;    /* there was no memory for it */

	/* the keeper's notes */
	bool is_start_told, is_end_told;
};

struct member_request {
	const struct packet_run *packet;
	const char *pod;
	int words;               /* a descriptor of the spec's words */
	const struct state *state;
	const struct common *common; /* what it shares with the others */
	scope_starter *start_scope; /* NULL: this build cannot */
	void *keeper;
	member_event *tell;
};

/* The words in the file that FD is open on. */
int member_read_words(struct spec *spec, int fd, struct error *err) MUST_CHECK;

/* Plans it, takes its name and begins its set-up. NULL: ERR says why, and nothing is left of it. */
struct member *member_start(const struct member_request *request, struct error *err);
/* What was polled for its run, handed back. */
void member_serve(struct member *member, const struct pollfd *polled, unsigned count);
/* What it wrote: to the log and to the scroll-back. */
void member_hear(struct member *member, unsigned stream, const char *bytes, size_t size);

bool member_lives(const struct member *member);
void member_signal(struct member *member, int signal);
/* Asks it to end, and kills it when the time is over. */
int member_stop(struct member *member, uint64_t grace_ms) MUST_CHECK;
void member_kill(struct member *member);
int member_pause(struct member *member) MUST_CHECK;
int member_resume(struct member *member) MUST_CHECK;
/* How member_pause will try it first. */
enum pause_way member_pause_way(const struct member *member);

/* A JSON object without line ends; and the same in the file state.json, replaced whole. */
void member_print_state(const struct member *member, struct text *out);
int member_write_state(const struct member *member);
const char *member_state_name(enum member_state state);
/* Its folder and its name go. A failure leaves them to be removed by name. */
void member_remove_files(struct member *member, const struct state *state);
void member_free(struct member *member);

#endif
