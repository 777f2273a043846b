/* SPDX-License-Identifier: Apache-2.0 */
/* A growing text, and small questions about strings. Not for the child: it allocates. */
#ifndef IMMURE_BASE_TEXT_H
#define IMMURE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"

struct text {
	char *bytes;      /* terminated; NULL while empty */
	size_t used, size;
	bool is_short;    /* memory ran out somewhere: the text is not whole */
};

/* Appends; a failure is remembered in is_short, so that a caller may check once at the end. */
void text_add(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
void text_add_bytes(struct text *text, const char *bytes, size_t size);
/* Control characters become "?": names come from files and arguments, and a terminal must never act on them. */
void text_make_printable(char *text);
/* What was added since START is one line of names and words, made printable and ended here. */
void text_end_line(struct text *text, size_t start);
void text_free(struct text *text);
#define auto_text __attribute__((cleanup(text_free)))

bool text_starts(const char *text, const char *prefix);
bool text_same(const char *left, const char *right); /* NULL equals only NULL */

/* Number of single-character edits between two short words; at most 64 characters of each are read. */
unsigned text_distance(const char *left, const char *right);

#endif
