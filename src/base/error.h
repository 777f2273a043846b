/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An error is a short story for people: what failed, doing what to what, why, and what to try.
 * It is of fixed size and owns no heap memory. The machine's half is the negative errno that
 * each function returns beside it.
 */
#ifndef IMMURE_BASE_ERROR_H
#define IMMURE_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"

enum { ERROR_FRAMES = 6, ERROR_TEXT = 256 };

struct error {
	int errnum;         /* positive errno; 0: no error yet */
	bool is_mistake;    /* the user's mistake: errno's own words would only confuse */
	int frames;         /* used rows of frame[] */
	char frame[ERROR_FRAMES][ERROR_TEXT]; /* [0] is the innermost */
	const char *id;     /* "E-PROC-MASKED"; static; NULL: none */
	char remedy[ERROR_TEXT]; /* "": none */
};

/* Begins the story of a failed system operation. Returns -ERRNUM. ERR may be NULL (nobody listens). */
int error_set(struct error *err, int errnum, const char *format, ...) PRINTF_LIKE(3, 4);

/* Begins the story of a mistake in what the user asked. Returns -EINVAL. */
int error_mistake(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Adds what was being done, outside what is already told. Returns the story's negative errno. */
int error_while(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Adds a remedy; ID is static. A remedy that is there already stays: the innermost knows best. */
void error_remedy(struct error *err, const char *id, const char *format, ...) PRINTF_LIKE(3, 4);

/*
 * Writes the story into BUFFER as "outer: inner: why" and, when there is a remedy,
 * "\n  try: remedy  [E-ID]"; always terminated, no final newline. Control characters that came
 * from outside are shown as "?". Returns the length.
 */
size_t error_print(const struct error *err, char *buffer, size_t size);

#endif
