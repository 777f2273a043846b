/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One program, many attacks: `attack NAME [ARGUMENT...]` tries one thing that a jail must refuse. An attack returns 0
 * when it got through and a negative errno when it was refused; the program says which, and exits 0 or 1. So a test
 * that expects a refusal cannot be satisfied by an attack that did not run: that exits 2, or is killed.
 */
#pragma once
#include <errno.h>

struct attack {
	const char *name;
	int (*body)(char **arguments); /* NULL-terminated */
	int wants;                     /* how many arguments */
};

extern const struct attack process_attacks[], kernel_attacks[], file_attacks[], mount_attacks[], channel_attacks[];

static inline int outcome(long rc)
{
	return rc < 0 ? -errno : 0;
}
