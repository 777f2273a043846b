/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The skeleton: a folder installed with immure that already holds the mount points, links and constant files of the
 * host view. Mounted read-only as the root it saves making them one by one, which is much of what a jail costs
 * (docs/decisions/0001). It says nothing of its own: where it differs in anything from what was asked, it is not used.
 */
#ifndef IMMURE_FEATURE_SKELETON_H
#define IMMURE_FEATURE_SKELETON_H

#include <stdbool.h>
#include <stddef.h>

enum skeleton_kind { SKELETON_DIRECTORY, SKELETON_FILE, SKELETON_LINK };

struct skeleton_entry {
	enum skeleton_kind kind;
	const char *path;
	const char *text;    /* FILE: its content; LINK: what it says */
	bool may_be_idle;    /* no harm when nothing is mounted there, or the link leads nowhere */
};

/* A directory comes before what lies in it. */
extern const struct skeleton_entry skeleton_entries[];
extern const size_t skeleton_count;

/* The entry of PATH; NULL: none. */
const struct skeleton_entry *skeleton_find(const char *path);

#endif
