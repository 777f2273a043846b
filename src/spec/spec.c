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
	if (i == SPEC_ORIGINS || (i == spec->origin_count && origin->layer == LAYER_DEFAULT)) /* that is what holds of all that are not here */
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

void spec_leave_limits(struct spec *spec)
{
	if (spec_leaves(spec, "limits") && SPEC_ORIGIN(spec, pids)->layer == LAYER_DEFAULT)
		spec->pids = NUMBER_NONE;
}

static int make_absolute(struct spec *spec, const char *cwd, const char **path, struct error *err)
{
	const char *clean;

	if ((*path)[0] != '/' && !cwd)
		return error_mistake(err, "\"%s\" is relative, and the current folder is gone", *path);
	if (spec->is_ordered) /* taken as it stands: ".." after a link leads where the kernel says */
		clean = (*path)[0] == '/' ? *path : arena_format(&spec->arena, "%s/%s", cwd, *path);
	else
		clean = path_clean(&spec->arena, cwd, *path);
	if (!clean)
		return error_set(err, ENOMEM, "remembering a path");
	*path = clean;
	return 0;
}

static int make_layers_absolute(struct spec *spec, const char *cwd, struct mount *mount, struct error *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < mount->lower_count; i++)
		rc = make_absolute(spec, cwd, &mount->lowers[i], err);
	if (rc == 0 && mount->upper)
		rc = make_absolute(spec, cwd, &mount->upper, err);
	return rc < 0 || !mount->work ? rc : make_absolute(spec, cwd, &mount->work, err);
}

int spec_make_absolute(struct spec *spec, const char *cwd, struct error *err)
{
	int rc = 0;

	if (spec->root && strcmp(spec->root, "empty") != 0)
		rc = make_absolute(spec, cwd, &spec->root, err);
	for (struct mount *mount = spec->mounts; rc == 0 && mount; mount = mount->next) {
		const bool is_host = mount_is_of_host(mount) && mount->source;

		rc = is_host ? make_absolute(spec, cwd, &mount->source, err) : make_layers_absolute(spec, cwd, mount, err);
		if (is_host && !mount->target)
			mount->target = mount->source;
	}
	return rc;
}

bool spec_stays(const struct spec *spec)
{
	return spec->name || spec->pod || spec->is_detached;
}
