/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which sub-ids the caller may map. newuidmap(1) checks them again, so a mistake here is an error in the end, not a hole;
 * strict all the same, for the plan tells people what they will get.
 */
#include "host/subids.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/file.h"

enum { FILE_MOST = 1 << 20 };

struct piece {
	const char *at;
	size_t size;
};

/* The part of LINE up to MARK, which is taken off with it; false: there is no MARK. */
static bool cut(struct piece *line, char mark, struct piece *part)
{
	const char *end = memchr(line->at, mark, line->size);

	if (!end)
		return false;
	*part = (struct piece){ line->at, (size_t)(end - line->at) };
	line->size -= part->size + 1;
	line->at = end + 1;
	return true;
}

static bool read_number(struct piece text, uint32_t *number)
{
	uint64_t value = 0;

	if (text.size == 0 || text.size > 10)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text.at[i] - '0');
	}
	*number = (uint32_t)value;
	return value <= UINT32_MAX;
}

static bool is_name(struct piece text, const char *name, uint32_t uid)
{
	uint32_t number;

	if (name && strlen(name) == text.size && memcmp(name, text.at, text.size) == 0)
		return true;
	return read_number(text, &number) && number == uid;
}

static bool read_line(struct piece line, const char *name, uint32_t uid, struct sub_range *range)
{
	struct piece owner, first;

	if (!cut(&line, ':', &owner) || !cut(&line, ':', &first) || !is_name(owner, name, uid))
		return false;
	if (!read_number(first, &range->first) || !read_number(line, &range->count))
		return false;
	/* 4294967295 is no id: it means "no change". */
	return range->first && range->count && range->count <= UINT32_MAX - range->first;
}

struct sub_range subids_find(const char *text, size_t size, const char *name, uint32_t uid)
{
	struct piece rest = { text, size }, line;
	struct sub_range best = { 0, 0 }, range;

	while (rest.size) {
		if (!cut(&rest, '\n', &line)) {
			line = rest;
			rest.size = 0;
		}
		if (read_line(line, name, uid, &range) && range.count > best.count)
			best = range;
	}
	return best;
}

/* The name of UID in a passwd(5) file, into NAME; "": it has none. */
static void find_name(const char *text, size_t size, uint32_t uid, char *name, size_t room)
{
	struct piece rest = { text, size }, line, owner, password, id;
	uint32_t number;

	*name = '\0';
	while (cut(&rest, '\n', &line)) {
		if (!cut(&line, ':', &owner) || !cut(&line, ':', &password) || !cut(&line, ':', &id))
			continue;
		if (!read_number(id, &number) || number != uid || owner.size >= room)
			continue;
		memcpy(name, owner.at, owner.size);
		name[owner.size] = '\0';
		return;
	}
}

int host_probe_subids(struct host *host, struct error *err)
{
	char *text = malloc(FILE_MOST), name[256] = "";
	ssize_t size;

	if (!text)
		return error_set(err, ENOMEM, "reading /etc/subuid");
	size = sys_read_file("/etc/passwd", text, FILE_MOST);
	if (size > 0)
		find_name(text, (size_t)size, host->uid, name, sizeof(name));
	size = sys_read_file("/etc/subuid", text, FILE_MOST);
	if (size > 0)
		host->sub_uid = subids_find(text, (size_t)size, *name ? name : NULL, host->uid);
	size = sys_read_file("/etc/subgid", text, FILE_MOST);
	if (size > 0)
		host->sub_gid = subids_find(text, (size_t)size, *name ? name : NULL, host->uid);
	free(text);
	return 0;
}
