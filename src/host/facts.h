/* SPDX-License-Identifier: Apache-2.0 */
/* Host facts as JSON: a user sends theirs, a test plans for machines that it does not run on. */
#ifndef IMMURE_HOST_FACTS_H
#define IMMURE_HOST_FACTS_H

#include "base/text.h"
#include "host/host.h"
#include "spec/node.h"

/* Appends all that is known of HOST as one JSON object. */
void facts_write(const struct host *host, struct text *out);

/* Fills HOST, which is zeroed, from ROOT; strings are copied into its arena. What is not told stays as it is: absent.
 * -EINVAL and the story with the place for a key that is unknown or a value that does not fit. */
int facts_read(struct host *host, const struct node *root, struct error *err) MUST_CHECK;

#endif
