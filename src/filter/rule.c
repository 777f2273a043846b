/* SPDX-License-Identifier: Apache-2.0 */
/* One rule as people write it: "socket(low(arg0) == AF_NETLINK, low(arg2) == NETLINK_ROUTE)". */
#include "filter/rule.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "filter/syscalls.h"

enum { WORD_SIZE = 48 };

/* A text on its way into a rule. */
struct rule_text {
	const char *whole, *at;
	const struct origin *origin;
	struct error *err;
};

/* The longer spelling first, so that it is tried first. */
static const struct { char text[4]; enum filter_compare compare; } operators[] = {
	{ "==", COMPARE_EQ }, { "!=", COMPARE_NE }, { "<=", COMPARE_LE },
	{ ">=", COMPARE_GE }, { "<", COMPARE_LT }, { ">", COMPARE_GT },
};

const char *compare_text(enum filter_compare compare)
{
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (operators[i].compare == compare)
			return operators[i].text;
	return "?";
}

static int refuse(struct rule_text *text, const char *wanted, const char *found)
{
	char place[ORIGIN_TEXT];

	error_mistake(text->err, "%s: %s: %s%s%s", origin_print(text->origin, place), text->whole, wanted,
		      *found ? ", not " : "", found);
	error_remedy(text->err, "E-SECCOMP-RULE", "write NAME or NAME(arg0 == VALUE, low(arg1) & MASK != VALUE)");
	return -EINVAL;
}

static void skip_spaces(struct rule_text *text)
{
	while (*text->at == ' ' || *text->at == '\t')
		text->at++;
}

/* Steps over TOKEN if it comes next. */
static bool take(struct rule_text *text, const char *token)
{
	skip_spaces(text);
	if (!text_starts(text->at, token))
		return false;
	text->at += strlen(token);
	return true;
}

/* The next word: letters, digits, underscores; "" when there is none or it is too long. */
static void take_word(struct rule_text *text, char word[WORD_SIZE])
{
	size_t length = 0;

	skip_spaces(text);
	while (isalnum((unsigned char)text->at[length]) || text->at[length] == '_')
		length++;
	word[0] = '\0';
	if (length >= WORD_SIZE)
		return;
	memcpy(word, text->at, length);
	word[length] = '\0';
	text->at += length;
}

static bool read_number(const char *word, uint64_t *value)
{
	const int base = word[0] != '0' ? 10 : word[1] == 'x' || word[1] == 'X' ? 16 : 8;
	char *end;

	if (!isdigit((unsigned char)*word))
		return false;
	errno = 0;
	*value = strtoull(word, &end, base);
	return errno == 0 && !*end;
}

static int take_value(struct rule_text *text, uint64_t *value)
{
	*value = 0;
	do {
		char word[WORD_SIZE];
		uint64_t part = 0;

		take_word(text, word);
		if (!read_number(word, &part) && !constant_value(word, &part))
			return refuse(text, "expected a number or a known constant", *word ? word : text->at);
		*value |= part;
	} while (take(text, "|"));
	return 0;
}

static int take_argument(struct rule_text *text, struct filter_condition *condition)
{
	char word[WORD_SIZE] = "";

	condition->is_low_word = take(text, "low");
	if (condition->is_low_word && !take(text, "("))
		return refuse(text, "expected low(argN)", text->at);
	take_word(text, word);
	if (strlen(word) != 4 || !text_starts(word, "arg") || word[3] < '0' || word[3] >= '0' + FILTER_ARGS)
		return refuse(text, "expected arg0 to arg5", *word ? word : text->at);
	condition->arg = (uint8_t)(word[3] - '0');
	if (condition->is_low_word && !take(text, ")"))
		return refuse(text, "expected \")\"", text->at);
	return 0;
}

static int take_operator(struct rule_text *text, enum filter_compare *compare)
{
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (take(text, operators[i].text)) {
			*compare = operators[i].compare;
			return 0;
		}
	return refuse(text, "expected one of == != < <= > >=", text->at);
}

static int take_condition(struct rule_text *text, struct filter_condition *condition)
{
	uint64_t most;
	int rc = take_argument(text, condition);

	most = condition->is_low_word ? UINT32_MAX : UINT64_MAX;
	condition->mask = most;
	if (rc == 0 && take(text, "&"))
		rc = take_value(text, &condition->mask);
	if (rc == 0)
		rc = take_operator(text, &condition->compare);
	if (rc == 0)
		rc = take_value(text, &condition->value);
	if (rc == 0 && (condition->mask > most || condition->value > most))
		rc = refuse(text, "low() compares 32 bits; a value is larger", "");
	return rc;
}

