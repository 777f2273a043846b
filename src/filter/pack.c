/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of nodes as bytes, and back. */
#include "filter/pack.h"

#include <string.h>

struct unpacker {
	struct arena *arena;
	const char *source;
	const unsigned char *at, *end;
};

enum { HEAD_BYTES = 6, MOST_DEPTH = 64 };

static void pack_number(int number, struct text *text)
{
	const char bytes[] = { (char)(number & 0xff), (char)(number >> 8 & 0xff) };

	text_add_bytes(text, bytes, sizeof(bytes));
}

void node_pack(const struct node *node, struct text *text)
{
	const char head[] = { (char)node->kind, (char)node->is_quoted };
	const char end = (char)PACK_END;
	const char *key = node->key ? node->key : "";

	text_add_bytes(text, head, sizeof(head));
	pack_number(node->origin.line, text);
	pack_number(node->origin.column, text);
	text_add_bytes(text, key, strlen(key) + 1);
	if (node->kind == NODE_SCALAR) {
		text_add_bytes(text, node->text, strlen(node->text) + 1);
		return;
	}
	for (const struct node *child = node->child; child; child = child->next)
		node_pack(child, text);
	text_add_bytes(text, &end, 1);
}

/* The next text, which lies in the bytes themselves; NULL: there is none. */
static const char *take_text(struct unpacker *from)
{
	const unsigned char *start = from->at, *nul = memchr(start, '\0', (size_t)(from->end - start));

	if (!nul)
		return NULL;
	from->at = nul + 1;
	return (const char *)start;
}

static struct node *take_head(struct unpacker *from)
{
	struct node *node = from->end - from->at > HEAD_BYTES ? arena_alloc(from->arena, sizeof(*node)) : NULL;
	const char *key;

	if (!node || from->at[0] > NODE_MAP)
		return NULL;
	node->kind = from->at[0];
	node->is_quoted = from->at[1];
	node->origin = (struct origin){ .layer = LAYER_FILE, .source = from->source };
	node->origin.line = from->at[2] | from->at[3] << 8;
	node->origin.column = from->at[4] | from->at[5] << 8;
	from->at += HEAD_BYTES;
	key = take_text(from);
	node->key = key && *key ? key : NULL;
	node->key_origin = node->origin;
	return key ? node : NULL;
}

static struct node *take_node(struct unpacker *from, unsigned depth)
{
	struct node *node = depth < MOST_DEPTH ? take_head(from) : NULL, **end;

	if (!node)
		return NULL;
	if (node->kind == NODE_SCALAR) {
		node->text = take_text(from);
		return node->text ? node : NULL;
	}
	for (end = &node->child; from->at < from->end && *from->at != PACK_END; end = &(*end)->next) {
		*end = take_node(from, depth + 1);
		if (!*end || (node->kind == NODE_MAP && !(*end)->key))
			return NULL;
	}
	return from->at++ < from->end ? node : NULL;
}

struct node *node_unpack(struct arena *arena, const char *source, const unsigned char *bytes, size_t size)
{
	struct unpacker from = { .arena = arena, .source = source, .at = bytes, .end = bytes + size };

	return take_node(&from, 0);
}
