/* SPDX-License-Identifier: Apache-2.0 */
/* Names of jails and pods: 1 to 63 of letters, digits, "_", "." and "-", the first a letter or a digit. So none is "..", a path or
 * an option. */
#ifndef IMMURE_JAILS_NAMES_H
#define IMMURE_JAILS_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum { NAME_MOST = 63, NAME_ROOM = NAME_MOST + 1 };

bool name_is_one(const char *name);
/* -EINVAL and the story. */
int name_check(const char *name, struct error *err) MUST_CHECK;

/* Two words for who gave none; which ones is up to RANDOM. It may be taken: then again with another. Returns BUFFER. */
const char *name_make(uint64_t random, char buffer[NAME_ROOM]);

#endif
