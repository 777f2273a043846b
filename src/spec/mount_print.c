/* SPDX-License-Identifier: Apache-2.0 */
/* Things put into the tree, as a user would write them: what is printed reads back as the same. */
#include <stdio.h>
#include <string.h>

#include "spec/mount.h"

/* PATH with a backslash before each SPECIAL character, so that it reads back as it is. NULL: no memory. */
static const char *escape(struct arena *arena, const char *path, const char *special)
{
	char *copy = arena_alloc(arena, 2 * strlen(path) + 1), *out = copy;

	if (!copy)
		return NULL;
	while (*path) {
		if (*path == '\\' || strchr(special, *path))
			*out++ = '\\';
		*out++ = *path++;
	}
	return copy;
}

/* LIST, which may be empty, with ",NAME=VALUE". NULL: no memory. */
static const char *add_option(struct arena *arena, const char *list, const char *name, const char *value)
{
	if (!list || !value)
		return NULL;
	return arena_format(arena, "%s%s%s=%s", list, *list ? "," : "", name, value);
}

static const char *print_layers(const struct mount *mount, struct arena *arena, const char *list)
{
	for (unsigned i = 0; i < mount->lower_count; i++)
		list = add_option(arena, list, "lower", escape(arena, mount->lowers[i], ","));
	if (mount->upper)
		list = add_option(arena, list, "upper", escape(arena, mount->upper, ","));
	if (mount->work)
		list = add_option(arena, list, "work", escape(arena, mount->work, ","));
	return list;
}

static const char *print_options(const struct mount *mount, struct arena *arena)
{
	char number[NUMBER_TEXT];
	const char *list = "";

	if (mount->size_bytes != NUMBER_NONE)
		list = add_option(arena, list, "size", number_print_size(mount->size_bytes, number));
	if (mount->inodes != NUMBER_NONE)
		list = add_option(arena, list, "inodes", arena_format(arena, "%llu", (unsigned long long)mount->inodes));
	if (mount->has_mode)
		list = add_option(arena, list, "mode", arena_format(arena, "0%o", mount->mode));
	list = print_layers(mount, arena, list);
	return list && *list ? arena_format(arena, ":%s", list) : list;
}

static const char *print_value(const struct mount *mount, struct arena *arena)
{
	const char *target = escape(arena, mount->target, "=");
	const char *source = mount->source && !mount_has_content(mount->kind) ? escape(arena, mount->source, "") : mount->source;

	if (!target || !source)
		return mount->descriptor < 0 || !target ? NULL : arena_format(arena, "%s=fd:%d", target, mount->descriptor);
	return arena_format(arena, "%s=%s%s", target, mount_has_content(mount->kind) && mount->content == CONTENT_PATH ? "@" : "", source);
}

/* A source that is only known by its descriptor has no words of its own. */
static const char *print_source(const struct mount *mount, struct arena *arena)
{
	const char *given = mount->source ? mount->source : arena_format(arena, "/proc/self/fd/%d", mount->descriptor);
	const char *source = given ? escape(arena, given, ":") : NULL;
	const char *target = mount->target ? escape(arena, mount->target, "") : NULL;

	return source && target ? arena_format(arena, "%s:%s", source, target) : source;
}

const char *print_mount(const struct field *field, const void *item, struct arena *arena)
{
	const struct mount *mount = item;
	const char *target, *options;

	if (mount->kind != field->kind || mount->is_optional != field->is_optional)
		return NULL;
	switch (mount_rows[mount->kind].shape) {
	case SHAPE_SOURCE: return print_source(mount, arena);
	case SHAPE_VALUE: return print_value(mount, arena);
	case SHAPE_TARGET: return escape(arena, mount->target, "");
	default: break;
	}
	target = escape(arena, mount->target, ":");
	options = print_options(mount, arena);
	return target && options ? arena_format(arena, "%s%s", target, options) : NULL;
}
