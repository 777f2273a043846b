/* SPDX-License-Identifier: Apache-2.0 */
/* The exported half about explaining: settings with their origins and the plan, for people and for programs. */
#include <errno.h>
#include <stdlib.h>

#include "api/api.h"
#include "base/json.h"
#include "feature/feature.h"

static void print_setting(const struct field *row, const char *value, const char *where, enum immure_format format, bool is_first,
			  struct text *out)
{
	const size_t start = out->used;

	if (format == IMMURE_TEXT) {
		text_add(out, "  %-18s %-24s %s", row->key, value, where);
		text_end_line(out, start);
		return;
	}
	text_add(out, "%s    { \"key\": \"%s\", \"value\": ", is_first ? "" : ",\n", row->key);
	json_add_string(out, value);
	text_add(out, ", \"origin\": ");
	json_add_string(out, where);
	text_add(out, " }");
}

static void print_settings(const struct immure_spec *spec, enum immure_format format, struct arena *arena, struct text *out)
{
	bool is_first = true;

	for (const struct feature *const *f = features; *f; f++) {
		for (const struct field *row = (*f)->fields; row && row->key; row++) {
			const char *value = field_print(row, &spec->spec, arena);
			char where[ORIGIN_TEXT];

			if (!*value)
				continue;
			print_setting(row, value, origin_print(spec_origin(&spec->spec, row->offset), where), format, is_first, out);
			is_first = false;
		}
	}
}

static void print_all(const struct immure_spec *spec, const struct plan *plan, enum immure_format format, struct arena *arena,
		      struct text *out)
{
	if (format == IMMURE_JSON) {
		text_add(out, "{\n  \"version\": 1,\n  \"settings\": [\n");
		print_settings(spec, format, arena, out);
		text_add(out, "\n  ],\n");
		plan_print_json(plan, out);
		text_add(out, "}\n");
		return;
	}
	text_add(out, "settings\n");
	print_settings(spec, format, arena, out);
	text_add(out, "plan\n");
	plan_print(plan, out);
}

int immure_explain(struct immure_spec *spec, enum immure_format format, char **result, struct immure_error *out)
{
	auto_arena struct arena arena = { 0 };
	struct error err = { 0 };
	struct text text = { 0 };
	struct plan *plan = calloc(1, sizeof(*plan));
	int rc = plan ? prepare(spec, &err) : error_set(&err, ENOMEM, "explaining");

	if (rc == 0)
		rc = plan_make(plan, &arena, &spec->spec, &spec->host, &err);
	if (rc == 0)
		print_all(spec, plan, format, &arena, &text);
	if (rc == 0 && text.is_short)
		rc = error_set(&err, ENOMEM, "explaining");
	free(plan);
	if (rc == 0)
		*result = text.bytes;
	else
		text_free(&text);
	return tell(out, &err, rc, 125);
}
