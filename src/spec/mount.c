/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small language of things put into the tree:
 *   --ro SRC[:DST]   --rw SRC[:DST]   --rw-dev SRC[:DST]   --overlay SRC[:DST]   --mask DST
 *   --dir DST[:mode=0755]   --tmpfs DST[:size=64M,inodes=1000,mode=1777]   --symlink DST=TARGET
 *   --file DST=TEXT|@PATH|fd:N   --data and --data-ro like it   --chmod DST:mode=0700
 *   --layers DST:lower=A,lower=B,upper=U,work=W   --layers-ro DST:lower=A,lower=B
 *   --new-proc DST   --new-dev DST   --mqueue DST   --seal DST
 * A backslash makes the next character ordinary, so that paths may hold ":", "=" and ",".
 */
#include "spec/mount.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

#define SOURCE(name) { "SRC[:DST]", name, SHAPE_SOURCE, 0, 0 }
#define CONTENT(name) { "DST=TEXT|@PATH|fd:N", name, SHAPE_VALUE, 0, 0444 }
#define TARGET(name) { "DST", name, SHAPE_TARGET, 0, 0 }

const struct mount_row mount_rows[MOUNT_KINDS] = {
	[MOUNT_RO] = SOURCE("ro"), [MOUNT_RW] = SOURCE("rw"), [MOUNT_RW_DEV] = SOURCE("rw-dev"), [MOUNT_OVERLAY] = SOURCE("overlay"),
	[MOUNT_TMPFS] = { "DST[:size=SIZE,inodes=N,mode=MODE]", "tmpfs", SHAPE_OPTIONS, OPTION_MODE | OPTION_SIZE | OPTION_INODES, 01777 },
	[MOUNT_DIR] = { "DST[:mode=MODE]", "dir", SHAPE_OPTIONS, OPTION_MODE, 0755 },
	[MOUNT_CHMOD] = { "DST:mode=MODE", "chmod", SHAPE_OPTIONS, OPTION_MODE, 0 },
	[MOUNT_LAYERS] = { "DST:lower=DIR,...[,upper=DIR,work=DIR]", "layers", SHAPE_OPTIONS, OPTION_LOWER | OPTION_UPPER | OPTION_WORK, 0 },
	[MOUNT_LAYERS_RO] = { "DST:lower=DIR,lower=DIR,...", "layers-ro", SHAPE_OPTIONS, OPTION_LOWER, 0 },
	[MOUNT_FILE] = CONTENT("file"), [MOUNT_DATA] = CONTENT("data"), [MOUNT_DATA_RO] = CONTENT("data-ro"),
	[MOUNT_SYMLINK] = { "DST=TARGET", "symlink", SHAPE_VALUE, 0, 0 },
	[MOUNT_MASK] = TARGET("mask"), [MOUNT_NEW_PROC] = TARGET("new-proc"), [MOUNT_NEW_DEV] = TARGET("new-dev"),
	[MOUNT_MQUEUE] = TARGET("mqueue"), [MOUNT_SEAL] = TARGET("seal"),
};

const char *mount_syntax(enum mount_kind kind)
{
	return mount_rows[kind].syntax;
}

bool mount_has_content(enum mount_kind kind)
{
	return kind == MOUNT_FILE || kind == MOUNT_DATA || kind == MOUNT_DATA_RO;
}

bool mount_is_of_host(const struct mount *mount)
{
	return mount_rows[mount->kind].shape == SHAPE_SOURCE;
}

struct mount *mount_new(struct arena *arena, enum mount_kind kind, const struct origin *origin)
{
	struct mount *mount = arena_alloc(arena, sizeof(*mount));

	if (mount)
		*mount = (struct mount){ .kind = kind, .size_bytes = NUMBER_NONE, .inodes = NUMBER_NONE, .descriptor = -1,
					 .mode = mount_rows[kind].mode, .origin = *origin };
	return mount;
}

void mount_insert(struct mount **list, struct mount *mount)
{
	while (*list && (*list)->origin.layer <= mount->origin.layer)
		list = &(*list)->next;
	mount->next = *list;
	*list = mount;
}

