/* SPDX-License-Identifier: Apache-2.0 */
/* The tree that is built in order: its options, and how it is planned. */
#ifndef IMMURE_FEATURE_ORDERED_H
#define IMMURE_FEATURE_ORDERED_H

#include "feature/feature.h"

extern const struct field ordered_fields[];

/* Refuses what needs --ordered without it, what cannot be had with it, and sources that are not there. */
int ordered_check(const struct spec *spec, const struct host *host, struct error *err) MUST_CHECK;

#endif
