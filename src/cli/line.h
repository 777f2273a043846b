/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/cli only: a line of the console, split into words as a shell splits it. Nothing is expanded. */
#ifndef IMMURE_CLI_LINE_H
#define IMMURE_CLI_LINE_H

#include <stddef.h>

struct line {
	char **words;    /* ended by NULL; one allocation with their text */
	size_t count;
	size_t fault;    /* where in the text the sign is that was refused */
	char open;       /* what is not ended: a quote, or a backslash with nothing behind it; 0: the line is whole */
	int ends_inside; /* the text ends in the last word, not behind it */
};

/* 0, also where a quote is left open; -EINVAL: a sign means something to a shell and nothing here: unquoted, or between double quotes what
 * would be expanded there; -ENOMEM. On failure there are no words. */
int line_split(const char *text, struct line *line);
void line_free(struct line *line);

/* Why SIGN means nothing here; NULL: it is a letter like any other. */
const char *line_refusal(char sign);

#endif
