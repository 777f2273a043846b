/* SPDX-License-Identifier: Apache-2.0 */
/* What the words are read into: its room, its errors, and what it keeps. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "compat/bwrap.h"

void bwrap_init(struct bwrap *bwrap, const struct bwrap_caller *caller, const char *own_name)
{
	*bwrap = (struct bwrap){
		.caller = caller, .own_name = own_name ? own_name : "bwrap", .output = stdout, .complaints = stderr, .next_mode = -1,
		.userns_fd = -1, .userns2_fd = -1, .pidns_fd = -1, .sync_fd = -1, .block_fd = -1, .userns_block_fd = -1, .info_fd = -1,
		.json_status_fd = -1, .seccomp_fd = -1, .uid = BWRAP_UNSET_ID, .gid = BWRAP_UNSET_ID,
		/* Root begins with what it has, everybody else with nothing. */
		.capabilities = caller->uid == 0 && !caller->is_hardened ? caller->capabilities : 0,
	};
}

void bwrap_free(struct bwrap *bwrap)
{
	for (size_t i = 0; i < bwrap->operation_count; i++)
		free((void *)(uintptr_t)bwrap->operations[i].mount.lowers);
	for (size_t i = 0; i < bwrap->owned_count; i++)
		free(bwrap->owned[i]);
	free(bwrap->owned);
	free(bwrap->next_lowers);
	free(bwrap->filters);
	free(bwrap->lock_files);
	free(bwrap->variables);
	free(bwrap->operations);
	free(bwrap->consumed);
}

int bwrap_refuse(struct bwrap *bwrap, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(bwrap->error, sizeof(bwrap->error), format, list);
	va_end(list);
	return -1;
}

void bwrap_print(const struct bwrap *bwrap, int level, const char *text)
{
	const char *name = "bwrap: ";

	while (*text) {
		const int length = (int)strcspn(text, "\n");

		if (bwrap->has_level_prefix)
			fprintf(bwrap->complaints, "<%d>", level);
		fprintf(bwrap->complaints, "%s%.*s\n", name, length, text);
		text += length + (text[length] == '\n');
		name = "";
	}
}

void bwrap_warn(const struct bwrap *bwrap, const char *format, ...)
{
	char text[1024];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	bwrap_print(bwrap, 4, text);
}

/* Doubled whenever COUNT is a power of two, so that nobody needs to remember the room there is. */
void *bwrap_room(struct bwrap *bwrap, void *list, size_t count, size_t size)
{
	void *larger = list;

	if ((count & (count - 1)) == 0)
		larger = realloc(list, (count ? 2 * count : 1) * size);
	if (!larger)
		bwrap_refuse(bwrap, "no memory");
	return larger;
}

char *bwrap_own(struct bwrap *bwrap, char *text)
{
	char **list = text ? bwrap_room(bwrap, bwrap->owned, bwrap->owned_count, sizeof(*list)) : NULL;

	if (!list) {
		bwrap_refuse(bwrap, "no memory");
		free(text);
		return NULL;
	}
	bwrap->owned = list;
	list[bwrap->owned_count++] = text;
	return text;
}

const char *bwrap_rooted(struct bwrap *bwrap, const char *path)
{
	const size_t size = strlen(path) + 1;
	char *copy;

	if (*path == '/')
		return path;
	copy = malloc(1 + size);
	if (copy) {
		copy[0] = '/';
		memcpy(copy + 1, path, size);
	}
	return bwrap_own(bwrap, copy);
}

int bwrap_consume(struct bwrap *bwrap, int descriptor, const char *where)
{
	struct bwrap_consumed *list = bwrap_room(bwrap, bwrap->consumed, bwrap->consumed_count, sizeof(*list));

	if (!list)
		return -1;
	bwrap->consumed = list;
	list[bwrap->consumed_count++] = (struct bwrap_consumed){ .descriptor = descriptor, .where = where };
	return 0;
}

int bwrap_read_number(const char *text, long most, long *number)
{
	char *end;

	errno = 0;
	*number = strtol(text, &end, 10);
	return *text && !*end && !errno && *number >= 0 && *number <= most ? 0 : -1;
}

int bwrap_read_descriptor(struct bwrap *bwrap, const char *text, int *descriptor)
{
	long number;

	if (bwrap_read_number(text, INT_MAX, &number) < 0)
		return bwrap_refuse(bwrap, "Invalid fd: %s", text);
	*descriptor = (int)number;
	return 0;
}
