/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of subordinate ids: subuid(5), subgid(5). The two files are read apart, each for its own kind of id. */
#ifndef IMMURE_HOST_SUBIDS_H
#define IMMURE_HOST_SUBIDS_H

#include <stddef.h>

#include "host/host.h"

/*
 * The largest range that TEXT (SIZE bytes) gives to the user of NAME (NULL: has none) or UID. A line that is not exactly
 * NAME:FIRST:COUNT, in decimal, within the 32 bits and without id 0, is passed over. count 0: there is none.
 */
struct sub_range subids_find(const char *text, size_t size, const char *name, uint32_t uid);

/* Fills sub_uid and sub_gid; no file, or no range, is no error. */
int host_probe_subids(struct host *host, struct error *err) MUST_CHECK;

#endif
