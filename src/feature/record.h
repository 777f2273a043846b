/* SPDX-License-Identifier: Apache-2.0 */
/* A spec as a policy file that says the same: what a jail was asked to be, for people and to be run again. */
#ifndef IMMURE_FEATURE_RECORD_H
#define IMMURE_FEATURE_RECORD_H

#include "base/text.h"
#include "spec/spec.h"

/*
 * Appends a JSON object: each setting that somebody made, whatever layer it came from, and the command. Not in it are what
 * belongs to a command line only (the name, the pod), the preset's name, for its settings are there, and the contents of files that
 * were read from a path or a descriptor. Bytes that are no UTF-8, which JSON cannot say, are U+FFFD: RECORD_LOSS. 0 or -ENOMEM.
 */
#define RECORD_LOSS "\xef\xbf\xbd"
int spec_record(const struct spec *spec, struct text *out) MUST_CHECK;

#endif
