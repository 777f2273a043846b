/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside src/filter and its generator only: a tree of nodes as bytes without pointers. Per node: its kind, whether
 * it was quoted, its line and column (two bytes each), its key and a NUL (no key: just the NUL); then a scalar's
 * text and a NUL, or the children and an END byte.
 */
#ifndef IMMURE_FILTER_PACK_H
#define IMMURE_FILTER_PACK_H

#include "base/arena.h"
#include "base/text.h"
#include "spec/node.h"

enum { PACK_END = 0xff };

/* Appends NODE and all below it. */
void node_pack(const struct node *node, struct text *text);

/* The tree again, in ARENA; its origins name SOURCE. NULL: no memory, or the bytes are no tree. */
struct node *node_unpack(struct arena *arena, const char *source, const unsigned char *bytes, size_t size);

#endif
