/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a jail is, by a command that its keeper runs in it from time to time (--health): a visit like any other, confined as the jail's
 * program, that nobody asked for. There is one at a time; it is killed, with all of its process group, when it takes too long and
 * when the jail ends; one that met a pause tells nothing. What it wrote last is kept, and nothing but that.
 */
#ifndef IMMURE_JAILS_HEALTH_H
#define IMMURE_JAILS_HEALTH_H

#include "jails/clients.h"
#include "run/watch.h"

struct keeper;
struct member;
struct visit;

enum { HEALTH_TEXT = 4096 };
enum health_status { HEALTH_STARTING, HEALTH_GOOD, HEALTH_BAD };

/* The end of what was written. */
struct last_words {
	char bytes[HEALTH_TEXT];
	size_t used;
};

struct health {
	char **command;
	enum health_status status;
	int timer;               /* until the next check; -1: the program does not run */
	int pipe;                /* what the check at hand writes; -1: nothing more */
	bool is_due, is_checking;
	bool is_void;            /* the jail was paused while it was checked */
	bool has_news;           /* for those who wait for its health */
	uint64_t checks, failures; /* all; and those that failed since one succeeded */
	uint64_t checked_ns;     /* when the last one ended, since 1970; 0: none has */
	int exit_code;           /* its own; 124: it took too long; 125 and others: it could not be made */
	struct last_words heard, said; /* of the check at hand, of the last one */
};

/* NULL in MEMBER where none is asked for. 0 or -errno. */
int health_open(struct member *member, struct error *err) MUST_CHECK;
void health_free(struct member *member);

/* Begins the checks that are due; tells those who wait. */
void health_go_on(struct keeper *keeper);
/* Its check, VISIT, is over. EXIT_CODE: its own, where ERR is NULL. */
void health_take_end(struct visit *visit, int exit_code, const struct error *err);

/* Answers CLIENT, who waits for it to be healthy, if that can be said. */
void health_answer(struct client *client, const struct member *member);
/* Members of its state's JSON; nothing where nobody looks. */
void health_print(const struct member *member, struct text *out);
/* What the last check wrote, as a member of its own. */
void health_print_words(const struct member *member, struct text *out);
const char *health_name(enum health_status status);

extern const struct source source_health; /* of a member: the timer */
extern const struct source source_check;  /* of a visit: what a check writes */

#endif
