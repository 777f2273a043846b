/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of one file into another, of which either may be a jail's. As many as there were at the beginning, for who writes may go on for
 * ever; and what is a hole stays one, for a jail with little room can make a file that has no end of them.
 */
#ifndef IMMURE_API_COPY_BYTES_H
#define IMMURE_API_COPY_BYTES_H

#include <stdbool.h>
#include <stddef.h>

/* PIECE: room of SIZE bytes. *IS_READING when it fails: which of the two did. -EFBIG: one that tells no size, as those of the kernel, has no end. */
int copy_bytes(int from, int to, char *piece, size_t size, bool *is_reading);

#endif
