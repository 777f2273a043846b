/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The features in the order in which they plan. Steps are sorted by phase, so the order matters only
 * within one phase, and for what one feature tells the next through the plan: namespaces first (they
 * say which worlds the jail has), then ids (who the program is), then what fills the tree, then what
 * reads the finished tree (Landlock, checks), and the program last.
 */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "feature/pod.h"

extern const struct feature feature_namespaces, feature_ids, feature_limits, feature_tree, feature_mounts, feature_kernel_files,
	feature_identity, feature_environment, feature_capabilities, feature_seccomp, feature_landlock, feature_rlimits,
	feature_running, feature_check, feature_policy, feature_leave, feature_ordered, feature_life, feature_lifetime,
	feature_staying;

const struct feature *const features[] = {
	&feature_policy, &feature_life, &feature_staying, &feature_namespaces, &feature_ids, &feature_limits, &feature_tree, &feature_ordered,
	&feature_kernel_files, &feature_mounts, &feature_identity, &feature_environment, &feature_rlimits, &feature_capabilities, &feature_landlock,
	&feature_seccomp, &feature_running, &feature_leave, &feature_lifetime, &feature_check, NULL,
};

const struct field *find_field(const char *key)
{
	for (const struct feature *const *f = features; *f; f++)
		for (const struct field *row = (*f)->fields; row && row->key; row++)
			if (strcmp(row->key, key) == 0)
				return row;
	return NULL;
}

const struct field *find_field_by_letter(char letter)
{
	for (const struct feature *const *f = features; *f; f++)
		for (const struct field *row = (*f)->fields; row && row->key; row++)
			if (row->letter == letter)
				return row;
	return NULL;
}

const char *find_nearest_key(const char *key)
{
	const char *nearest = NULL;
	unsigned least = (unsigned)strlen(key) / 3 + 2;

	for (const struct feature *const *f = features; *f; f++) {
		for (const struct field *row = (*f)->fields; row && row->key; row++) {
			unsigned distance = text_distance(row->key, key);

			if (distance >= least)
				continue;
			least = distance;
			nearest = row->key;
		}
	}
	return nearest;
}

int spec_default(struct spec *spec, struct error *err)
{
	static const struct origin origin = { .layer = LAYER_DEFAULT };

	for (const struct feature *const *f = features; *f; f++) {
		for (const struct field *row = (*f)->fields; row && row->key; row++) {
			int rc = row->fallback ? field_set(row, spec, row->fallback, &origin, err) : 0;

			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int plan_all(struct plan *plan, const struct spec *spec, const struct host *host, struct error *err)
{
	for (const struct feature *const *f = features; *f; f++) {
		int rc = (*f)->check ? (*f)->check(spec, host, err) : 0;

		if (rc < 0)
			return rc;
	}
	for (const struct feature *const *f = features; *f; f++) {
		plan->feature = (*f)->name;
		if ((*f)->plan)
			(*f)->plan(plan, spec, host);
	}
	plan->err = NULL; /* the caller's story is not the plan's */
	if (plan->is_refused)
		return -EINVAL;
	if (spec->is_holder)
		pod_hold(plan);
	plan_sort(plan);
	if (plan->is_short || plan->tree->is_full)
		return error_set(err, E2BIG, "planning: more steps or mounts than a plan holds (%d, %d)", PLAN_STEPS, TREE_ITEMS);
	return 0;
}

int plan_make(struct plan *plan, struct arena *arena, const struct spec *spec, const struct host *host, struct error *err)
{
	struct tree tree;
	int rc;

	tree.count = 0; /* which says how many items there are */
	tree.is_full = false;
	memset(plan, 0, offsetof(struct plan, steps)); /* likewise */
	plan->arena = arena;
	plan->slots = SLOT_FREE;
	plan->err = err;
	plan->tree = &tree;
	rc = plan_all(plan, spec, host, err);
	plan->tree = NULL;
	if (rc < 0)
		return rc;
	plan->tree = tree_copy(&tree, arena);
	return plan->tree ? 0 : error_set(err, ENOMEM, "planning");
}
