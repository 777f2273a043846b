/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of both forms of a profile use: refusals with their place, and rules as they come. */
#include <errno.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "filter/read.h"
#include "filter/syscalls.h"

enum { MOST_ERRNO = 4095 }; /* <linux/err.h> MAX_ERRNO: the kernel cuts off what is larger. seccomp(2) */
enum { MOST_IGNORED = 1024 };

int reader_refuse(struct profile_reader *reader, const struct node *node, const char *why, const char *what)
{
	const struct origin *origin = node->key ? &node->key_origin : &node->origin;
	char place[ORIGIN_TEXT];

	origin_print(origin, place);
	if (!what || !*what)
		return error_mistake(reader->err, "%s: %s", place, why);
	return error_mistake(reader->err, "%s: %s %s", place, why, what);
}

int reader_refuse_memory(struct profile_reader *reader)
{
	return error_set(reader->err, ENOMEM, "read the profile %s", reader->profile.name);
}

int reader_add(struct profile_reader *reader, const struct filter_rule *rule)
{
	if (reader->profile.rule_count == PROFILE_MOST_RULES)
		return error_mistake(reader->err, "profile %s: more than %d rules", reader->profile.name,
				     PROFILE_MOST_RULES);
	if (reader->profile.rule_count == reader->size) {
		unsigned size = reader->size ? reader->size * 2 : 256;
		struct filter_rule *rules = arena_alloc(reader->arena, size * sizeof(*rules));

		if (!rules)
			return reader_refuse_memory(reader);
		if (reader->size)
			memcpy(rules, reader->rules, reader->size * sizeof(*rules));
		reader->rules = rules;
		reader->size = size;
	}
	reader->rules[reader->profile.rule_count++] = *rule;
	return 0;
}

int reader_text(struct profile_reader *reader, const struct node *node, const char **text)
{
	if (node->kind != NODE_SCALAR || !*node->text)
		return reader_refuse(reader, node, "expected a word", "");
	*text = node->text;
	return 0;
}

int reader_number(struct profile_reader *reader, const struct node *node, uint64_t most, uint64_t *number)
{
	const char *text = node->kind == NODE_SCALAR ? node->text : "";
	char *end;

	if (number_parse(text, most, number) == 0)
		return 0;
	if (!text_starts(text, "0x"))
		return reader_refuse(reader, node, "expected a number, not", text);
	errno = 0;
	*number = strtoull(text, &end, 16);
	if (errno || *end || end == text + 2 || *number > most)
		return reader_refuse(reader, node, "no number in range:", text);
	return 0;
}

int reader_errno(struct profile_reader *reader, const struct node *node, const char *text, uint16_t *errnum)
{
	uint64_t number = (uint64_t)errno_number(text);

	if (!number && (number_parse(text, MOST_ERRNO, &number) < 0 || !number))
		return reader_refuse(reader, node, "no error has the name or number", text);
	*errnum = (uint16_t)number;
	return 0;
}

int reader_ignore(struct profile_reader *reader, const char *name)
{
	const char *const *old = reader->profile.ignored;
	const char **names;
	size_t count = 0;

	while (old && old[count])
		count++;
	if (count == MOST_IGNORED)
		return error_mistake(reader->err, "%s: hardly a name in it is a system call's", reader->profile.name);
	names = arena_alloc(reader->arena, (count + 2) * sizeof(*names));
	if (!names)
		return reader_refuse_memory(reader);
	if (count)
		memcpy(names, old, count * sizeof(*names));
	names[count] = name;
	reader->profile.ignored = names;
	return 0;
}
