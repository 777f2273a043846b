/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes become a well-formed tree within the bounds, or an error with words; never a crash. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "load/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7.12 loses a few bytes when it gives up on a text nested too deeply. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static void must(bool is_so)
{
	if (!is_so)
		abort();
}

static unsigned check(const struct node *node, unsigned depth)
{
	unsigned nodes = 1;

	must(depth <= LOAD_MOST_DEPTH || node->kind == NODE_SCALAR);
	must(node->origin.line > 0 && node->origin.column > 0);
	must((node->kind == NODE_SCALAR) == (node->text != NULL));
	for (const struct node *child = node->child; child; child = child->next) {
		must(node->kind != NODE_SCALAR && (node->kind == NODE_MAP) == (child->key != NULL));
		must(!child->key || node_member(node, child->key) == child);
		nodes += check(child, depth + 1);
	}
	return nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	auto_arena struct arena arena = { 0 };
	struct error err = { 0 };
	struct node *root = NULL;

	if (load_text(&arena, "fuzz", (const char *)bytes, size, &root, &err) == 0)
		must(check(root, 1) <= LOAD_MOST_NODES);
	else
		must(!root && err.errnum && err.frames && err.frame[0][0]);
	return 0;
}
