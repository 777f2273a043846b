/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads one YAML or JSON document into a tree of nodes, each with its line and column.
 *
 * The text may come from strangers, so everything is bounded, and what a policy has no use for is
 * refused rather than guessed at: a second document, tags, directives, NUL bytes, a key that is given
 * twice or is no plain word. Aliases are copied and count towards the bound on nodes.
 */
#ifndef IMMURE_LOAD_YAML_H
#define IMMURE_LOAD_YAML_H

#include "base/arena.h"
#include "base/error.h"
#include "spec/node.h"

enum {
	LOAD_MOST_BYTES = 1 << 20,
	LOAD_MOST_DEPTH = 64,      /* of lists and maps within each other */
	LOAD_MOST_NODES = 65536,   /* after aliases are copied */
	LOAD_MOST_MEMBERS = 2048,  /* of one mapping */
	LOAD_MOST_ANCHORS = 256,
};

/*
 * Reads SIZE bytes; messages call the text SOURCE_NAME. On success *ROOT is the document's root, owned by
 * ARENA as everything below it (SOURCE_NAME is copied). On failure -EINVAL, -ENOMEM and the story, and
 * *ROOT is untouched. An empty text is an empty scalar.
 */
int load_text(struct arena *arena, const char *source_name, const char *bytes, size_t size, struct node **root,
	      struct error *err) MUST_CHECK;

/* The same for the file at PATH ("-": standard input); also the negative errno of opening or reading it. */
int load_file(struct arena *arena, const char *path, struct node **root, struct error *err) MUST_CHECK;

#endif
