/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields: find the member, remember the origin, report a bad value in the user's words. What each
 * type means is in scalar.c, list.c and mount.c; this file only knows that types are rows too.
 */
#include "spec/field.h"

#include <errno.h>
#include <string.h>

#include "spec/type.h"

#define ITEMS(item) &(const struct item_shape){ offsetof(struct item, origin), offsetof(struct item, next) }

static const struct type_row types[FIELD_TYPES] = {
	[FIELD_FLAG] = { "flag", NULL, read_flag, print_flag, NULL },
	[FIELD_COUNT] = { "count", "N", read_count, print_count, NULL },
	[FIELD_SIZE] = { "size", "SIZE", read_size, print_size, NULL },
	[FIELD_DURATION] = { "duration", "TIME", read_duration, print_duration, NULL },
	[FIELD_SHARE] = { "share", "N", read_share, print_share, NULL },
	[FIELD_OCTAL] = { "octal", "MODE", read_octal, print_octal, NULL },
	[FIELD_ENUM] = { "enum", "WORD", read_enum, print_enum, NULL },
	[FIELD_NAME] = { "name", "NAME", read_name, print_name, NULL },
	[FIELD_PATH] = { "path", "PATH", read_name, print_name, NULL },
	[FIELD_STRINGS] = { "strings", "TEXT", read_string, print_string, ITEMS(string_item) },
	[FIELD_WORDS] = { "words", "WORD[,...]", read_words, print_string, ITEMS(string_item) },
	[FIELD_MOUNTS] = { "mounts", "MOUNT", read_mount, print_mount, ITEMS(mount) },
	[FIELD_ID_MAPS] = { "id-maps", "INSIDE:OUTSIDE:COUNT", read_id_map, print_id_map, ITEMS(id_map) },
	[FIELD_RLIMITS] = { "rlimits", "NAME=SOFT[:HARD]", read_rlimit, print_rlimit, ITEMS(rlimit_item) },
	[FIELD_PORTS] = { "ports", "PORT", read_port, print_port, ITEMS(port_item) },
	[FIELD_NAMESPACE] = { "namespace", "new|host|join:JAIL|PID|PATH", read_namespace, print_namespace, NULL },
};

bool field_is_list(const struct field *field)
{
	return types[field->type].items != NULL;
}

const char *field_type_name(const struct field *field)
{
	return types[field->type].name;
}

const char *field_metavar(const struct field *field)
{
	if (field->metavar)
		return field->metavar;
	if (field->type == FIELD_MOUNTS)
		return mount_syntax(field->kind);
	return types[field->type].metavar;
}

int field_each(const struct field *field, const struct spec *spec, struct arena *arena, field_visitor visit, void *argument)
{
	const struct type_row *type = &types[field->type];
	const char *member = (const char *)spec + field->offset;
	const char *text = type->items ? NULL : type->print(field, member, arena);
	int rc = text ? visit(argument, text, spec_origin(spec, field->offset)) : 0;

	if (!type->items)
		return rc;
	for (const char *item = *(const char *const *)member; rc == 0 && item; item = *(const char *const *)(item + type->items->next)) {
		text = type->print(field, item, arena);
		rc = text ? visit(argument, text, (const struct origin *)(item + type->items->origin)) : 0;
	}
	return rc;
}

struct joined {
	struct arena *arena;
	const char *text;
};

static int join(void *argument, const char *text, const struct origin *origin)
{
	struct joined *all = argument;

	(void)origin;
	all->text = all->text ? arena_format(all->arena, "%s, %s", all->text, text) : text;
	return all->text ? 0 : -ENOMEM;
}

const char *field_print(const struct field *field, const struct spec *spec, struct arena *arena)
{
	struct joined all = { arena, NULL };

	return field_each(field, spec, arena, join, &all) == 0 && all.text ? all.text : "";
}

/* Room for a value of any type that holds one: of a layer that is overruled already, it is read only to be judged. */
union scratch {
	bool flag;
	unsigned word;
	uint64_t number;
	const char *text;
	struct namespace_choice choice;
};

int field_set(const struct field *field, struct spec *spec, const char *text, const struct origin *origin,
	      struct error *err)
{
	struct value_text value = { .field = field, .arena = &spec->arena, .origin = origin, .text = text };
	const bool is_overruled = origin->layer < spec_origin(spec, field->offset)->layer;
	union scratch scratch;
	void *member = is_overruled && !field_is_list(field) ? (void *)&scratch : (char *)spec + field->offset;
	char where[ORIGIN_TEXT];
	int rc = types[field->type].read(&value, member, err);

	if (rc < 0)
		return origin->line ? error_while(err, "%s: %s", origin_print(origin, where), field->key)
				    : error_while(err, "%s", origin_print(origin, where));
	if (!is_overruled)
		spec_set_origin(spec, field->offset, origin);
	return 0;
}

static int refuse_shape(const struct field *field, const struct node *node, const char *wanted, struct error *err)
{
	char where[ORIGIN_TEXT];

	error_mistake(err, "%s wants %s", field->key, wanted);
	return error_while(err, "%s", origin_print(&node->origin, where));
}

int field_set_node(const struct field *field, struct spec *spec, const struct node *node, struct error *err)
{
	if (node->kind == NODE_SCALAR && !*node->text && !node->is_quoted)
		return refuse_shape(field, node, "a value; here there is none", err);
	if (node->kind == NODE_SCALAR)
		return field_set(field, spec, node->text, &node->origin, err);
	if (node->kind == NODE_MAP || !field_is_list(field))
		return refuse_shape(field, node, field_is_list(field) ? "a value or a list of values" : "one value", err);
	for (const struct node *item = node->child; item; item = item->next) {
		int rc;

		if (item->kind != NODE_SCALAR || (!*item->text && !item->is_quoted))
			return refuse_shape(field, item, "plain values in its list", err);
		rc = field_set(field, spec, item->text, &item->origin, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
