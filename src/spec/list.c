/* SPDX-License-Identifier: Apache-2.0 */
/* Fields that hold a list; a further value is appended, so the order given is kept. */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/text.h"
#include "spec/type.h"

static const struct {
	const char *name;
	int resource;
} resources[] = {
	{ "as", RLIMIT_AS }, { "core", RLIMIT_CORE }, { "cpu", RLIMIT_CPU }, { "data", RLIMIT_DATA },
	{ "fsize", RLIMIT_FSIZE }, { "locks", RLIMIT_LOCKS }, { "memlock", RLIMIT_MEMLOCK },
	{ "msgqueue", RLIMIT_MSGQUEUE }, { "nice", RLIMIT_NICE }, { "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC }, { "rss", RLIMIT_RSS }, { "rtprio", RLIMIT_RTPRIO },
	{ "rttime", RLIMIT_RTTIME }, { "sigpending", RLIMIT_SIGPENDING }, { "stack", RLIMIT_STACK },
};

static bool is_permitted_word(const struct field *field, const char *word)
{
	if (!field->choices)
		return true;
	for (const char *const *choice = field->choices; *choice; choice++)
		if (strcmp(*choice, word) == 0)
			return true;
	return false;
}

static int append_string(const struct value_text *value, struct string_item ***tail, char *text, struct error *err)
{
	struct string_item *item = arena_alloc(value->arena, sizeof(*item));

	if (!text || !item)
		return refuse_memory(err);
	if (!is_permitted_word(value->field, text))
		return error_mistake(err, "\"%s\" is not a word that %s knows", text, value->field->key);
	*item = (struct string_item){ .text = text, .origin = *value->origin };
	**tail = item;
	*tail = &item->next;
	return 0;
}

/* Behind what came from the same layer or one below, so that the order is that of the layers, whatever is read first. */
static void insert_strings(struct string_item **list, struct string_item *first, struct string_item **last)
{
	while (*list && first && (*list)->origin.layer <= first->origin.layer)
		list = &(*list)->next;
	*last = *list;
	*list = first;
}

int read_string(const struct value_text *value, void *member, struct error *err)
{
	struct string_item *item = NULL, **last = &item;
	int rc;

	if (!*value->text)
		return error_mistake(err, "it must not be empty");
	rc = append_string(value, &last, arena_copy(value->arena, value->text), err);
	if (rc == 0)
		insert_strings(member, item, last);
	return rc;
}

int read_words(const struct value_text *value, void *member, struct error *err)
{
	struct string_item *first = NULL, **tail = &first;
	const char *at = value->text;
	int rc = 0;

	do {
		size_t size = strcspn(at, ",");

		if (!size)
			return error_mistake(err, "\"%s\" has an empty word", value->text);
		rc = append_string(value, &tail, arena_copy_bytes(value->arena, at, size), err);
		at += size;
	} while (rc == 0 && *at++);
	if (rc == 0)
		insert_strings(member, first, tail);
	return rc;
}

/* Splits TEXT at SEPARATOR into at most MOST parts; returns their number, or 0 when there are more. */
static size_t split(char *text, char separator, char **parts, size_t most)
{
	size_t count = 0;

	for (; text; count++) {
		char *end = strchr(text, separator);

		if (count == most)
			return 0;
		parts[count] = text;
		if (end)
			*end++ = '\0';
		text = end;
	}
	return count;
}

int read_id_map(const struct value_text *value, void *member, struct error *err)
{
	const char *const wanted = "INSIDE:OUTSIDE:COUNT in numbers below 4294967295";
	struct id_map *map = arena_alloc(value->arena, sizeof(*map)), **tail = member;
	char *copy = arena_copy(value->arena, value->text), *part[3];
	uint64_t number[3];

	if (!map || !copy)
		return refuse_memory(err);
	if (split(copy, ':', part, 3) != 3)
		return refuse_value(value, err, -EINVAL, wanted);
	for (int i = 0; i < 3; i++) {
		int rc = number_parse(part[i], UINT32_MAX - 1, &number[i]);

		if (rc < 0)
			return refuse_value(value, err, rc, wanted);
	}
	if (!number[2] || number[0] + number[2] > UINT32_MAX || number[1] + number[2] > UINT32_MAX)
		return refuse_value(value, err, -ERANGE, wanted);
	*map = (struct id_map){ (uint32_t)number[0], (uint32_t)number[1], (uint32_t)number[2], *value->origin, NULL };
	while (*tail && (*tail)->origin.layer <= value->origin->layer)
		tail = &(*tail)->next;
	map->next = *tail;
	*tail = map;
	return 0;
}

static int read_one_rlimit(const char *text, int resource, uint64_t *number)
{
	if (strcmp(text, "unlimited") == 0)
		text = "none";
	if (resource == RLIMIT_CPU || resource == RLIMIT_NOFILE || resource == RLIMIT_NPROC) {
		if (strcmp(text, "none") == 0)
			return *number = NUMBER_NONE, 0;
		return number_parse(text, INT64_MAX, number);
	}
	return number_parse_size(text, number);
}

static int find_resource(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(resources); i++)
		if (strcmp(resources[i].name, name) == 0)
			return resources[i].resource;
	return -1;
}

