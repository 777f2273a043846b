/* SPDX-License-Identifier: Apache-2.0 */
/* The filter of a spec that asks for more than a shipped one: a file, edits, another architecture. */
#ifndef IMMURE_LOAD_FILTER_H
#define IMMURE_LOAD_FILTER_H

#include "spec/spec.h"

/*
 * Reads --seccomp (a shipped profile's name, or a file's path), adds each --seccomp-allow and then each --seccomp-deny,
 * so that a denial wins, and compiles: SPEC->custom_filter, in SPEC's arena. 0; on a mistake -EINVAL, on trouble with
 * the file its negative errno, and the story; SPEC is then as before.
 */
int filter_load(struct spec *spec, struct error *err) MUST_CHECK;

#endif
