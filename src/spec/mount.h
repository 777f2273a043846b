/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/spec only: how each kind of mount is written. */
#ifndef IMMURE_SPEC_MOUNT_H
#define IMMURE_SPEC_MOUNT_H

#include "spec/type.h"

enum mount_shape {
	SHAPE_SOURCE,  /* SRC[:DST] */
	SHAPE_OPTIONS, /* DST[:name=value,...] */
	SHAPE_VALUE,   /* DST=... */
	SHAPE_TARGET,  /* DST */
};

enum { OPTION_MODE = 1, OPTION_SIZE = 2, OPTION_INODES = 4, OPTION_LOWER = 8, OPTION_UPPER = 16, OPTION_WORK = 32 };

struct mount_row {
	const char *syntax, *name;
	enum mount_shape shape;
	unsigned options; /* OPTION_*, of SHAPE_OPTIONS */
	unsigned mode;    /* the default, where the tree is not built in order */
};

extern const struct mount_row mount_rows[MOUNT_KINDS];

#endif
