/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on the sandbox's files, in the order of the words, and the modifiers before them. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compat/bwrap.h"

/* What the modifiers before OPTION said, as far as it takes it; the rest stays, and is complained about. */
static void take_modifiers(struct bwrap *bwrap, const struct bwrap_option *option, struct immure_mount *mount)
{
	if ((option->flags & TAKES_MODE) && bwrap->next_mode >= 0) {
		/* As mkdir(2), which knows of no more for a folder. */
		mount->mode = strcmp(option->key, "dir") == 0 ? bwrap->next_mode & 01777 : bwrap->next_mode;
		bwrap->next_mode = -1;
	}
	if (option->flags & TAKES_SIZE) {
		mount->size = bwrap->next_size;
		bwrap->next_size = 0;
	}
	if (option->flags & TAKES_LOWERS) {
		mount->lowers = bwrap->next_lowers;
		bwrap->next_lowers = NULL;
		bwrap->next_lower_count = 0;
	}
}

static int check_lowers(struct bwrap *bwrap, const struct bwrap_option *option)
{
	const bool is_read_only = option->key && strcmp(option->key, "layers-ro") == 0;

	if (!(option->flags & TAKES_LOWERS) || bwrap->next_lower_count >= (is_read_only ? 2 : 1))
		return 0;
	return bwrap_refuse(bwrap, "%s requires at least %s --overlay-src", option->name, is_read_only ? "two" : "one");
}

static int add(struct bwrap *bwrap, const struct bwrap_option *option, struct immure_mount mount)
{
	struct bwrap_operation *list;

	if (check_lowers(bwrap, option) < 0)
		return -1;
	list = bwrap_room(bwrap, bwrap->operations, bwrap->operation_count, sizeof(*list));
	if (!list)
		return -1;
	bwrap->operations = list;
	mount.target = bwrap_rooted(bwrap, mount.target);
	if (!mount.target)
		return -1;
	mount.key = option->key;
	mount.is_optional = !!(option->flags & IS_OPTIONAL);
	take_modifiers(bwrap, option, &mount);
	list[bwrap->operation_count++] = (struct bwrap_operation){ .mount = mount, .where = option->name };
	return 0;
}

int act_target(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	return add(bwrap, option, (struct immure_mount){ .target = arguments[0], .descriptor = -1, .mode = option->mode });
}

int act_source(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	return add(bwrap, option, (struct immure_mount){ .source = arguments[0], .target = arguments[1], .descriptor = -1, .mode = -1 });
}

int act_descriptor_target(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	int descriptor = -1;

	if (bwrap_read_descriptor(bwrap, arguments[0], &descriptor) < 0 || bwrap_consume(bwrap, descriptor, option->name) < 0)
		return -1;
	return add(bwrap, option, (struct immure_mount){ .target = arguments[1], .descriptor = descriptor, .mode = option->mode });
}

int act_overlay(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	return add(bwrap, option, (struct immure_mount){ .upper = arguments[0], .work = arguments[1], .target = arguments[2],
							 .descriptor = -1, .mode = -1 });
}

static int read_octal(struct bwrap *bwrap, const struct bwrap_option *option, const char *text, int *mode)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 8);
	if (!*text || *end || errno || number < 0 || number > 07777)
		return bwrap_refuse(bwrap, "%s takes an octal argument <= 07777", option->name);
	*mode = (int)number;
	return 0;
}

int act_chmod(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	int mode;

	if (read_octal(bwrap, option, arguments[0], &mode) < 0)
		return -1;
	return add(bwrap, option, (struct immure_mount){ .target = arguments[1], .descriptor = -1, .mode = mode });
}

int act_mode(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	if (bwrap->next_mode >= 0)
		return bwrap_refuse(bwrap, "--perms given twice for the same action");
	return read_octal(bwrap, option, arguments[0], &bwrap->next_mode);
}

/* In any base that strtoull(3) knows by its prefix. */
int act_size(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	unsigned long long size;
	char *end;

	(void)option;
	if (bwrap->next_size)
		return bwrap_refuse(bwrap, "--size given twice for the same action");
	errno = 0;
	size = strtoull(arguments[0], &end, 0);
	if (errno || !isdigit((unsigned char)arguments[0][0]) || *end || !size)
		return bwrap_refuse(bwrap, "--size takes a non-zero number of bytes");
	if (size > SIZE_MAX / 2)
		return bwrap_refuse(bwrap, "--size (for tmpfs) is limited to %zu", SIZE_MAX / 2);
	bwrap->next_size = size;
	return 0;
}

int act_lower(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	const char **list = realloc(bwrap->next_lowers, (bwrap->next_lower_count + 2) * sizeof(*list));

	(void)option;
	if (!list)
		return bwrap_refuse(bwrap, "no memory");
	bwrap->next_lowers = list;
	list[bwrap->next_lower_count++] = arguments[0];
	list[bwrap->next_lower_count] = NULL;
	return 0;
}

/* ---- sources ---- */

static int check_source(struct bwrap *bwrap, const char *path, bool is_optional)
{
	struct stat status;

	if (!path || stat(path, &status) == 0 || (is_optional && errno == ENOENT))
		return 0;
	return bwrap_refuse(bwrap, "Can't find source path %s: %s", path, strerror(errno));
}

int bwrap_check_sources(struct bwrap *bwrap)
{
	for (size_t i = 0; i < bwrap->operation_count; i++) {
		const struct immure_mount *mount = &bwrap->operations[i].mount;
		const bool is_text = strcmp(mount->key, "symlink") == 0;

		if (check_source(bwrap, is_text ? NULL : mount->source, mount->is_optional) < 0 ||
		    check_source(bwrap, mount->upper, false) < 0 || check_source(bwrap, mount->work, false) < 0)
			return -1;
		for (const char *const *lower = mount->lowers; lower && *lower; lower++)
			if (check_source(bwrap, *lower, false) < 0)
				return -1;
	}
	return 0;
}
