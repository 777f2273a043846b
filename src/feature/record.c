/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a policy from the rows. */
#include "feature/record.h"

#include <errno.h>

#include "base/json.h"
#include "feature/feature.h"

struct record {
	const struct spec *spec;
	struct text *out;
	struct arena arena;
	const struct field *field;
	unsigned items;
	bool has_order;         /* of mounts, and it counts: they are listed one by one */
};

static void begin_setting(struct record *record, const char *key)
{
	text_add(record->out, record->out->bytes[record->out->used - 1] == '{' ? "\n  " : ",\n  ");
	json_add_string(record->out, key);
	text_add(record->out, ": ");
}

static int add_item(void *argument, const char *text, const struct origin *origin)
{
	struct record *record = argument;

	if (origin->layer == LAYER_DEFAULT)
		return 0;
	if (!record->items)
		begin_setting(record, record->field->key);
	if (field_is_list(record->field))
		text_add(record->out, record->items ? ", " : "[");
	json_add_string(record->out, text);
	record->items++;
	return 0;
}

static int add_field(struct record *record, const struct field *field)
{
	int rc;

	record->field = field;
	record->items = 0;
	rc = field_each(field, record->spec, &record->arena, add_item, record);
	if (record->items && field_is_list(field))
		text_add(record->out, "]");
	return rc;
}

static int add_pair(void *argument, const char *text, const struct origin *origin)
{
	struct record *record = argument;

	(void)origin;
	text_add(record->out, record->items++ ? ", {" : "{");
	json_add_string(record->out, record->field->key);
	text_add(record->out, ": ");
	json_add_string(record->out, text);
	text_add(record->out, "}");
	return 0;
}

/* One mount at a time, by whichever row has it. */
static int add_mounts(struct record *record)
{
	struct spec one = { .mounts = NULL };
	int rc = 0;

	begin_setting(record, "mounts");
	text_add(record->out, "[");
	record->items = 0;
	for (const struct mount *mount = record->spec->mounts; rc == 0 && mount; mount = mount->next) {
		struct mount alone = *mount;

		alone.next = NULL;
		one.mounts = &alone;
		for (const struct feature *const *f = features; rc == 0 && *f; f++)
			for (const struct field *row = (*f)->fields; rc == 0 && row && row->key; row++) {
				record->field = row;
				if (row->type == FIELD_MOUNTS)
					rc = field_each(row, &one, &record->arena, add_pair, record);
			}
	}
	text_add(record->out, "]");
	return rc;
}

/* Without --ordered the later one of the same place wins, and nothing else depends on it. */
static bool has_order(const struct spec *spec)
{
	for (const struct mount *mount = spec->mounts; mount; mount = mount->next)
		for (const struct mount *later = mount->next; later; later = later->next)
			if (spec->is_ordered || text_same(mount->target, later->target))
				return true;
	return false;
}

static bool is_recorded(const struct record *record, const struct field *field)
{
	if (field->is_hidden_in_files || field->offset == offsetof(struct spec, preset))
		return false;
	return field->type != FIELD_MOUNTS || !record->has_order;
}

static void add_command(struct record *record)
{
	char **word = record->spec->command;

	if (!word)
		return;
	begin_setting(record, "command");
	for (const char *gap = "["; *word; word++, gap = ", ") {
		text_add(record->out, "%s", gap);
		json_add_string(record->out, *word);
	}
	text_add(record->out, "]");
}

int spec_record(const struct spec *spec, struct text *out)
{
	struct record record = { .spec = spec, .out = out, .has_order = has_order(spec) };
	int rc = 0;

	text_add(out, "{");
	for (const struct feature *const *f = features; !out->is_short && rc == 0 && *f; f++)
		for (const struct field *row = (*f)->fields; rc == 0 && row && row->key; row++)
			if (is_recorded(&record, row))
				rc = add_field(&record, row);
	if (!out->is_short && rc == 0 && record.has_order)
		rc = add_mounts(&record);
	if (!out->is_short)
		add_command(&record);
	text_add(out, "\n}\n");
	arena_free(&record.arena);
	return out->is_short ? -ENOMEM : rc;
}
