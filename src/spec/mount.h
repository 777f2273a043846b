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

/* How each member of struct mount travels in a parcel. A test finds one that has no row. */
enum member_type {
	MEMBER_NUMBER, /* bool, unsigned, enum, int, uint64_t */
	MEMBER_TEXT,   /* const char *, or NULL */
	MEMBER_BYTES,  /* const char * of so many bytes, or NULL */
	MEMBER_TEXTS,  /* const char **, so many */
};

struct mount_member {
	enum member_type type;
	size_t offset, size; /* in struct mount */
	size_t count;        /* BYTES, TEXTS: the offset of how many */
	uint64_t most;       /* NUMBER: the greatest */
};

enum { MOUNT_MEMBERS = 16 };
extern const struct mount_member mount_members[MOUNT_MEMBERS];

#endif
