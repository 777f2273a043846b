/* SPDX-License-Identifier: Apache-2.0 */
/* Walking a tree of nodes. */
#include "spec/node.h"

#include <string.h>

const struct node *node_member(const struct node *node, const char *key)
{
	if (!node || node->kind != NODE_MAP)
		return NULL;
	for (const struct node *child = node->child; child; child = child->next)
		if (strcmp(child->key, key) == 0)
			return child;
	return NULL;
}
