/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON: only what is not as easy with text_add alone. */
#ifndef IMMURE_BASE_JSON_H
#define IMMURE_BASE_JSON_H

#include "base/text.h"

/* Appends TEXT as a string with its quotes; NULL is null. Bytes that are no UTF-8 become U+FFFD: the result is always valid. */
void json_add_string(struct text *out, const char *text);

#endif
