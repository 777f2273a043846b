/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy files and presets: the keys are those of the options, and
 *	extends: FILE or [FILE, ...]   read first, relative to the file that says so
 *	preset: NAME                   the layer below all files; the nearest to the command line counts
 *	command: [PROGRAM, ...]        used when the command line names no program
 * What is unknown is refused by its place, never passed over: a misspelt wall is no wall.
 */
#ifndef IMMURE_LOAD_POLICY_H
#define IMMURE_LOAD_POLICY_H

#include "base/error.h"
#include "spec/spec.h"

enum { POLICY_MOST_DEPTH = 16 /* files that extend each other */, POLICY_MOST_FILES = 256 };

/* Adds the settings of the file at PATH ("-": standard input) to SPEC as LAYER_FILE, those of what it extends before. */
int policy_load(struct spec *spec, const char *path, struct error *err) MUST_CHECK;

/* The same of a text that messages call NAME. */
int policy_load_text(struct spec *spec, const char *name, const char *text, size_t size, struct error *err) MUST_CHECK;

#endif
