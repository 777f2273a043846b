/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields: find the member, remember the origin, report a bad value in the user's words. What each
 * type means is in scalar.c, list.c and mount.c; this file only knows that types are rows too.
 */
#include "spec/field.h"

#include <string.h>

#include "spec/type.h"

static const struct type_row types[FIELD_TYPES] = {
	[FIELD_FLAG] = { "flag", NULL, read_flag, print_flag, false },
	[FIELD_COUNT] = { "count", "N", read_count, print_count, false },
	[FIELD_SIZE] = { "size", "SIZE", read_size, print_size, false },
	[FIELD_DURATION] = { "duration", "TIME", read_duration, print_duration, false },
	[FIELD_SHARE] = { "share", "N", read_share, print_share, false },
	[FIELD_OCTAL] = { "octal", "MODE", read_octal, print_octal, false },
	[FIELD_ENUM] = { "enum", "WORD", read_enum, print_enum, false },
	[FIELD_NAME] = { "name", "NAME", read_name, print_name, false },
	[FIELD_PATH] = { "path", "PATH", read_name, print_name, false },
	[FIELD_STRINGS] = { "strings", "TEXT", read_string, print_strings, true },
	[FIELD_WORDS] = { "words", "WORD[,...]", read_words, print_strings, true },
	[FIELD_MOUNTS] = { "mounts", "MOUNT", read_mount, print_mounts, true },
	[FIELD_ID_MAPS] = { "id-maps", "INSIDE:OUTSIDE:COUNT", read_id_map, print_id_maps, true },
	[FIELD_RLIMITS] = { "rlimits", "NAME=SOFT[:HARD]", read_rlimit, print_rlimits, true },
	[FIELD_PORTS] = { "ports", "PORT", read_port, print_ports, true },
	[FIELD_NAMESPACE] = { "namespace", "new|host|join:PATH|PID", read_namespace, print_namespace, false },
};

bool field_is_list(const struct field *field)
{
	return types[field->type].is_list;
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

const char *field_print(const struct field *field, const struct spec *spec, struct arena *arena)
{
	const char *text = types[field->type].print(field, (const char *)spec + field->offset, arena);

	return text ? text : "";
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
