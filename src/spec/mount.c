/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small language of things put into the tree:
 *   --ro SRC[:DST]   --rw SRC[:DST]   --overlay SRC[:DST]   --dir DST[:mode=0755]   --mask DST
 *   --tmpfs DST[:size=64M,inodes=1000,mode=1777]   --symlink DST=TARGET   --file DST=TEXT|@PATH|fd:N
 * A backslash makes the next character ordinary, so that paths may hold ":" and "=".
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "spec/type.h"

static const struct {
	const char *syntax, *name;
} kinds[] = {
	[MOUNT_RO] = { "SRC[:DST]", "ro" },
	[MOUNT_RW] = { "SRC[:DST]", "rw" },
	[MOUNT_TMPFS] = { "DST[:size=SIZE,inodes=N,mode=MODE]", "tmpfs" },
	[MOUNT_FILE] = { "DST=TEXT|@PATH|fd:N", "file" },
	[MOUNT_DIR] = { "DST[:mode=MODE]", "dir" },
	[MOUNT_SYMLINK] = { "DST=TARGET", "symlink" },
	[MOUNT_MASK] = { "DST", "mask" },
	[MOUNT_OVERLAY] = { "SRC[:DST]", "overlay" },
};

static const unsigned default_modes[] = { [MOUNT_TMPFS] = 01777, [MOUNT_DIR] = 0755, [MOUNT_FILE] = 0444, [MOUNT_OVERLAY] = 0 };

const char *mount_syntax(enum mount_kind kind)
{
	return kinds[kind].syntax;
}

/* Takes the text up to SEPARATOR (0: all) off *AT, without its backslashes. NULL: no memory. */
static char *take_part(struct arena *arena, const char **at, char separator)
{
	char *part = arena_alloc(arena, strlen(*at) + 1), *out = part;

	if (!part)
		return NULL;
	while (**at && **at != separator) {
		if (**at == '\\' && (*at)[1])
			(*at)++;
		*out++ = *(*at)++;
	}
	return part;
}

static int read_tmpfs_option(struct mount *mount, char *option, struct error *err)
{
	char *equals = strchr(option, '=');
	int rc = -EINVAL;

	if (!equals)
		return error_mistake(err, "\"%s\" is not size=, inodes= or mode=", option);
	*equals++ = '\0';
	if (strcmp(option, "mode") == 0)
		rc = number_parse_octal(equals, &mount->mode);
	else if (mount->kind == MOUNT_TMPFS && strcmp(option, "size") == 0)
		rc = number_parse_size(equals, &mount->size_bytes);
	else if (mount->kind == MOUNT_TMPFS && strcmp(option, "inodes") == 0)
		rc = number_parse(equals, INT32_MAX, &mount->inodes);
	return rc < 0 ? error_mistake(err, "\"%s=%s\" is not an option of %s", option, equals, kinds[mount->kind].name) : 0;
}

