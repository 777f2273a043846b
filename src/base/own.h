/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes and the few macros: ownership that shows in the declaration. */
#ifndef IMMURE_BASE_OWN_H
#define IMMURE_BASE_OWN_H

#include <stdlib.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))
#define MUST_CHECK __attribute__((warn_unused_result))

/* auto_free char *p: freed at the end of the scope. */
#define auto_free __attribute__((cleanup(own_free)))

static inline void own_free(void *pointer)
{
	free(*(void **)pointer);
}

#endif
