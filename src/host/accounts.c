/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who the users and groups of a root are: read from its own passwd(5) and group(5), which may have been
 * made by anybody. So: only regular files, no link out of the root, a bound on their size, no NSS, and
 * a number is looked up only for what "@user" asks: the group and the groups of its account.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#include "host/probe.h"
#include "sys/file.h"

enum { FILE_MOST = 1 << 20, FIELDS = 7 };

static bool is_name(const char *text)
{
	return text && *text && (*text < '0' || *text > '9');
}

/* The whole file in TEXT (from malloc). NULL with 0: there is no such file. */
static int read_whole(int root, const char *path, char **text, struct error *err)
{
	/* not to wait for the writer of a FIFO */
	auto_close int fd = sys_openat2(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	size_t used = 0;
	ssize_t done = 1;
	unsigned mode;
	uid_t uid;
	gid_t gid;

	*text = NULL;
	if (fd < 0)
		return fd == -ENOENT ? 0 : error_set(err, -fd, "reading the root's %s", path);
	if (sys_stat(fd, "", AT_EMPTY_PATH, &mode, &uid, &gid) < 0 || !S_ISREG(mode))
		return error_mistake(err, "the root's %s is not a regular file", path);
	*text = malloc(FILE_MOST);
	if (!*text)
		return error_set(err, ENOMEM, "reading the root's %s", path);
	while (used < FILE_MOST && (done = sys_read(fd, *text + used, FILE_MOST - used)) > 0)
		used += (size_t)done;
	if (done < 0)
		return error_set(err, (int)-done, "reading the root's %s", path);
	if (used == FILE_MOST) {
		error_mistake(err, "the root's %s is larger than 1M", path);
		error_remedy(err, "E-ACCOUNTS-SIZE", "name users and groups by number");
		return -EINVAL;
	}
	(*text)[used] = '\0';
	return 0;
}

/* Takes a line off *AT and splits it at colons. False at the end. */
static bool take_line(char **at, char *fields[FIELDS])
{
	char *line = *at, *end;

	if (!line || !*line)
		return false;
	end = strchr(line, '\n');
	*at = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	for (int i = 0; i < FIELDS; i++) {
		char *colon = line ? strchr(line, ':') : NULL;

		fields[i] = line ? line : (char *)"";
		if (colon)
			*colon++ = '\0';
		line = colon;
	}
	return true;
}

static bool read_id(const char *text, uint32_t *id)
{
	uint64_t number;

	if (number_parse(text, UINT32_MAX - 1, &number) < 0)
		return false;
	*id = (uint32_t)number;
	return true;
}

static void find_home(struct host *host, int root, const char *home)
{
	auto_close int fd = home[0] == '/' ? sys_openat2(root, home, O_PATH | O_DIRECTORY, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS) : -1;

	if (fd >= 0)
		host->found_home = arena_copy(&host->arena, home);
}

/* Whether the line's account is USER, by its name or by its number. */
static bool is_account(char *const fields[FIELDS], const char *user, uint32_t *uid)
{
	uint32_t wanted = 0;

	if (!read_id(fields[2], uid))
		return false;
	return is_name(user) ? strcmp(fields[0], user) == 0 : read_id(user, &wanted) && *uid == wanted;
}

/* *NAME, from malloc, is the account's; NULL: there is none. */
static int find_user(struct host *host, const char *user, int root, char **name, struct error *err)
{
	auto_free char *text = NULL;
	char *at, *fields[FIELDS] = { NULL };
	int rc = read_whole(root, "/etc/passwd", &text, err);

	*name = NULL;
	for (at = text; rc == 0 && take_line(&at, fields);) {
		if (!is_account(fields, user, &host->found_uid))
			continue;
		host->has_found_uid = true;
		host->has_found_gid = read_id(fields[3], &host->found_gid);
		find_home(host, root, fields[5]);
		*name = strdup(fields[0]);
		return *name ? 0 : error_set(err, ENOMEM, "reading the root's /etc/passwd");
	}
	return rc;
}

/* Whether the comma-separated LIST has NAME. */
static bool has_member(const char *list, const char *name)
{
	const size_t length = strlen(name);

	for (const char *at = list; *at; at += *at == ',') {
		size_t size = strcspn(at, ",");

		if (size == length && strncmp(at, name, size) == 0)
			return true;
		at += size;
	}
	return false;
}

static void note_group(struct host *host, const struct spec *spec, const char *user, char *const fields[FIELDS])
{
	uint32_t gid;

	if (!read_id(fields[2], &gid))
		return;
	if (spec->group && strcmp(fields[0], spec->group) == 0) {
		host->found_gid = gid;
		host->has_found_gid = true;
	}
	if (string_list_has(spec->groups, fields[0]) && host->found_group_count < HOST_GROUPS) {
		host->found_group_names[host->found_group_count] = arena_copy(&host->arena, fields[0]);
		host->found_groups[host->found_group_count++] = gid;
	}
	if (user && has_member(fields[3], user) && host->member_group_count < HOST_GROUPS)
		host->member_groups[host->member_group_count++] = gid;
}

static bool names_a_group(const struct spec *spec)
{
	if (is_name(spec->group))
		return true;
	for (const struct string_item *item = spec->groups; item; item = item->next)
		if (is_name(item->text))
			return true;
	return false;
}

int host_probe_accounts(struct host *host, const struct spec *spec, int root, struct error *err)
{
	const bool is_own_group = spec->group && strcmp(spec->group, "@user") == 0;
	auto_free char *text = NULL, *user = NULL;
	char *at, *fields[FIELDS] = { NULL };
	int rc = 0;

	if (is_name(spec->user) || (spec->user && (is_own_group || string_list_has(spec->groups, "@user"))))
		rc = find_user(host, spec->user, root, &user, err);
	if (rc < 0 || !names_a_group(spec))
		return rc;
	if (is_name(spec->group) && !is_own_group)
		host->has_found_gid = false; /* of the group asked for, or of none */
	rc = read_whole(root, "/etc/group", &text, err);
	for (at = text; rc == 0 && take_line(&at, fields);)
		note_group(host, spec, user, fields);
	return rc;
}

int host_look_up_user(struct host *host, const struct spec *spec, struct error *err)
{
	auto_close int root = spec->root ? sys_open(spec->root, O_PATH | O_DIRECTORY, 0) : -1;

	host->has_found_uid = host->has_found_gid = false;
	host->found_home = NULL;
	host->found_group_count = host->member_group_count = 0;
	return root < 0 ? 0 : host_probe_accounts(host, spec, root, err);
}
