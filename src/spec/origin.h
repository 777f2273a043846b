/* SPDX-License-Identifier: Apache-2.0 */
/* Where a value came from, so that every message and explanation can say so. */
#ifndef IMMURE_SPEC_ORIGIN_H
#define IMMURE_SPEC_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

/* The fixed order in which layers are merged: a later one wins. */
enum layer { LAYER_DEFAULT, LAYER_PRESET, LAYER_FILE, LAYER_COMMAND };

struct origin {
	enum layer layer;
	const char *source; /* "--memory", "web.yaml", "preset judge"; NULL: a built-in default */
	int line, column;   /* from 1; 0: not from a text */
};

enum { ORIGIN_TEXT = 256 };

/* "web.yaml:12:5", "--memory", "default". BUFFER holds ORIGIN_TEXT bytes. Returns BUFFER. */
const char *origin_print(const struct origin *origin, char *buffer);

#endif