int read_rlimit(const struct value_text *value, void *member, struct error *err)
{
	const char *const wanted = "NAME=SOFT[:HARD], for example nofile=256 or stack=64M:64M";
	struct rlimit_item *item = arena_alloc(value->arena, sizeof(*item)), **tail = member;
	char *copy = arena_copy(value->arena, value->text), *side[2], *part[2];
	size_t parts;

	if (!item || !copy)
		return refuse_memory(err);
	if (split(copy, '=', side, 2) != 2)
		return refuse_value(value, err, -EINVAL, wanted);
	parts = split(side[1], ':', part, 2);
	item->resource = find_resource(side[0]);
	if (item->resource < 0)
		return error_mistake(err, "there is no resource limit \"%s\"; getrlimit(2) has as, core, cpu, data, fsize, "
				     "memlock, nofile, nproc, stack and others", side[0]);
	if (!parts || read_one_rlimit(part[0], item->resource, &item->soft) < 0 ||
	    read_one_rlimit(part[parts - 1], item->resource, &item->hard) < 0)
		return refuse_value(value, err, -EINVAL, wanted);
	if (item->soft > item->hard)
		return error_mistake(err, "\"%s\": the soft limit is above the hard one", value->text);
	item->origin = *value->origin;
	while (*tail && (*tail)->origin.layer <= value->origin->layer)
		tail = &(*tail)->next;
	item->next = *tail;
	*tail = item;
	return 0;
}

int read_port(const struct value_text *value, void *member, struct error *err)
{
	struct port_item *item = arena_alloc(value->arena, sizeof(*item)), **tail = member;
	uint64_t number = 0;
	int rc = number_parse(value->text, UINT16_MAX, &number);

	if (!item)
		return refuse_memory(err);
	if (rc < 0 || !number)
		return refuse_value(value, err, rc, "a TCP port from 1 to 65535");
	*item = (struct port_item){ (uint16_t)number, *value->origin, NULL };
	while (*tail && (*tail)->origin.layer <= value->origin->layer)
		tail = &(*tail)->next;
	item->next = *tail;
	*tail = item;
	return 0;
}

const char *print_string(const struct field *field, const void *item, struct arena *arena)
{
	(void)field;
	(void)arena;
	return ((const struct string_item *)item)->text;
}

const char *print_id_map(const struct field *field, const void *item, struct arena *arena)
{
	const struct id_map *map = item;

	(void)field;
	return arena_format(arena, "%u:%u:%u", map->inside, map->outside, map->count);
}

static const char *resource_name(int resource)
{
	for (size_t i = 0; i < ARRAY_SIZE(resources); i++)
		if (resources[i].resource == resource)
			return resources[i].name;
	return "?";
}

static const char *print_one_rlimit(struct arena *arena, uint64_t number)
{
	return number == NUMBER_NONE ? "none" : arena_format(arena, "%llu", (unsigned long long)number);
}

const char *print_rlimit(const struct field *field, const void *item, struct arena *arena)
{
	const struct rlimit_item *limit = item;
	const char *soft = print_one_rlimit(arena, limit->soft), *hard = print_one_rlimit(arena, limit->hard);

	(void)field;
	return soft && hard ? arena_format(arena, "%s=%s:%s", resource_name(limit->resource), soft, hard) : NULL;
}

const char *print_port(const struct field *field, const void *item, struct arena *arena)
{
	(void)field;
	return arena_format(arena, "%u", ((const struct port_item *)item)->port);
}
