/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/compat only: the command line of capejail, a launcher for secure enclaves, in immure's words. */
#ifndef IMMURE_COMPAT_CAPEJAIL_H
#define IMMURE_COMPAT_CAPEJAIL_H

#include <stdbool.h>

#include "immure.h"

/* What the words say that no setting holds by itself. */
struct capejail {
	struct immure_spec *spec;
	const char *user;      /* -u; NULL: an id that nobody has */
	bool has_root;         /* -r */
	bool has_prompt;       /* -e PS1=... */
	bool is_unfiltered;    /* -I */
	bool wants_help;       /* -h; nothing else is done */
};

/* A row is all that the reader, the help and the completion know of an option. Ended by a row without a letter. */
struct capejail_option {
	char letter;
	const char *metavar;     /* NULL: it takes no value */
	const char *key, *value; /* what it sets; VALUE NULL: the word's */
	int (*note)(struct capejail *jail, const char *value, struct immure_error *err); /* done first; NULL: nothing */
	const char *help;
};
extern const struct capejail_option capejail_options[];

/* Reads the words that are options into JAIL and its spec, up to "--" or the first that is none. Returns how many they were,
 * or -1 with ERR filled. */
int capejail_read(struct capejail *jail, int count, char *const words[], struct immure_error *err);
/* Sets what goes with what was read. 0, or -1 with ERR filled. */
int capejail_settle(struct capejail *jail, struct immure_error *err);
/* Whether -u names the host's root: by name, or as 0. */
bool capejail_is_host_root(const struct capejail *jail);
/* The options, a line each, for -h. */
void capejail_print_usage(const char *own_name);

/* The whole command; returns its exit code. */
int capejail_main(int argc, char *argv[]);

#endif
