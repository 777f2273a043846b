/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The standard descriptors of a jail that stays: what comes from its pipes or its terminal is read as soon as it is there, whoever
 * listens or not, and what clients type is written as far as it goes. A source of events of the watch; its owner is the member.
 */
#ifndef IMMURE_JAILS_OUTPUT_H
#define IMMURE_JAILS_OUTPUT_H

#include "run/watch.h"

struct member;

struct output {
	int from[3];            /* by stream: 1 and 2 pipes, 1 the terminal's master; -1: over */
	int to;                 /* the pipe of its input, or the master; -1: none */
	bool is_terminal;
	bool is_dark;           /* nobody has the terminal open now; somebody may again */
	int look;               /* timer to see whether it is; -1: none */
	uint64_t limit, passed; /* bytes */
	uint16_t rows, columns; /* wanted; 0: as it is */
	bool ends_input;        /* once what waits has gone */
	char *waiting;          /* input that did not go yet; NULL: none */
	size_t start, end;
};

/* What a client typed. It must not bring more while something waits. SIZE 0: there will be no more. */
void output_type(struct member *member, const char *bytes, size_t size);
bool output_has_waiting(const struct member *member);
void output_resize(struct member *member, unsigned rows, unsigned columns);

extern const struct source source_output;

#endif
