/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree read from a YAML or JSON text, each node with the place where it stands. The reader lives
 * above the core (src/load); the core only walks the tree.
 */
#ifndef IMMURE_SPEC_NODE_H
#define IMMURE_SPEC_NODE_H

#include "spec/origin.h"

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	struct origin origin;     /* file, line, column of the value */
	const char *key;          /* a member of a map: its key; otherwise NULL */
	struct origin key_origin; /* where that key stands */
	const char *text;         /* NODE_SCALAR: the value as written, unquoted; "" for null */
	bool is_quoted;           /* NODE_SCALAR: it was quoted, so it is a string and never null or a number */
	struct node *child;       /* NODE_LIST, NODE_MAP: the first; in the order of the text */
	struct node *next;        /* the next of the same parent */
};

/* The member KEY of a map; NULL: there is none, or NODE is no map. */
const struct node *node_member(const struct node *node, const char *key);

#endif
