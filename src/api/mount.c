/* SPDX-License-Identifier: Apache-2.0 */
/* The exported part about things in the tree that are said in members: what words say by escapes is literal here. */
#include <errno.h>

#include "api/api.h"
#include "feature/feature.h"

static int copy_text(struct arena *arena, const char *from, const char **to, struct error *err)
{
	if (!from)
		return 0;
	*to = arena_copy(arena, from);
	return *to ? 0 : error_set(err, ENOMEM, "remembering \"%s\"", from);
}

static int copy_layers(struct arena *arena, const struct immure_mount *from, struct mount *to, struct error *err)
{
	unsigned count = 0;
	int rc = 0;

	while (from->lowers && from->lowers[count])
		count++;
	if (count)
		to->lowers = arena_alloc(arena, (count + 1) * sizeof(*to->lowers));
	if (count && !to->lowers)
		return error_set(err, ENOMEM, "remembering layers");
	for (; rc == 0 && to->lower_count < count; to->lower_count++)
		rc = copy_text(arena, from->lowers[to->lower_count], &to->lowers[to->lower_count], err);
	if (rc == 0)
		rc = copy_text(arena, from->upper, &to->upper, err);
	return rc < 0 ? rc : copy_text(arena, from->work, &to->work, err);
}

static int copy_rest(struct arena *arena, const struct immure_mount *from, struct mount *to, struct error *err)
{
	int rc = copy_text(arena, from->source, &to->source, err);

	if (rc == 0)
		rc = copy_text(arena, from->target, &to->target, err);
	to->descriptor = from->descriptor < 0 ? -1 : from->descriptor;
	if (to->descriptor >= 0 && mount_has_content(to->kind))
		to->content = CONTENT_DESCRIPTOR;
	if (from->mode >= 0) {
		to->mode = (unsigned)from->mode;
		to->has_mode = true;
	}
	if (from->size)
		to->size_bytes = from->size;
	to->is_optional |= from->is_optional != 0;
	return rc < 0 ? rc : copy_layers(arena, from, to, err);
}

enum takes { SOURCE = 1, DESCRIPTOR = 2, MODE = 4, SIZE = 8, OPTIONAL = 16, LOWERS = 32, UPPER = 64 };

/* What else than a target a kind can have. The rest would be lost silently, and is somebody's mistake. */
static const unsigned taken[MOUNT_KINDS] = {
	[MOUNT_RO] = SOURCE | DESCRIPTOR | OPTIONAL, [MOUNT_RW] = SOURCE | DESCRIPTOR | OPTIONAL,
	[MOUNT_RW_DEV] = SOURCE | DESCRIPTOR | OPTIONAL, [MOUNT_OVERLAY] = SOURCE, [MOUNT_SYMLINK] = SOURCE,
	[MOUNT_FILE] = SOURCE | DESCRIPTOR | MODE, [MOUNT_DATA] = SOURCE | DESCRIPTOR | MODE, [MOUNT_DATA_RO] = SOURCE | DESCRIPTOR | MODE,
	[MOUNT_TMPFS] = MODE | SIZE, [MOUNT_DIR] = MODE, [MOUNT_CHMOD] = MODE, [MOUNT_LAYERS] = LOWERS | UPPER, [MOUNT_LAYERS_RO] = LOWERS,
};

static int check_taken(const struct immure_mount *from, enum mount_kind kind, struct error *err)
{
	const struct { unsigned member; const char *name; bool is_there; } rows[] = {
		{ SOURCE, "source", from->source }, { DESCRIPTOR, "descriptor (-1: none)", from->descriptor >= 0 },
		{ MODE, "mode (-1: none)", from->mode >= 0 }, { SIZE, "size", from->size }, { OPTIONAL, "is_optional", from->is_optional },
		{ LOWERS, "lowers", from->lowers }, { UPPER, "upper", from->upper }, { UPPER, "work", from->work },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].is_there && !(taken[kind] & rows[i].member))
			return error_mistake(err, "%s takes no %s", from->key, rows[i].name);
	if (from->source && from->descriptor >= 0)
		return error_mistake(err, "%s takes a source or a descriptor (-1: none), not both", from->key);
	return from->mode <= 07777 ? 0 : error_mistake(err, "%s: a mode is at most 07777", from->key);
}

/* What words cannot leave out. */
static int check_members(const struct mount *mount, const char *key, struct error *err)
{
	const bool wants_source = mount_is_of_host(mount) || mount_has_content(mount->kind) || mount->kind == MOUNT_SYMLINK;

	if (!mount->target && (!mount_is_of_host(mount) || !mount->source))
		return error_mistake(err, "%s wants a place inside", key);
	if (wants_source && !mount->source && mount->descriptor < 0)
		return error_mistake(err, "%s wants a source", key);
	if (mount->source && !*mount->source && !mount_has_content(mount->kind))
		return error_mistake(err, "%s wants a source that is not empty", key);
	return mount_check(mount, err);
}

static int add(struct spec *spec, const struct immure_mount *from, const char *where, struct error *err)
{
	const struct field *field = from->key ? find_field(from->key) : NULL;
	struct origin origin = { .layer = LAYER_COMMAND };
	struct mount *mount;
	int rc;

	if (!field || field->type != FIELD_MOUNTS)
		return error_mistake(err, "there is no kind of mount \"%s\"", from->key ? from->key : "");
	origin.source = where ? arena_copy(&spec->arena, where) : arena_format(&spec->arena, "--%s", from->key);
	mount = origin.source ? mount_new(&spec->arena, field->kind, &origin) : NULL;
	if (!mount)
		return error_set(err, ENOMEM, "setting %s", from->key);
	mount->is_optional = field->is_optional;
	rc = check_taken(from, field->kind, err);
	if (rc == 0)
		rc = copy_rest(&spec->arena, from, mount, err);
	if (rc == 0)
		rc = check_members(mount, from->key, err);
	if (rc < 0)
		return error_while(err, "%s", origin.source);
	mount_insert(&spec->mounts, mount);
	spec_set_origin(spec, field->offset, &origin);
	return 0;
}

int immure_spec_mount(struct immure_spec *spec, const struct immure_mount *mount, const char *where, struct immure_error *out)
{
	struct error err = { 0 };
	int rc = add(&spec->spec, mount, where, &err);

	spec->is_resolved = false;
	return tell(out, &err, rc, 125);
}
