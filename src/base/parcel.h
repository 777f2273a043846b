/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and strings as bytes, and back: what one process of immure hands to another on the same machine. Every string has its
 * length before it and a NUL behind it; whatever the bytes are, reading stays inside them and says in the end whether they fitted.
 */
#ifndef IMMURE_BASE_PARCEL_H
#define IMMURE_BASE_PARCEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

void parcel_add_number(struct text *out, uint64_t number);
void parcel_add_bytes(struct text *out, const void *bytes, size_t size); /* BYTES NULL is kept apart from empty */
void parcel_add_text(struct text *out, const char *text);                /* so is TEXT */

/* What is left to be read. Once something did not fit, nothing more is given: zero and NULL. */
struct parcel {
	const char *at, *end;
	bool is_bad;
};

/* At most MOST, else the parcel is bad. */
uint64_t parcel_take_number(struct parcel *from, uint64_t most);
/* How many things follow, of which each takes at least one number: so a count never asks for more memory than bytes are worth. */
size_t parcel_take_count(struct parcel *from);
/* In the parcel's own bytes, SIZE of them and a NUL; NULL: NULL was put in, or bad. */
const char *parcel_take_bytes(struct parcel *from, size_t *size);
/* The same without a NUL inside. */
const char *parcel_take_text(struct parcel *from);
/* NULL is bad as well; then "", so that the reader may go on. */
const char *parcel_take_word(struct parcel *from);

#endif
