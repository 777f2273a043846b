/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the skeleton can be the root of this jail. It must hold every place that the tree wants on the root itself,
 * of the same kind and content, and nothing that would show what was not asked for. What is writable then comes from
 * one file system in memory; it is attached on the last of the writable places, and each takes its folder from there.
 */
#include "feature/bones.h"

#include <string.h>

#include "base/path.h"
#include "feature/skeleton.h"

static bool is_root(const struct tree_item *item)
{
	return !item->target[1];
}

static bool fits(const struct tree_item *item, const struct skeleton_entry *entry)
{
	switch (item->kind) {
	case TREE_FILE:
		return entry->kind == SKELETON_FILE && item->mode == 0444 && !item->is_owned && item->text_size == strlen(entry->text) &&
		       memcmp(item->text, entry->text, item->text_size) == 0;
	case TREE_SYMLINK: /* the time zone is shown by a mount instead */
		return entry->kind == SKELETON_LINK ? strcmp(item->source, entry->text) == 0 : strcmp(item->target, "/etc/localtime") == 0;
	case TREE_MASK: case TREE_READ_ONLY: case TREE_DIRECTORY:
		return false;
	default:
		return entry->kind == (item->is_file ? SKELETON_FILE : SKELETON_DIRECTORY);
	}
}

static bool all_fit(const struct tree *tree)
{
	size_t idle = skeleton_count;

	for (size_t i = 0; i < skeleton_count; i++)
		idle -= !skeleton_entries[i].may_be_idle;
	for (int i = 1; i < tree->count; i++) {
		const struct tree_item *item = &tree->items[i];
		const struct skeleton_entry *entry = item->is_on_root ? skeleton_find(item->target) : NULL;

		if (!entry && item->is_on_root)
			return false;
		if (!entry)
			continue;
		if (!fits(item, entry))
			return false;
		idle += !entry->may_be_idle;
	}
	return idle == skeleton_count;
}

/* UTC is what there is without a time zone. */
static void show_time_zone(struct tree_item *item)
{
	if (item->kind != TREE_SYMLINK || strcmp(path_last(item->source), "UTC") == 0)
		return;
	item->kind = TREE_BIND;
	item->is_file = true;
	item->source = item->target;
}

bool bones_use(struct plan *plan, const struct host *host)
{
	struct tree *tree = plan->tree;
	struct tree_item *root = tree->items;

	if (!host->skeleton || !tree->count || !is_root(root) || root->kind != TREE_SCRATCH || root->is_writable || !all_fit(tree))
		return false;
	for (int i = 1; i < tree->count; i++) {
		struct tree_item *item = &tree->items[i];

		item->is_given = item->is_on_root;
		if (item->is_given && strcmp(item->target, "/etc/localtime") == 0)
			show_time_zone(item);
	}
	root->kind = TREE_BIND;
	root->source = host->skeleton;
	root->why = "the root: mount points, links and constant files, installed with immure";
	return true;
}
