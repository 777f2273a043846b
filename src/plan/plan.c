/* SPDX-License-Identifier: Apache-2.0 */
/* Building a plan: steps sorted by phase, stable within one. */
#include "plan/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void plan_add(struct plan *plan, struct step step)
{
	if (plan->count == PLAN_STEPS) {
		plan->is_short = true;
		return;
	}
	step.feature = plan->feature;
	plan->steps[plan->count++] = step;
}

/* A counting sort in place: where each belongs is counted first, then it changes places with whoever is there. */
void plan_sort(struct plan *plan)
{
	auto_free int *wanted = malloc((size_t)plan->count * sizeof(*wanted));
	int start[PHASES + 1] = { 0 };

	plan->is_short |= !wanted;
	if (!wanted)
		return;
	for (int i = 0; i < plan->count; i++)
		start[plan->steps[i].phase + 1]++;
	for (int phase = 0; phase < PHASES; phase++)
		start[phase + 1] += start[phase];
	for (int i = 0; i < plan->count; i++)
		wanted[i] = start[plan->steps[i].phase]++;
	for (int i = 0; i < plan->count; i++) {
		while (wanted[i] != i) {
			const int there = wanted[i];
			const struct step step = plan->steps[there];

			plan->steps[there] = plan->steps[i];
			plan->steps[i] = step;
			wanted[i] = wanted[there];
			wanted[there] = there;
		}
	}
}

bool plan_has(const struct plan *plan, enum op op)
{
	for (int i = 0; i < plan->count; i++)
		if (plan->steps[i].op == op)
			return true;
	return false;
}

int plan_slot(struct plan *plan)
{
	if (plan->slots < SLOT_FREE)
		plan->slots = SLOT_FREE;
	return plan->slots++;
}

const struct step *plan_find(const struct plan *plan, enum op op)
{
	for (int i = 0; i < plan->count; i++)
		if (plan->steps[i].op == op)
			return &plan->steps[i];
	return NULL;
}

const char *plan_copy(struct plan *plan, const char *text)
{
	const char *copy = arena_copy(plan->arena, text);

	plan->is_short |= !copy;
	return copy ? copy : "";
}

static const char *format_list(struct plan *plan, const char *format, va_list args)
{
	char buffer[4096 + 256];
	int length = vsnprintf(buffer, sizeof(buffer), format, args);

	if (length < 0 || (size_t)length >= sizeof(buffer)) {
		plan->is_short = true;
		return "";
	}
	return plan_copy(plan, buffer);
}

const char *plan_format(struct plan *plan, const char *format, ...)
{
	const char *text;
	va_list args;

	va_start(args, format);
	text = format_list(plan, format, args);
	va_end(args);
	return text;
}

void plan_note(struct plan *plan, const char *format, ...)
{
	va_list args;

	if (plan->note_count == ARRAY_SIZE(plan->notes))
		return;
	va_start(args, format);
	plan->notes[plan->note_count++] = format_list(plan, format, args);
	va_end(args);
}

void plan_lacks(struct plan *plan, const char *what)
{
	for (unsigned i = 0; i < plan->lacking_count; i++)
		if (strcmp(plan->lacks[i], what) == 0)
			return;
	if (plan->lacking_count + 1 < ARRAY_SIZE(plan->lacks))
		plan->lacks[plan->lacking_count++] = what;
}
