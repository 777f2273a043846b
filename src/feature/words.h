/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A spec as bytes, for another process of immure on this machine: who reads the user's words is not who runs the jail. What is
 * written is merged and resolved: paths are absolute, contents are read, variables have their values, a filter is compiled. Each
 * value keeps its layer and its origin's words, so that messages and explanations there say the same as here.
 *
 *	"immure spec" VERSION, then records: a number that says its kind, and what parcel_add_... of base, spec and filter write;
 *	RECORD_END is the last. A value travels as the text that its row's type prints and reads, mounts member by member.
 *
 * Facts about the machine do not travel: they are found where the plan is made.
 */
#ifndef IMMURE_FEATURE_WORDS_H
#define IMMURE_FEATURE_WORDS_H

#include "base/text.h"
#include "spec/spec.h"

enum { WORDS_VERSION = 1, WORDS_MOST = 32 << 20 };

/* Appends. -E2BIG: more than WORDS_MOST; -EINVAL: SPEC is not resolved; -ENOMEM. */
int spec_write_words(const struct spec *spec, struct text *out, struct error *err) MUST_CHECK;

/* SPEC, which is zero before, owns all it holds afterwards. On failure (-EINVAL: these are no such bytes, whatever they are) it is
 * zero again and ERR says why. */
int spec_read_words(struct spec *spec, const void *bytes, size_t size, struct error *err) MUST_CHECK;

#endif
