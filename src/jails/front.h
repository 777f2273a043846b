/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's side of a talk with a running program: its standard descriptors, its terminal, its signals, and the keys by which it
 * leaves. Signals are blocked meanwhile and read from a descriptor, so none ends the caller while its terminal is raw; those that
 * came are told afterwards. Two loops use it: attach.h, and relay.h for programs that were brought into a jail.
 */
#ifndef IMMURE_JAILS_FRONT_H
#define IMMURE_JAILS_FRONT_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "run/terminal.h"

enum { FRONT_KEYS = 16, FRONT_ROOM = 16 << 10, FRONT_DESCRIPTORS = 2 };

struct front {
	struct terminal terminal;
	int in, out[3];          /* standard input; 1 and 2: output. Opened anew where that can be had */
	int opened[3];           /* -1: not opened anew */
	int signals, look;       /* a signalfd; a timer while the terminal is another's */
	bool passes_signals;     /* those that ask to end are the program's */
	sigset_t before;
	uint16_t rows, columns;  /* of the screen; 0: none */
	char keys[FRONT_KEYS];   /* in their order: the caller leaves */
	unsigned key_count, keys_seen;
	size_t start, end;       /* of what was typed */
	/* what has happened: */
	bool is_leaving;         /* the keys were typed, or the terminal is gone */
	bool is_input_over;
	bool is_resized;         /* the screen has another size */
	int end_signal;          /* asked the caller to end; 0: none */
	uint64_t to_pass;        /* signals for the program, a bit each */
	char typed[FRONT_ROOM];  /* on the way to the program; the last, for it is not cleared */
};

/* Before all else; large as it is, not all of it is touched. */
void front_clear(struct front *front);
/* KEYS: "ctrl-p,ctrl-q", letters; NULL or "": none. -EINVAL: they are no keys. */
int front_read_keys(struct front *front, const char *keys, struct error *err) MUST_CHECK;
/* Begins; HAS_TERMINAL: the program has one of its own, so the caller's becomes raw. USED: a bit for each standard descriptor that
 * is read or written here. */
int front_open(struct front *front, bool has_terminal, unsigned used) MUST_CHECK;
/* Nothing is read any more. */
void front_stop_reading(struct front *front);
/* All as before. */
void front_close(struct front *front);

/* What is to be polled beside the program's side; FDS has room for FRONT_DESCRIPTORS. And what was, handed back. */
unsigned front_poll(const struct front *front, struct pollfd *fds);
void front_serve(struct front *front, const struct pollfd *polled, unsigned count);
/* Whether standard input may be read now: there is room, and the terminal is the caller's. */
bool front_wants_input(const struct front *front);
/* Reads what was typed; the keys are taken out, and what might become them waits for the next. */
void front_read(struct front *front);
/* Writes what goes of SIZE bytes to output STREAM without waiting longer than poll(2) said: bytes; -EAGAIN, -errno. */
long front_write(const struct front *front, unsigned stream, const char *bytes, size_t size);

#endif
