/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities by name. capabilities(7) */
#ifndef IMMURE_FEATURE_CAPABILITY_H
#define IMMURE_FEATURE_CAPABILITY_H

#include "host/host.h"
#include "spec/spec.h"

/* "chown" for 0; NULL: not known. */
const char *capability_name(unsigned number);
/* The number of "chown", "cap_chown" or "CAP_CHOWN"; -1: not known. */
int capability_number(const char *name);
/* The mask of --cap-add. */
uint64_t capabilities_asked(const struct spec *spec, const struct host *host);
/* The most that the program may come to hold: the same, or all where they stay as the caller has them. */
uint64_t capabilities_possible(const struct spec *spec, const struct host *host);
bool securebits_are_locked(const struct spec *spec);

#endif
