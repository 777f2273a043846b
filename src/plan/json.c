/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as JSON: the same facts as its text, a step an object. */
#include "base/json.h"
#include "plan/plan.h"

static void add_step(struct text *out, const struct step *step, int at, struct arena *arena)
{
	char where[ORIGIN_TEXT];

	text_add(out, "    { \"step\": %d, \"side\": \"%s\", \"op\": \"%s\", \"words\": ", at + 1, side_name(step->side), op_name(step->op));
	json_add_string(out, step_words(step, arena));
	text_add(out, ", \"subject\": ");
	json_add_string(out, step->subject);
	text_add(out, ", \"feature\": ");
	json_add_string(out, step->feature);
	text_add(out, ", \"origin\": ");
	json_add_string(out, step->origin ? origin_print(step->origin, where) : NULL);
	text_add(out, ", \"why\": ");
	json_add_string(out, step->why);
	text_add(out, " }");
}

void plan_print_json(const struct plan *plan, struct text *out)
{
	auto_arena struct arena arena = { 0 };

	text_add(out, "  \"plan\": [\n");
	for (int i = 0; i < plan->count; i++) {
		add_step(out, &plan->steps[i], i, &arena);
		text_add(out, i + 1 < plan->count ? ",\n" : "\n");
	}
	text_add(out, "  ],\n  \"lacks\": [");
	for (unsigned i = 0; i < plan->lacking_count; i++) {
		text_add(out, i ? ", " : "");
		json_add_string(out, plan->lacks[i]);
	}
	text_add(out, "],\n  \"left\": [");
	for (unsigned i = 0; i < plan->left_count; i++) {
		text_add(out, i ? ", " : "");
		json_add_string(out, plan->left[i]);
	}
	text_add(out, "]\n");
}