static int read_tmpfs_options(struct mount *mount, char *options, struct error *err)
{
	char *save = NULL;

	for (char *option = strtok_r(options, ",", &save); option; option = strtok_r(NULL, ",", &save)) {
		int rc = read_tmpfs_option(mount, option, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_content(struct mount *mount, const char *text, struct arena *arena, struct error *err)
{
	uint64_t number;

	if (text[0] == '@') {
		mount->content = CONTENT_PATH;
		text++;
	} else if (text_starts(text, "fd:")) {
		mount->content = CONTENT_DESCRIPTOR;
		if (number_parse(text + 3, INT32_MAX, &number) < 0)
			return error_mistake(err, "\"%s\" is not fd: and the number of an open descriptor", text);
		mount->descriptor = (int)number;
	}
	mount->source = arena_copy(arena, text);
	return mount->source ? 0 : refuse_memory(err);
}

static int read_parts(const struct value_text *value, struct mount *mount, struct error *err)
{
	const bool has_value = mount->kind == MOUNT_FILE || mount->kind == MOUNT_SYMLINK;
	const bool has_options = mount->kind == MOUNT_TMPFS || mount->kind == MOUNT_DIR;
	const char *at = value->text;
	char *first = take_part(value->arena, &at, has_value ? '=' : mount->kind == MOUNT_MASK ? '\0' : ':');
	char *second = NULL;

	if (first && *at++)
		second = mount->kind == MOUNT_FILE ? arena_copy(value->arena, at) : take_part(value->arena, &at, '\0');
	else if (has_value)
		return refuse_value(value, err, -EINVAL, kinds[mount->kind].syntax);
	if (!first || (mount->kind == MOUNT_FILE && !second))
		return refuse_memory(err);
	if (!*first || (second && !*second && mount->kind != MOUNT_FILE))
		return refuse_value(value, err, -EINVAL, kinds[mount->kind].syntax);
	if (has_options || has_value || mount->kind == MOUNT_MASK)
		mount->target = first;
	else
		mount->source = first;
	if (has_options)
		return second ? read_tmpfs_options(mount, second, err) : 0;
	if (mount->kind == MOUNT_FILE)
		return read_content(mount, second, value->arena, err);
	if (has_value)
		mount->source = second;
	else
		mount->target = second ? second : mount->target;
	return 0;
}

int read_mount(const struct value_text *value, void *member, struct error *err)
{
	const enum mount_kind kind = value->field->kind;
	struct mount *mount = arena_alloc(value->arena, sizeof(*mount)), **tail = member;
	int rc;

	if (!mount)
		return refuse_memory(err);
	*mount = (struct mount){ .kind = kind, .size_bytes = NUMBER_NONE, .inodes = NUMBER_NONE, .descriptor = -1,
				 .mode = default_modes[kind], .origin = *value->origin };
	rc = read_parts(value, mount, err);
	if (rc < 0)
		return rc;
	if (mount->target && mount->target[0] != '/')
		return error_mistake(err, "\"%s\": the place inside must be an absolute path", mount->target);
	while (*tail && (*tail)->origin.layer <= value->origin->layer)
		tail = &(*tail)->next;
	mount->next = *tail;
	*tail = mount;
	return 0;
}

/* PATH with a backslash before each SPECIAL character, so that it reads back as it is. */
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

static const char *print_tmpfs(const struct mount *mount, struct arena *arena)
{
	char size[NUMBER_TEXT], inodes[48] = "", mode[24] = "";

	if (mount->kind == MOUNT_DIR)
		return mount->mode == default_modes[MOUNT_DIR] ? "" : arena_format(arena, ":mode=0%o", mount->mode);
	if (mount->inodes != NUMBER_NONE)
		snprintf(inodes, sizeof(inodes), ",inodes=%llu", (unsigned long long)mount->inodes);
	if (mount->mode != default_modes[MOUNT_TMPFS])
		snprintf(mode, sizeof(mode), ",mode=0%o", mount->mode);
	if (mount->size_bytes == NUMBER_NONE && !*inodes && !*mode)
		return "";
	return arena_format(arena, ":size=%s%s%s", number_print_size(mount->size_bytes, size), inodes, mode);
}

static const char *print_mount(const struct mount *mount, struct arena *arena)
{
	const bool has_value = mount->kind == MOUNT_FILE || mount->kind == MOUNT_SYMLINK;
	const char *target = mount->target, *source = mount->source, *options = "";

	if (mount->kind == MOUNT_MASK)
		return escape(arena, target, "");
	if (mount->kind == MOUNT_TMPFS || mount->kind == MOUNT_DIR) {
		options = print_tmpfs(mount, arena);
		target = escape(arena, target, ":");
		return target && options ? arena_format(arena, "%s%s", target, options) : NULL;
	}
	if (has_value) {
		const char *mark = mount->kind == MOUNT_FILE && mount->content == CONTENT_PATH ? "@" : "";

		target = escape(arena, target, "=");
		source = mount->kind == MOUNT_FILE ? source : escape(arena, source, "");
		return target && source ? arena_format(arena, "%s=%s%s", target, mark, source) : NULL;
	}
	source = escape(arena, source, ":");
	target = target ? escape(arena, target, "") : NULL;
	return source && target ? arena_format(arena, "%s:%s", source, target) : source;
}

const char *print_mounts(const struct field *field, const void *member, struct arena *arena)
{
	const char *all = NULL;

	for (const struct mount *mount = *(struct mount *const *)member; mount; mount = mount->next) {
		const char *item = mount->kind == field->kind ? print_mount(mount, arena) : NULL;

		if (item)
			all = all ? arena_format(arena, "%s, %s", all, item) : item;
	}
	return all;
}
