/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/compat only: what both front ends are told by variables of the environment. */
#ifndef IMMURE_COMPAT_EXPLAIN_H
#define IMMURE_COMPAT_EXPLAIN_H

#include <stdbool.h>

#include "immure.h"

/* VARIABLE is there, and neither empty nor "0". */
bool is_switched_on(const char *variable);

/* By IMMURE_EXPLAIN: the plan shall be printed, and nothing be run. *FORMAT: as which text. */
bool explain_is_asked(enum immure_format *format);
/* On standard output. 0, or negative with ERR filled. */
int explain_print(struct immure_spec *spec, enum immure_format format, struct immure_error *err);

#endif
