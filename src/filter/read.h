/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/filter only: a profile being read. */
#ifndef IMMURE_FILTER_READ_H
#define IMMURE_FILTER_READ_H

#include "filter/profile.h"

struct profile_reader {
	struct arena *arena;
	struct error *err;
	struct profile profile;
	struct filter_rule *rules; /* room for SIZE; profile.rule_count are used */
	unsigned size;
	const struct node *elsewhere; /* names of calls that some architectures lack; NULL: none */
};

/* Appends; -E2BIG, -ENOMEM and the story. */
int reader_add(struct profile_reader *reader, const struct filter_rule *rule) MUST_CHECK;

/* Remembers NAME among the profile's ignored. */
int reader_ignore(struct profile_reader *reader, const char *name) MUST_CHECK;

/* -EINVAL and "PLACE: why". WHAT may be "". */
int reader_refuse(struct profile_reader *reader, const struct node *node, const char *why, const char *what);
/* -ENOMEM. */
int reader_refuse_memory(struct profile_reader *reader);

/* The text of a scalar. */
int reader_text(struct profile_reader *reader, const struct node *node, const char **text) MUST_CHECK;
/* A number of at most MOST, decimal or 0x. */
int reader_number(struct profile_reader *reader, const struct node *node, uint64_t most, uint64_t *number) MUST_CHECK;
/* An errno by name or number, 1 to 4095. */
int reader_errno(struct profile_reader *reader, const struct node *node, const char *text, uint16_t *errnum) MUST_CHECK;

/* oci.c: Docker's and OCI's JSON. */
int profile_read_oci(struct profile_reader *reader, const struct node *root) MUST_CHECK;

#endif
