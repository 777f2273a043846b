/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a jail wrote, on its way to a terminal that is not the jail's. Colours pass, and whatever else is text; all that moves the cursor,
 * sets a title, asks the terminal to answer, or types into it is shown as text: ^[ for escape, as cat -v does.
 */
#ifndef IMMURE_CLI_SCREEN_H
#define IMMURE_CLI_SCREEN_H

#include <stdio.h>

enum { SCREEN_HELD = 24 };

/* Of one stream; all zeros to begin with. A sequence or a character may come in pieces. */
struct screen {
	unsigned char held[SCREEN_HELD]; /* the beginning of one */
	unsigned count;
	int has_colours;                 /* some were set, and shall not stay */
};

void screen_write(struct screen *screen, FILE *out, const char *bytes, size_t size);
/* Nothing follows: what is held is shown, and colours are set back. */
void screen_end(struct screen *screen, FILE *out);

#endif
