/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/cli only: text in columns, and "did you mean". */
#ifndef IMMURE_CLI_WORDS_H
#define IMMURE_CLI_WORDS_H

#include <stdio.h>

enum { PAGE_WIDTH = 79 };

/* Prints TEXT from COLUMN on, broken at spaces, further lines at INDENT; ends with a newline. */
void print_wrapped(FILE *out, const char *text, int column, int indent);

/* The nearest of the names offered so far. */
struct nearest {
	const char *word, *name; /* NULL: none is near */
	unsigned distance;
};
struct nearest nearest_to(const char *word);
void nearest_offer(struct nearest *nearest, const char *name);

/* "immure: there is no WHAT "WORD"; did you mean ...?", on stderr. Returns the exit code. */
int complain_unknown(const char *what, const struct nearest *nearest, const char *where_listed);

#endif