int mount_check(const struct mount *mount, struct error *err)
{
	if (mount->target && mount->target[0] != '/')
		return error_mistake(err, "\"%s\": the place inside must be an absolute path", mount->target);
	if (mount->kind == MOUNT_CHMOD && !mount->has_mode)
		return error_mistake(err, "\"%s\": chmod wants mode=", mount->target);
	if (!mount->upper != !mount->work)
		return error_mistake(err, "\"%s\": upper= and work= go together", mount->target);
	if (mount->kind == MOUNT_LAYERS && !mount->lower_count)
		return error_mistake(err, "\"%s\": layers wants lower= at least once", mount->target);
	if (mount->kind == MOUNT_LAYERS_RO && mount->lower_count < 2)
		return error_mistake(err, "\"%s\": layers-ro wants lower= at least twice", mount->target);
	return 0;
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

static int add_lower(struct mount *mount, struct arena *arena, const char *path, size_t most, struct error *err)
{
	if (!mount->lowers)
		mount->lowers = arena_alloc(arena, (most + 1) * sizeof(*mount->lowers));
	if (!mount->lowers)
		return refuse_memory(err);
	mount->lowers[mount->lower_count++] = path;
	return 0;
}

static unsigned option_of(const char *name)
{
	static const struct { const char *name; unsigned option; } names[] = {
		{ "mode", OPTION_MODE }, { "size", OPTION_SIZE }, { "inodes", OPTION_INODES },
		{ "lower", OPTION_LOWER }, { "upper", OPTION_UPPER }, { "work", OPTION_WORK },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].option;
	return 0;
}

static int set_option(struct mount *mount, unsigned option, const char *value)
{
	switch (option) {
	case OPTION_MODE:
		mount->has_mode = true;
		return number_parse_octal(value, &mount->mode);
	case OPTION_SIZE: return number_parse_size(value, &mount->size_bytes);
	case OPTION_INODES: return number_parse(value, INT32_MAX, &mount->inodes);
	case OPTION_UPPER: mount->upper = value; break;
	case OPTION_WORK: mount->work = value; break;
	default: return -EINVAL;
	}
	return *value ? 0 : -EINVAL;
}

/* ROOM: how many there can be at most. */
static int read_option(struct mount *mount, char *option, struct arena *arena, size_t room, struct error *err)
{
	const struct mount_row *row = &mount_rows[mount->kind];
	char *equals = strchr(option, '=');
	unsigned which;

	if (!equals)
		return error_mistake(err, "\"%s\" is not an option of %s, as in %s", option, row->name, row->syntax);
	*equals++ = '\0';
	which = option_of(option) & row->options;
	if (which == OPTION_LOWER && *equals)
		return add_lower(mount, arena, equals, room, err);
	if (which && set_option(mount, which, equals) == 0)
		return 0;
	return error_mistake(err, "\"%s=%s\" is not an option of %s", option, equals, row->name);
}

static int read_options(struct mount *mount, const char *at, struct arena *arena, struct error *err)
{
	const size_t room = strlen(at) / 2;

	while (*at) {
		char *option = take_part(arena, &at, ',');
		int rc = !option ? refuse_memory(err) : *option ? read_option(mount, option, arena, room, err) : 0;

		if (rc < 0)
			return rc;
		at += *at == ',';
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

/* What follows DST=. */
static int read_value(const struct value_text *value, struct mount *mount, const char *at, struct error *err)
{
	if (mount_has_content(mount->kind))
		return read_content(mount, at, value->arena, err);
	mount->source = take_part(value->arena, &at, '\0');
	if (!mount->source)
		return refuse_memory(err);
	return *mount->source ? 0 : refuse_value(value, err, -EINVAL, mount_syntax(mount->kind));
}

static int read_source(const struct value_text *value, struct mount *mount, const char *at, struct error *err)
{
	mount->source = mount->target;
	mount->target = NULL;
	if (!at)
		return 0;
	mount->target = take_part(value->arena, &at, '\0');
	if (!mount->target)
		return refuse_memory(err);
	return *mount->target ? 0 : refuse_value(value, err, -EINVAL, mount_syntax(mount->kind));
}

static int read_parts(const struct value_text *value, struct mount *mount, struct error *err)
{
	static const char separators[] = { [SHAPE_SOURCE] = ':', [SHAPE_OPTIONS] = ':', [SHAPE_VALUE] = '=', [SHAPE_TARGET] = '\0' };
	const enum mount_shape shape = mount_rows[mount->kind].shape;
	const char *at = value->text;

	mount->target = take_part(value->arena, &at, separators[shape]);
	if (!mount->target)
		return refuse_memory(err);
	if (!*mount->target || (*at && !at[1] && shape != SHAPE_VALUE))
		return refuse_value(value, err, -EINVAL, mount_syntax(mount->kind));
	at = *at ? at + 1 : NULL;
	switch (shape) {
	case SHAPE_SOURCE: return read_source(value, mount, at, err);
	case SHAPE_OPTIONS: return at ? read_options(mount, at, value->arena, err) : 0;
	case SHAPE_VALUE: return at ? read_value(value, mount, at, err) : refuse_value(value, err, -EINVAL, mount_syntax(mount->kind));
	default: return 0;
	}
}

int read_mount(const struct value_text *value, void *member, struct error *err)
{
	struct mount *mount = mount_new(value->arena, value->field->kind, value->origin);
	int rc;

	if (!mount)
		return refuse_memory(err);
	mount->is_optional = value->field->is_optional;
	rc = read_parts(value, mount, err);
	if (rc == 0)
		rc = mount_check(mount, err);
	if (rc == 0)
		mount_insert(member, mount);
	return rc;
}
