/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/cli only: reading a verb's own options by their table. */
#ifndef IMMURE_CLI_OPTIONS_H
#define IMMURE_CLI_OPTIONS_H

#include "cli/cli.h"

enum { OPTIONS_MOST = 16, VALUES_MOST = 256 };

struct chosen {
	const char *value;  /* the last one; "" for an option without values; NULL: it was not given */
	unsigned count;
};

struct words {
	struct chosen chosen[OPTIONS_MOST]; /* in the order of the table */
	int argc;           /* what follows the options */
	char **argv;
	/* All values in the order given, for options that may be given again: by row of the table. */
	const char *values[VALUES_MOST];
	unsigned value_of[VALUES_MOST], value_count;
};

/* Reads options up to the first word that is none, or "--". MAY_FOLLOW: options may stand behind other words too. LEAST, MOST: how
 * many words must remain; MOST -1: any number. 0, or the exit code: it was complained about. */
struct bounds {
	int least, most;
	int may_follow;
};
int take_words(const struct verb *verb, int argc, char *argv[], const struct bounds *bounds, struct words *words);
const struct verb *verb_of_name(const char *name);

/* "1.5s", "10" (seconds): milliseconds; -1: complained about. */
/* "": none */
const char *read_detach_keys(const struct chosen *chosen);
long long read_milliseconds(const char *text, const char *option);
/* -1: complained about. */
long long read_number(const char *text, const char *option);

#endif
