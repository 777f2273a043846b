/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's terminal while the jail has one of its own: raw while the launcher is in the foreground, as it was otherwise.
 * In the background it is neither read nor changed; coming to the foreground is noticed by looking.
 */
#ifndef IMMURE_RUN_TERMINAL_H
#define IMMURE_RUN_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

struct terminal {
	int fd;             /* the caller's terminal that is read; -1: none is */
	bool wants_raw;
	bool is_raw;
	bool may_be_read;   /* the launcher is in the foreground */
	struct termios before;
};

/* FD: the caller's descriptor; -1: nothing is to be read. */
void terminal_open(struct terminal *terminal, int fd, bool wants_raw);
/* Looks whether it is the launcher's turn, and takes the terminal if so. */
void terminal_take(struct terminal *terminal);
/* As it was before. */
void terminal_give_back(struct terminal *terminal);

#endif
