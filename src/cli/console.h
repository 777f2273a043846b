/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/cli only: the console's parts. */
#ifndef IMMURE_CLI_CONSOLE_H
#define IMMURE_CLI_CONSOLE_H

#include <signal.h>
#include <stddef.h>

#include "cli/line.h"

struct console {
	const char *script;   /* its name, for messages; NULL: somebody types */
	unsigned line, first_line; /* the last that was read, and that where what it says begins; from 1 */
	int reads_standard_input; /* the script does: its verbs get an empty one */
	int keeps_going;
	int is_over;
	int exit_code;        /* of the last line that failed */
	int end_signal;       /* that asked the console to end; 0: none */
	int signals;          /* a signalfd */
	sigset_t listened, before; /* what it reads; the mask with which the console was started, which is that of verbs */
	char executable[4096];
};

/* Does what TEXT says. 1: a quote is open, and IS_LAST is 0: more has to be read; 0: it was done, or complained about. */
int console_take(struct console *console, const char *text, int is_last);
/* Reads and clears what signals there are; notes in end_signal what asks to end. Returns a set of 1 << signal. */
unsigned long long console_hear(struct console *console);

/* Lines that somebody types. -1: this executable cannot, it was complained about. */
int console_edit(struct console *console);

/* ---- what was typed before: a file in a folder that is the user's alone ---- */

enum { HISTORY_LINES = 1000 };

/* The folder's descriptor; -1: there is none that can be trusted, and nothing is kept. */
int history_folder(void);
/* Shows the last lines, the oldest first. */
void history_show(int folder, void (*see)(void *argument, const char *line), void *argument);
/* -1: it was not kept. */
int history_append(int folder, const char *line);
/* Leaves the last lines. */
void history_trim(int folder);

/* ---- what may stand at the end of a line ---- */

struct offers {
	const char *prefix; /* in the line's words: what is there of the word */
	char **names;       /* that begin so, in order, each once */
	size_t count;
	int may_be_file;    /* files of the host fit as well */
};
void offers_find(const struct line *line, struct offers *offers);
void offers_free(struct offers *offers);

#endif
