/* SPDX-License-Identifier: Apache-2.0 */
/* Origins and mounts as bytes. A mount goes member by member, by rows, so that none is left out. */
#include "spec/mount_parcel.h"

#include <stddef.h>
#include <string.h>

#include "spec/mount.h"

#define SIZE(member) sizeof(((struct mount *)NULL)->member)
#define NUMBER(member, greatest) { MEMBER_NUMBER, offsetof(struct mount, member), SIZE(member), 0, greatest }
#define TEXT(member) { MEMBER_TEXT, offsetof(struct mount, member), SIZE(member), 0, 0 }
#define MANY(type, member, count) { type, offsetof(struct mount, member), SIZE(member), offsetof(struct mount, count), 0 }

/* content_size and lower_count go with what they count; origin goes first, next is the list. */
const struct mount_member mount_members[MOUNT_MEMBERS] = {
	NUMBER(kind, MOUNT_KINDS - 1), TEXT(source), TEXT(target), NUMBER(content, CONTENT_DESCRIPTOR),
	MANY(MEMBER_BYTES, bytes, content_size), NUMBER(descriptor, UINT32_MAX), NUMBER(device, UINT64_MAX), NUMBER(inode, UINT64_MAX),
	NUMBER(size_bytes, UINT64_MAX), NUMBER(inodes, UINT64_MAX), NUMBER(mode, 07777), NUMBER(has_mode, true),
	NUMBER(is_optional, true), MANY(MEMBER_TEXTS, lowers, lower_count), TEXT(upper), TEXT(work),
};

void parcel_add_origin(struct text *out, const struct origin *origin)
{
	parcel_add_number(out, origin->layer);
	parcel_add_text(out, origin->source);
	parcel_add_number(out, (unsigned)origin->line);
	parcel_add_number(out, (unsigned)origin->column);
}

struct origin parcel_take_origin(struct parcel *from)
{
	struct origin origin = { .layer = (enum layer)parcel_take_number(from, LAYER_COMMAND) };

	origin.source = parcel_take_text(from);
	origin.line = (int)parcel_take_number(from, INT32_MAX);
	origin.column = (int)parcel_take_number(from, INT32_MAX);
	return origin;
}

static uint64_t get_number(const void *at, size_t size)
{
	return size == sizeof(bool) ? *(const bool *)at : size == sizeof(unsigned) ? *(const unsigned *)at : *(const uint64_t *)at;
}

static void set_number(void *at, size_t size, uint64_t number)
{
	if (size == sizeof(bool))
		*(bool *)at = number != 0;
	else if (size == sizeof(unsigned))
		*(unsigned *)at = (unsigned)number;
	else
		*(uint64_t *)at = number;
}

static void add_texts(struct text *out, const char *const *texts, unsigned count)
{
	parcel_add_number(out, count);
	for (unsigned i = 0; i < count; i++)
		parcel_add_text(out, texts[i]);
}

static void add_member(struct text *out, const struct mount_member *row, const char *mount)
{
	const void *at = mount + row->offset;

	switch (row->type) {
	case MEMBER_NUMBER: parcel_add_number(out, get_number(at, row->size)); break;
	case MEMBER_TEXT: parcel_add_text(out, *(const char *const *)at); break;
	case MEMBER_BYTES: parcel_add_bytes(out, *(const char *const *)at, *(const size_t *)(mount + row->count)); break;
	case MEMBER_TEXTS: add_texts(out, *(const char *const *const *)at, *(const unsigned *)(mount + row->count)); break;
	}
}

/* NULL without any, as a mount that never had one. */
static const char **take_texts(struct parcel *from, struct arena *arena, unsigned *count)
{
	const size_t size = parcel_take_count(from);
	const char **texts = size ? arena_alloc(arena, (size + 1) * sizeof(*texts)) : NULL;

	from->is_bad |= size && !texts;
	*count = texts ? (unsigned)size : 0;
	for (unsigned i = 0; i < *count; i++)
		texts[i] = parcel_take_word(from);
	return texts;
}

static void take_member(struct parcel *from, const struct mount_member *row, char *mount, struct arena *arena)
{
	void *at = mount + row->offset;

	switch (row->type) {
	case MEMBER_NUMBER: set_number(at, row->size, parcel_take_number(from, row->most)); break;
	case MEMBER_TEXT: *(const char **)at = parcel_take_text(from); break;
	case MEMBER_BYTES: *(const char **)at = parcel_take_bytes(from, (size_t *)(mount + row->count)); break;
	case MEMBER_TEXTS: *(const char ***)at = take_texts(from, arena, (unsigned *)(mount + row->count)); break;
	}
}

void parcel_add_mount(struct text *out, const struct mount *mount)
{
	parcel_add_origin(out, &mount->origin);
	for (size_t i = 0; i < ARRAY_SIZE(mount_members); i++)
		add_member(out, &mount_members[i], (const char *)mount);
}

struct mount *parcel_take_mount(struct parcel *from, struct arena *arena)
{
	struct mount *mount = arena_alloc(arena, sizeof(*mount));

	if (!mount)
		return NULL;
	mount->origin = parcel_take_origin(from);
	for (size_t i = 0; i < ARRAY_SIZE(mount_members); i++)
		take_member(from, &mount_members[i], (char *)mount, arena);
	return from->is_bad ? NULL : mount;
}

bool mount_is_whole(const struct mount *mount)
{
	const bool has_content = mount_has_content(mount->kind);

	if (!mount->target || mount_check(mount, NULL) < 0)
		return false;
	if (has_content)
		return mount->bytes || (mount->content == CONTENT_TEXT && mount->source);
	return mount->source || !(mount_is_of_host(mount) || mount->kind == MOUNT_SYMLINK);
}
