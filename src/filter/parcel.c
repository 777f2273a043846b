/* SPDX-License-Identifier: Apache-2.0 */
/* Filters and profiles as bytes. */
#include "filter/parcel.h"

#include <linux/seccomp.h>
#include <string.h>

#include "spec/mount_parcel.h"

void parcel_add_filter(struct text *out, const struct filter *filter)
{
	parcel_add_text(out, filter->name);
	parcel_add_text(out, filter->summary);
	parcel_add_bytes(out, filter->program, filter->count * sizeof(*filter->program));
	parcel_add_bytes(out, filter->denied_count ? filter->denied : NULL, filter->denied_count * sizeof(*filter->denied));
	parcel_add_number(out, filter->denied_return);
}

static void add_condition(struct text *out, const struct filter_condition *condition)
{
	parcel_add_number(out, condition->arg);
	parcel_add_number(out, condition->is_low_word);
	parcel_add_number(out, condition->compare);
	parcel_add_number(out, condition->mask);
	parcel_add_number(out, condition->value);
}

static void add_rule(struct text *out, const struct filter_rule *rule)
{
	parcel_add_text(out, rule->name);
	parcel_add_number(out, (uint32_t)rule->number);
	parcel_add_number(out, (uint32_t)rule->foreign_number);
	parcel_add_number(out, rule->action);
	parcel_add_number(out, rule->errnum);
	parcel_add_text(out, rule->reason);
	parcel_add_origin(out, &rule->origin);
	parcel_add_number(out, rule->condition_count);
	for (unsigned i = 0; i < rule->condition_count; i++)
		add_condition(out, &rule->conditions[i]);
}

void parcel_add_profile(struct text *out, const struct profile *profile)
{
	size_t ignored = 0;

	parcel_add_text(out, profile->name);
	parcel_add_text(out, profile->summary);
	parcel_add_number(out, profile->fallback);
	parcel_add_number(out, profile->denied);
	parcel_add_number(out, profile->denied_errnum);
	parcel_add_number(out, profile->rule_count);
	for (unsigned i = 0; i < profile->rule_count; i++)
		add_rule(out, &profile->rules[i]);
	while (profile->ignored && profile->ignored[ignored])
		ignored++;
	parcel_add_number(out, ignored);
	for (size_t i = 0; i < ignored; i++)
		parcel_add_text(out, profile->ignored[i]);
}

/* An array of SIZE bytes an item, aligned; NULL: none, or bad. */
static const void *take_array(struct parcel *from, struct arena *arena, size_t size, size_t most, unsigned short *count)
{
	size_t used;
	const char *bytes = parcel_take_bytes(from, &used);
	void *copy;

	*count = 0;
	from->is_bad |= used % size || used / size > most;
	if (from->is_bad || !bytes)
		return NULL;
	copy = arena_copy_bytes(arena, bytes, used);
	from->is_bad |= !copy;
	*count = (unsigned short)(copy ? used / size : 0);
	return copy;
}

static bool is_jump_inside(const struct filter *filter, unsigned at)
{
	const struct sock_filter *line = &filter->program[at];
	const unsigned left = filter->count - at - 1u;

	switch (BPF_OP(line->code)) {
	case BPF_JA: return line->k < left;
	case BPF_JEQ:
	case BPF_JGE:
	case BPF_JGT: return line->jt < left && line->jf < left;
	default: return false;
	}
}

static bool is_ours(const struct filter *filter, unsigned at)
{
	const struct sock_filter *line = &filter->program[at];

	switch (BPF_CLASS(line->code)) {
	case BPF_LD: return line->code == (BPF_LD | BPF_W | BPF_ABS) && line->k <= sizeof(struct seccomp_data) - 4 && line->k % 4 == 0;
	case BPF_ALU: return line->code == (BPF_ALU | BPF_AND | BPF_K);
	case BPF_JMP: return BPF_SRC(line->code) == BPF_K && is_jump_inside(filter, at);
	case BPF_RET: return line->code == (BPF_RET | BPF_K);
	default: return false;
	}
}

