/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting what the jail's tree is made of, and finding out where each item lies. */
#include "plan/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/path.h"

enum { MOST_LINKS = 16 };

struct tree *tree_copy(const struct tree *tree, struct arena *arena)
{
	const size_t size = offsetof(struct tree, items) + (size_t)tree->count * sizeof(tree->items[0]);

	return (struct tree *)(void *)arena_copy_bytes(arena, tree, size);
}

void tree_add(struct tree *tree, struct tree_item item)
{
	int at = 0;

	while (at < tree->count && strcmp(tree->items[at].target, item.target) != 0)
		at++;
	if (at == TREE_ITEMS) {
		tree->is_full = true;
		return;
	}
	item.order = tree->count;
	if (at < tree->count)
		item.order = tree->items[at].order;
	else
		tree->count++;
	tree->items[at] = item;
}

/* The link that lies on the way to PATH; with INCLUDE_LAST also one exactly there. */
static const struct tree_item *link_on_the_way(const struct tree *tree, const char *path, bool include_last)
{
	for (int i = 0; i < tree->count; i++) {
		const struct tree_item *item = &tree->items[i];
		const size_t length = item->kind == TREE_SYMLINK ? strlen(item->target) : 0;

		if (length && strncmp(path, item->target, length) == 0 && (path[length] == '/' || (include_last && !path[length])))
			return item;
	}
	return NULL;
}

static const char *follow(const struct tree *tree, struct arena *arena, const char *path, bool include_last)
{
	const struct tree_item *link;

	for (int i = 0; path && (link = link_on_the_way(tree, path, include_last)); i++) {
		const char *parent = path_parent(arena, link->target);
		const char *end = path + strlen(link->target);
		const char *joined = arena_format(arena, "%s%s", link->source, end);

		if (i == MOST_LINKS || !parent || !joined)
			return NULL;
		path = path_clean(arena, parent, joined);
	}
	return path;
}

const char *tree_follow(const struct tree *tree, struct arena *arena, const char *path)
{
	return follow(tree, arena, path, true);
}

/* What was asked for below a link of the tree stands where the link leads; then the later of two on one target wins. */
static void follow_links(struct tree *tree, struct arena *arena)
{
	for (int i = 0; i < tree->count; i++) {
		struct tree_item *item = &tree->items[i];
		const char *target = link_on_the_way(tree, item->target, false) ? follow(tree, arena, item->target, false) : item->target;
		struct tree_item *other = NULL;

		if (!target || target == item->target)
			continue;
		for (int j = 0; j < tree->count; j++)
			if (j != i && strcmp(tree->items[j].target, target) == 0)
				other = &tree->items[j];
		item->target = target;
		if (!other)
			continue;
		if (other->order < item->order)
			*other = *item;
		*item = tree->items[--tree->count];
		i--;
	}
}

/* By components, so that what lies in a directory follows it at once. */
static int by_path(const void *left, const void *right)
{
	const char *a = ((const struct tree_item *)left)->target, *b = ((const struct tree_item *)right)->target;

	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (*a == '/' ? 1 : *a == '\0' ? 0 : (unsigned char)*a + 1) - (*b == '/' ? 1 : *b == '\0' ? 0 : (unsigned char)*b + 1);
}

/* Whose the contents of ITEM are. */
static enum tree_place place_inside(const struct tree_item *item)
{
	switch (item->kind) {
	case TREE_SCRATCH: case TREE_TMPFS: case TREE_MASK: return PLACE_FRESH;
	case TREE_OVERLAY: return PLACE_LAYER;
	case TREE_DIRECTORY: return item->place;
	default: return PLACE_FOREIGN;
	}
}

/* The kernel's own files hold no link at the places that immure's list names. */
static bool leads_directly(const struct tree_item *holder, const struct tree_item *item)
{
	if (!holder->is_direct)
		return false;
	return place_inside(holder) == PLACE_FRESH || (holder->kind == TREE_PROC && item->is_optional);
}

static void find_places(struct tree *tree)
{
	const int none = -1;
	int above[TREE_ITEMS];

	for (int i = 0; i < tree->count; i++) {
		struct tree_item *item = &tree->items[i];
		int holder = i - 1;

		while (holder != none && !path_is_under(item->target, tree->items[holder].target))
			holder = above[holder];
		above[i] = holder;
		item->is_on_root = holder == 0;
		item->place = holder == none ? PLACE_FRESH : place_inside(&tree->items[holder]);
		item->is_direct = holder == none || leads_directly(&tree->items[holder], item);
		if (holder != none)
			tree->items[holder].has_inner = true;
	}
}

void tree_settle(struct tree *tree, struct arena *arena)
{
	follow_links(tree, arena);
	qsort(tree->items, (size_t)tree->count, sizeof(tree->items[0]), by_path);
	find_places(tree);
}

const struct tree_item *tree_find(const struct tree *tree, const char *target)
{
	for (int i = 0; i < tree->count; i++)
		if (strcmp(tree->items[i].target, target) == 0)
			return &tree->items[i];
	return NULL;
}

bool tree_has_own_pts(const struct plan *plan)
{
	const struct tree_item *pts = plan->tree && plan->has_mountns ? tree_find(plan->tree, "/dev/pts") : NULL;

	return pts && pts->kind == TREE_DEVPTS;
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

const char *tree_inside(const struct tree *tree, struct arena *arena, const char *path)
{
	const char *found = NULL;
	size_t longest = 0;

	for (int i = 0; i < tree->count; i++) {
		const struct tree_item *item = &tree->items[i];
		const size_t length = item->kind == TREE_BIND || item->kind == TREE_OVERLAY ? strlen(item->source) : 0;
		const char *inside;

		if (length <= longest || !path_is_under(path, item->source))
			continue;
		inside = path_clean(arena, "/", arena_format(arena, "%s/%s", item->target, length == 1 ? path : path + length));
		if (inside && tree_holder(tree, inside) == item) {
			found = inside;
			longest = length;
		}
	}
	return found;
}