static int take_conditions(struct arena *arena, struct rule_text *text, struct filter_rule *rule)
{
	struct filter_condition conditions[RULE_MOST_CONDITIONS];
	unsigned count = 0;
	char *copy;

	do {
		int rc = count < RULE_MOST_CONDITIONS ? take_condition(text, &conditions[count++])
						      : refuse(text, "too many conditions", "");
		if (rc < 0)
			return rc;
	} while (take(text, ","));
	if (!take(text, ")"))
		return refuse(text, "expected \",\" or \")\"", text->at);
	copy = arena_copy_bytes(arena, conditions, count * sizeof(conditions[0]));
	if (!copy)
		return error_set(text->err, ENOMEM, "read a rule");
	rule->conditions = (const struct filter_condition *)(const void *)copy;
	rule->condition_count = (uint8_t)count;
	return 0;
}

bool rule_find_call(struct filter_rule *rule, const char *name)
{
	uint64_t number;

	if (number_parse(name, SYSCALL_MOST - 1, &number) == 0) {
		rule->number = (int)number;
		rule->foreign_number = SYSCALL_NONE;
		return true;
	}
	rule->number = syscall_number(name);
	rule->foreign_number = syscall_foreign_number(name);
	return rule->number != SYSCALL_NONE || rule->foreign_number != SYSCALL_NONE;
}

static int refuse_name(struct rule_text *text, const char *name)
{
	const char *nearest = syscall_nearest(name);
	char place[ORIGIN_TEXT];

	error_mistake(text->err, "%s: no system call is called \"%s\"", origin_print(text->origin, place), name);
	if (nearest)
		error_remedy(text->err, "E-SECCOMP-NAME", "%s", nearest);
	else
		error_remedy(text->err, "E-SECCOMP-NAME", "a call newer than this immure may be given by its number");
	return -EINVAL;
}

int rule_parse(struct arena *arena, const char *whole, const struct origin *origin, struct filter_rule *rule,
	       struct error *err)
{
	struct rule_text text = { .whole = whole, .at = whole, .origin = origin, .err = err };
	struct filter_rule made = *rule;
	char name[WORD_SIZE];
	int rc = 0;

	take_word(&text, name);
	if (!*name)
		return refuse(&text, "expected the name of a system call", text.at);
	if (!rule_find_call(&made, name))
		return refuse_name(&text, name);
	if (take(&text, "("))
		rc = take_conditions(arena, &text, &made);
	skip_spaces(&text);
	if (rc == 0 && *text.at)
		rc = refuse(&text, "expected nothing more", text.at);
	if (rc < 0)
		return rc;
	made.name = arena_copy(arena, name);
	made.origin = *origin;
	if (!made.name)
		return error_set(err, ENOMEM, "read a rule");
	*rule = made;
	return 0;
}

static bool condition_holds(const struct filter_condition *condition, const uint64_t args[FILTER_ARGS])
{
	const uint64_t value = args[condition->arg] & condition->mask;

	switch (condition->compare) {
	case COMPARE_EQ: return value == condition->value;
	case COMPARE_NE: return value != condition->value;
	case COMPARE_LT: return value < condition->value;
	case COMPARE_LE: return value <= condition->value;
	case COMPARE_GT: return value > condition->value;
	case COMPARE_GE: return value >= condition->value;
	}
	return false;
}

bool rule_holds(const struct filter_rule *rule, const uint64_t args[FILTER_ARGS])
{
	for (unsigned i = 0; i < rule->condition_count; i++)
		if (!condition_holds(&rule->conditions[i], args))
			return false;
	return true;
}

static void print_condition(struct text *text, const struct filter_condition *condition)
{
	const uint64_t all = condition->is_low_word ? UINT32_MAX : UINT64_MAX;

	text_add(text, condition->is_low_word ? "low(arg%d)" : "arg%d", condition->arg);
	if (condition->mask != all)
		text_add(text, " & 0x%" PRIx64, condition->mask);
	text_add(text, " %s ", compare_text(condition->compare));
	text_add(text, condition->value < 256 ? "%" PRIu64 : "0x%" PRIx64, condition->value);
}

const char *rule_print(struct arena *arena, const struct filter_rule *rule)
{
	auto_text struct text text = { 0 };

	text_add(&text, "%s", rule->name);
	for (unsigned i = 0; i < rule->condition_count; i++) {
		text_add(&text, i ? ", " : "(");
		print_condition(&text, &rule->conditions[i]);
	}
	if (rule->condition_count)
		text_add(&text, ")");
	return text.is_short ? NULL : arena_copy(arena, text.bytes);
}