/* Jumps lead forward only, so a program whose last line returns always ends. */
static bool is_program(const struct filter *filter)
{
	for (unsigned at = 0; at < filter->count; at++)
		if (!is_ours(filter, at))
			return false;
	for (unsigned i = 0; i < filter->denied_count; i++)
		if (filter->denied[i] >= filter->count || BPF_CLASS(filter->program[filter->denied[i]].code) != BPF_RET)
			return false;
	return filter->count && BPF_CLASS(filter->program[filter->count - 1].code) == BPF_RET;
}

const struct filter *parcel_take_filter(struct parcel *from, struct arena *arena)
{
	struct filter *filter = arena_alloc(arena, sizeof(*filter));

	if (!filter)
		return NULL;
	filter->name = parcel_take_word(from);
	filter->summary = parcel_take_text(from);
	filter->program = take_array(from, arena, sizeof(*filter->program), BPF_MAXINSNS, &filter->count);
	filter->denied = take_array(from, arena, sizeof(*filter->denied), BPF_MAXINSNS, &filter->denied_count);
	filter->denied_return = (uint32_t)parcel_take_number(from, UINT32_MAX);
	from->is_bad |= !is_program(filter);
	return from->is_bad ? NULL : filter;
}

static void take_conditions(struct parcel *from, struct arena *arena, struct filter_rule *rule)
{
	const unsigned count = (unsigned)parcel_take_number(from, RULE_MOST_CONDITIONS);
	struct filter_condition *conditions = count ? arena_alloc(arena, count * sizeof(*conditions)) : NULL;

	from->is_bad |= count && !conditions;
	for (unsigned i = 0; conditions && i < count; i++) {
		conditions[i].arg = (uint8_t)parcel_take_number(from, FILTER_ARGS - 1);
		conditions[i].is_low_word = parcel_take_number(from, true);
		conditions[i].compare = (enum filter_compare)parcel_take_number(from, COMPARE_GE);
		conditions[i].mask = parcel_take_number(from, UINT64_MAX);
		conditions[i].value = parcel_take_number(from, UINT64_MAX);
	}
	rule->conditions = conditions;
	rule->condition_count = (uint8_t)(conditions ? count : 0);
}

static void take_rule(struct parcel *from, struct arena *arena, struct filter_rule *rule)
{
	rule->name = parcel_take_word(from);
	rule->number = (int)parcel_take_number(from, UINT32_MAX);
	rule->foreign_number = (int)parcel_take_number(from, UINT32_MAX);
	rule->action = (enum filter_action)parcel_take_number(from, FILTER_NOTIFY);
	rule->errnum = (uint16_t)parcel_take_number(from, UINT16_MAX);
	rule->reason = parcel_take_text(from);
	rule->origin = parcel_take_origin(from);
	take_conditions(from, arena, rule);
}

static void take_rules(struct parcel *from, struct arena *arena, struct profile *profile)
{
	const size_t count = parcel_take_count(from);
	struct filter_rule *rules;

	from->is_bad |= count > PROFILE_MOST_RULES;
	if (from->is_bad || !count)
		return;
	rules = arena_alloc(arena, count * sizeof(*rules));
	from->is_bad |= !rules;
	for (size_t i = 0; rules && i < count && !from->is_bad; i++)
		take_rule(from, arena, &rules[i]);
	profile->rules = rules;
	profile->rule_count = (unsigned)count;
}

static void take_ignored(struct parcel *from, struct arena *arena, struct profile *profile)
{
	const size_t count = parcel_take_count(from);
	const char **names = count ? arena_alloc(arena, (count + 1) * sizeof(*names)) : NULL;

	from->is_bad |= count && !names;
	for (size_t i = 0; names && i < count; i++)
		names[i] = parcel_take_word(from);
	profile->ignored = names;
}

const struct profile *parcel_take_profile(struct parcel *from, struct arena *arena)
{
	struct profile *profile = arena_alloc(arena, sizeof(*profile));

	if (!profile)
		return NULL;
	profile->name = parcel_take_word(from);
	profile->summary = parcel_take_text(from);
	profile->fallback = (enum filter_action)parcel_take_number(from, FILTER_NOTIFY);
	profile->denied = (enum filter_action)parcel_take_number(from, FILTER_NOTIFY);
	profile->denied_errnum = (uint16_t)parcel_take_number(from, UINT16_MAX);
	take_rules(from, arena, profile);
	take_ignored(from, arena, profile);
	return from->is_bad ? NULL : profile;
}
