/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON: only what is not as easy with text_add alone. And finding a value in an object that was written so. */
#ifndef IMMURE_BASE_JSON_H
#define IMMURE_BASE_JSON_H

#include <stdint.h>

#include "base/text.h"

/* Appends TEXT as a string with its quotes; NULL is null. Bytes that are no UTF-8 become U+FFFD: the result is always valid. */
void json_add_string(struct text *out, const char *text);

/*
 * The value of KEY in OBJECT, which this file wrote without spaces behind colons, or with one: the first of that name, at whatever depth.
 * Inside strings quotes are escaped, so no string is taken for a key. False: there is none of that kind.
 */
bool json_find_number(const char *object, const char *key, uint64_t *number);
/* Appends it to OUT, as it was before json_add_string. */
bool json_find_string(const char *object, const char *key, struct text *out);
/* Where the value begins, whatever it is; NULL: there is none. */
const char *json_find(const char *object, const char *key);
/* Appends the string that begins at AT with its quote; what follows it. NULL: it is none. */
const char *json_take_string(const char *at, struct text *out);

#endif
