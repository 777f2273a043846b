/* SPDX-License-Identifier: Apache-2.0 */
/* Fields that hold one value. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "spec/type.h"

int refuse_value(const struct value_text *value, struct error *err, int rc, const char *wanted)
{
	if (rc == -ERANGE)
		return error_mistake(err, "\"%s\" is out of range; it wants %s", value->text, wanted);
	return error_mistake(err, "\"%s\" is not %s", value->text, wanted);
}

int refuse_memory(struct error *err)
{
	return error_set(err, ENOMEM, "remembering a value");
}

int read_flag(const struct value_text *value, void *member, struct error *err)
{
	static const char *const yes[] = { "yes", "true", "on", "1", "" };
	static const char *const no[] = { "no", "false", "off", "0" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (strcmp(value->text, yes[i]) == 0)
			return *(bool *)member = true, 0;
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (strcmp(value->text, no[i]) == 0)
			return *(bool *)member = false, 0;
	return refuse_value(value, err, -EINVAL, "yes or no");
}

int read_count(const struct value_text *value, void *member, struct error *err)
{
	uint64_t number = NUMBER_NONE;
	int rc = strcmp(value->text, "none") == 0 ? 0 : number_parse(value->text, INT64_MAX, &number);

	if (rc == 0 && number == 0)
		rc = -ERANGE;
	if (rc < 0)
		return refuse_value(value, err, rc, "a whole number from 1, or none");
	*(uint64_t *)member = number;
	return 0;
}

int read_size(const struct value_text *value, void *member, struct error *err)
{
	uint64_t number;
	int rc = number_parse_size(value->text, &number);

	if (rc == 0 && number != NUMBER_NONE && number > INT64_MAX)
		rc = -ERANGE;
	if (rc < 0)
		return refuse_value(value, err, rc, "a size such as 512K, 64M, 1.5G, or none");
	*(uint64_t *)member = number;
	return 0;
}

int read_duration(const struct value_text *value, void *member, struct error *err)
{
	uint64_t number;
	int rc = number_parse_duration(value->text, &number);

	if (rc == 0 && number != NUMBER_NONE && number > INT64_MAX)
		rc = -ERANGE;
	if (rc < 0)
		return refuse_value(value, err, rc, "a time such as 500ms, 10s, 2m, or none");
	*(uint64_t *)member = number;
	return 0;
}

int read_share(const struct value_text *value, void *member, struct error *err)
{
	uint64_t number;
	int rc = number_parse_share(value->text, &number);

	if (rc == 0 && (number < 10 || (number != NUMBER_NONE && number > 8192000)))
		rc = -ERANGE;
	if (rc < 0)
		return refuse_value(value, err, rc, "a number of processors such as 0.5 or 2 (0.01 to 8192), or none");
	*(uint64_t *)member = number;
	return 0;
}

int read_octal(const struct value_text *value, void *member, struct error *err)
{
	unsigned mode;
	int rc = number_parse_octal(value->text, &mode);

	if (rc < 0)
		return refuse_value(value, err, rc, "an octal mode such as 022");
	*(unsigned *)member = mode;
	return 0;
}

static int refuse_word(const struct value_text *value, const char *const *choices, struct error *err)
{
	char list[160] = "";

	for (; *choices; choices++) {
		strncat(list, *choices, sizeof(list) - strlen(list) - 1);
		if (choices[1])
			strncat(list, choices[2] ? ", " : " or ", sizeof(list) - strlen(list) - 1);
	}
	return error_mistake(err, "\"%s\" is not %s", value->text, list);
}

int read_enum(const struct value_text *value, void *member, struct error *err)
{
	const char *const *choices = value->field->choices;

	for (unsigned i = 0; choices[i]; i++) {
		if (strcmp(value->text, choices[i]) == 0) {
			*(unsigned *)member = i;
			return 0;
		}
	}
	return refuse_word(value, choices, err);
}

int read_name(const struct value_text *value, void *member, struct error *err)
{
	char *copy;

	if (!*value->text && !value->field->may_be_empty)
		return error_mistake(err, "it must not be empty");
	copy = arena_copy(value->arena, value->text);
	if (!copy)
		return refuse_memory(err);
	*(const char **)member = copy;
	return 0;
}

int read_namespace(const struct value_text *value, void *member, struct error *err)
{
	const bool is_network = value->field->offset == offsetof(struct spec, net);
	struct namespace_choice choice = { .mode = NAMESPACE_NEW };

	if (text_starts(value->text, "join:") && value->text[5]) {
		choice.mode = NAMESPACE_JOIN;
		choice.target = arena_copy(value->arena, value->text + 5);
		if (!choice.target)
			return refuse_memory(err);
	} else if (strcmp(value->text, "host") == 0) {
		choice.mode = NAMESPACE_HOST;
	} else if (is_network && strcmp(value->text, "none") == 0) {
		choice.mode = NAMESPACE_BARE;
	} else if (strcmp(value->text, "new") != 0 && !(is_network && strcmp(value->text, "loopback") == 0)) {
		return refuse_value(value, err, -EINVAL, is_network ? "loopback, none, host or join:JAIL, PID or PATH"
								    : "new, host or join:JAIL, PID or PATH");
	}
	*(struct namespace_choice *)member = choice;
	return 0;
}

const char *print_flag(const struct field *field, const void *member, struct arena *arena)
{
	(void)field;
	(void)arena;
	return *(const bool *)member ? "yes" : "no";
}

const char *print_count(const struct field *field, const void *member, struct arena *arena)
{
	const uint64_t number = *(const uint64_t *)member;

	(void)field;
	return number == NUMBER_NONE ? "none" : arena_format(arena, "%llu", (unsigned long long)number);
}

const char *print_size(const struct field *field, const void *member, struct arena *arena)
{
	char buffer[NUMBER_TEXT];

	(void)field;
	return arena_copy(arena, number_print_size(*(const uint64_t *)member, buffer));
}

const char *print_duration(const struct field *field, const void *member, struct arena *arena)
{
	char buffer[NUMBER_TEXT];

	(void)field;
	return arena_copy(arena, number_print_duration(*(const uint64_t *)member, buffer));
}

const char *print_share(const struct field *field, const void *member, struct arena *arena)
{
	char buffer[NUMBER_TEXT];

	(void)field;
	return arena_copy(arena, number_print_share(*(const uint64_t *)member, buffer));
}

const char *print_octal(const struct field *field, const void *member, struct arena *arena)
{
	(void)field;
	return arena_format(arena, "0%o", *(const unsigned *)member);
}

const char *print_enum(const struct field *field, const void *member, struct arena *arena)
{
	(void)arena;
	return field->choices[*(const unsigned *)member];
}

const char *print_name(const struct field *field, const void *member, struct arena *arena)
{
	(void)field;
	(void)arena;
	return *(const char *const *)member;
}

const char *print_namespace(const struct field *field, const void *member, struct arena *arena)
{
	const struct namespace_choice *choice = member;

	switch (choice->mode) {
	case NAMESPACE_HOST:
		return "host";
	case NAMESPACE_JOIN:
		return arena_format(arena, "join:%s", choice->target);
	case NAMESPACE_BARE:
		return "none";
	case NAMESPACE_NEW:
		break;
	}
	return field->offset == offsetof(struct spec, net) ? "loopback" : "new";
}
