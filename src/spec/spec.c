/* SPDX-License-Identifier: Apache-2.0 */
/* Small questions to a spec. */
#include "spec/spec.h"

#include <errno.h>
#include <string.h>

#include "base/path.h"

static const struct origin built_in = { .layer = LAYER_DEFAULT };

const struct origin *spec_origin(const struct spec *spec, size_t offset)
{
	for (unsigned i = 0; i < spec->origin_count; i++)
		if (spec->origins[i].offset == offset)
			return &spec->origins[i].origin;
	return &built_in;
}

void spec_set_origin(struct spec *spec, size_t offset, const struct origin *origin)
{
	unsigned i = 0;

	while (i < spec->origin_count && spec->origins[i].offset != offset)
		i++;
	if (i == SPEC_ORIGINS)
		return;
	if (i == spec->origin_count)
		spec->origin_count++;
	spec->origins[i] = (struct field_origin){ offset, *origin };
}

bool string_list_has(const struct string_item *list, const char *text)
{
	for (; list; list = list->next)
		if (strcmp(list->text, text) == 0)
			return true;
	return false;
}

bool spec_may_lack(const struct spec *spec, const char *what)
{
	return string_list_has(spec->may_lack, what) || string_list_has(spec->may_lack, "all");
}

bool spec_requires(const struct spec *spec, const char *what)
{
	return string_list_has(spec->require, what);
}

bool spec_leaves(const struct spec *spec, const char *what)
{
	return string_list_has(spec->leave, what);
}

static int make_absolute(struct spec *spec, const char *cwd, const char **path, struct error *err)
{
	const char *clean;

	if ((*path)[0] != '/' && !cwd)
		return error_mistake(err, "\"%s\" is relative, and the current folder is gone", *path);
	clean = path_clean(&spec->arena, cwd, *path);
	if (!clean)
		return error_set(err, ENOMEM, "remembering a path");
	*path = clean;
	return 0;
}

int spec_make_absolute(struct spec *spec, const char *cwd, struct error *err)
{
	int rc = 0;

	if (spec->root && strcmp(spec->root, "empty") != 0)
		rc = make_absolute(spec, cwd, &spec->root, err);
	for (struct mount *mount = spec->mounts; rc == 0 && mount; mount = mount->next) {
		const bool is_host = mount->kind == MOUNT_RO || mount->kind == MOUNT_RW || mount->kind == MOUNT_OVERLAY;

		if (is_host)
			rc = make_absolute(spec, cwd, &mount->source, err);
		if (is_host && !mount->target)
			mount->target = mount->source;
	}
	return rc;
}
