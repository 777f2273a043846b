/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting what the jail's tree is made of. */
#include "plan/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/path.h"

void tree_add(struct tree *tree, struct tree_item item)
{
	for (int i = 0; i < tree->count; i++) {
		if (strcmp(tree->items[i].target, item.target) != 0)
			continue;
		item.order = tree->items[i].order;
		tree->items[i] = item;
		return;
	}
	if (tree->count == TREE_ITEMS) {
		tree->is_full = true;
		return;
	}
	item.order = tree->count;
	tree->items[tree->count++] = item;
}

static int by_depth(const void *left, const void *right)
{
	const struct tree_item *a = left, *b = right;
	const unsigned depth_a = path_depth(a->target), depth_b = path_depth(b->target);

	if (depth_a != depth_b)
		return depth_a < depth_b ? -1 : 1;
	return a->order - b->order;
}

void tree_sort(struct tree *tree)
{
	qsort(tree->items, (size_t)tree->count, sizeof(tree->items[0]), by_depth);
}

const struct tree_item *tree_find(const struct tree *tree, const char *target)
{
	for (int i = 0; i < tree->count; i++)
		if (strcmp(tree->items[i].target, target) == 0)
			return &tree->items[i];
	return NULL;
}

const struct tree_item *tree_holder(const struct tree *tree, const char *path)
{
	const struct tree_item *best = NULL;

	for (int i = 0; i < tree->count; i++) {
		const struct tree_item *item = &tree->items[i];

		if (path_is_under(path, item->target) && (!best || path_depth(item->target) > path_depth(best->target)))
			best = item;
	}
	return best;
}

bool tree_shows(const struct tree *tree, const char *path)
{
	const struct tree_item *holder = tree_holder(tree, path);

	return holder && (holder->kind == TREE_BIND || holder->kind == TREE_OVERLAY) && holder->source &&
	       strcmp(holder->source, holder->target) == 0;
}
