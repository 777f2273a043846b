/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shipped profiles, as tools/gen-filters.c wrote them at build time: each as a finished program, which is all
 * that a common run touches, and as a packed tree, from which the rules are read again when someone wants to
 * change or explain them. The tree holds no pointers: nothing to relocate at start.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "filter/pack.h"
#include "filter/shipped.h"

const struct filter *filter_at(unsigned index)
{
	return index < shipped_count ? &shipped_filters[index] : NULL;
}

const struct filter *filter_find(const char *name)
{
	for (unsigned i = 0; i < shipped_count; i++)
		if (strcmp(shipped_filters[i].name, name) == 0)
			return &shipped_filters[i];
	return NULL;
}

static int refuse_name(const char *name, struct error *err)
{
	char names[ERROR_TEXT] = "";
	size_t used = 0;

	for (unsigned i = 0; i < shipped_count && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "", shipped_filters[i].name);
	error_mistake(err, "no shipped seccomp profile is called \"%s\"", name);
	error_remedy(err, "E-SECCOMP-PROFILE", "one of %s, or the path of a file", names);
	return -EINVAL;
}

int profile_shipped(struct arena *arena, const char *name, const struct profile **profile, struct error *err)
{
	const struct filter *filter = filter_find(name);
	const struct packed *packed;
	struct node *root = NULL;
	const char *source;

	if (!filter)
		return refuse_name(name, err);
	packed = &shipped_sources[filter - shipped_filters];
	source = arena_format(arena, "profile %s", name);
	if (source)
		root = node_unpack(arena, source, packed->bytes, packed->size);
	if (!root)
		return error_set(err, ENOMEM, "read the profile %s", name);
	return profile_read(arena, root, filter->name, profile, err);
}
