/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/filter only: what the 32-bit calls of the same processor mean in native ones. */
#ifndef IMMURE_FILTER_FOREIGN_H
#define IMMURE_FILTER_FOREIGN_H

#include <stdbool.h>

/* The native number of the call that does what NAME does (mmap2: mmap); SYSCALL_NONE: nothing does. NAME may be NULL. */
int foreign_twin(const char *name);

/* Whether the call is several in one and its arguments lie behind a pointer, where a filter cannot look. */
bool foreign_hides_arguments(const char *name);

#endif
