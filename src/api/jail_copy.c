/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying files out of a jail and into it, while it runs. Every file inside is opened there, by a helper of the keeper's that is the
 * jail's user and nobody more: so a link in the jail leads only to what its user may open anyway. Below a folder names come from the
 * folder's descriptor, links are never followed, on neither side, and come along as links.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "api/copy_bytes.h"
#include "api/jail.h"
#include "base/path.h"
#include "sys/confine.h"
#include "sys/file.h"
#include "sys/folder.h"
#include "sys/process.h"

enum { PIECE = 64 << 10, DEEPEST = 200, PATH = 4096 };

struct copy {
	struct immure_jail *jail;
	struct immure_error *out; /* its story when rc < 0 and is_told */
	bool is_told;
	bool has_own_name;      /* it goes by the name that it has in the jail: a link that is there may be of the jail's making */
	int depth;
	struct error err;
	char *piece;
};

/* A folder on its way: the same place on both sides. */
struct place {
	struct copy *copy;
	const char *inside;     /* its path in the jail */
	int from, to;           /* descriptors of both folders */
	bool is_inward;
};

int immure_jail_file(struct immure_jail *jail, const char *path, int flags, unsigned mode, struct immure_error *out)
{
	struct {
		struct packet_open fixed;
	} request = { .fixed = { .flags = (uint32_t)flags, .mode = mode } };
	struct error err = { 0 };
	int rc;

	fill_name(request.fixed.name, jail->name);
	rc = jail_ask(jail, &(struct packet_parts){ .type = PACKET_OPEN, .fixed = &request.fixed, .tail = path, .tail_size = strlen(path) }, out);
	if (rc < 0)
		return rc;
	if (jail->packet.type == PACKET_DESCRIPTOR && jail->packet.fd_count == 1) {
		jail->packet.fd_count = 0;
		return jail->packet.fds[0];
	}
	packet_close_descriptors(&jail->packet);
	return tell(out, &err, error_set(&err, EPROTO, "opening %s in %s", path, jail->name), 125);
}

static int open_inside(struct copy *copy, const char *path, int flags, unsigned mode)
{
	int fd = immure_jail_file(copy->jail, path, flags, mode, copy->out);

	copy->is_told = fd < 0;
	return fd;
}

static int fail(struct copy *copy, int rc, const char *doing, const char *what)
{
	return error_set(&copy->err, -rc, "%s %s", doing, what);
}

static int pass_bytes(struct copy *copy, int from, int to, const char *name)
{
	bool is_reading = false;
	int rc = copy_bytes(from, to, copy->piece, PIECE, &is_reading);

	return rc < 0 ? fail(copy, rc, is_reading ? "reading" : "writing", name) : 0;
}

/* "/a" and "b": "/a/b" */
static int join(struct copy *copy, char *path, const char *folder, const char *name)
{
	const char *gap = folder[strlen(folder) - 1] == '/' ? "" : "/";

	if (snprintf(path, PATH, "%s%s%s", folder, gap, name) >= PATH)
		return fail(copy, -ENAMETOOLONG, "copying", name);
	return 0;
}

static int enter(struct copy *copy, const char *name)
{
	return ++copy->depth > DEEPEST ? fail(copy, -ELOOP, "copying folders so deep:", name) : 0;
}

static int read_link(const struct place *place, const char *name, char target[PATH])
{
	ssize_t length = sys_read_link_at(place->from, name, target, PATH);

	return length < 0 ? fail(place->copy, (int)length, "reading the link", name) : 0;
}

static int make_link(const struct place *place, const char *name, const char *target)
{
	int rc = sys_symlinkat(target, place->to, name);

	return rc < 0 ? fail(place->copy, rc, "copying the link", name) : 0;
}

static int copy_link(const struct place *place, const char *name)
{
	char target[PATH];
	int rc = read_link(place, name, target);

	return rc < 0 ? rc : make_link(place, name, target);
}

/* ---- out of the jail ---- */

static int visit(void *argument, const char *name);

/* Only what the caller named is followed if it is a link: any other may have come out of the jail by an earlier copy. */
static int target_flags(const struct copy *copy)
{
	return copy->depth > 0 || copy->has_own_name ? O_NOFOLLOW : 0;
}

static int fail_at_target(struct copy *copy, int rc, const char *doing, const char *name)
{
	fail(copy, rc, doing, name);
	if (rc == -ELOOP || rc == -ENOTDIR)
		error_remedy(&copy->err, "E-CP-LINK", "a link or a file is in the way, perhaps of the jail's making: remove it, or say where to, name included");
	return rc;
}

static int save_file(struct copy *copy, int from, int folder, const char *name, unsigned mode)
{
	auto_close int to = sys_openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | target_flags(copy), mode & 0777);

	return to < 0 ? fail_at_target(copy, to, "writing", name) : pass_bytes(copy, from, to, name);
}

static int copy_folder_out(struct copy *copy, const char *inside, int from, int folder, const char *name)
{
	const int flags = target_flags(copy);
	int rc = enter(copy, name);
	auto_close int to = -1;
	struct place place = { .copy = copy, .inside = inside, .from = from };

	if (rc == 0)
		rc = sys_mkdirat(folder, name, 0777);
	if (rc == 0 || rc == -EEXIST)
		rc = to = sys_openat(folder, name, O_RDONLY | O_DIRECTORY | flags, 0);
	if (rc < 0)
		return copy->err.errnum ? rc : fail_at_target(copy, rc, "making the folder", name);
	place.to = to;
	rc = sys_each_entry(from, visit, &place);
	copy->depth--;
	return rc;
}

/* "/a/." and "/a/..": what is in there is meant, and no name. */
static const char *own_name(const char *path)
{
	const char *name = path_last(path);

	return !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ? NULL : name;
}

/* Into a folder that is there it goes by its own name. */
static int name_target(struct copy *copy, char *path, const char *target, const char *source)
{
	unsigned mode;
	uid_t uid;
	gid_t gid;

	copy->has_own_name = own_name(source) && sys_stat(AT_FDCWD, target, 0, &mode, &uid, &gid) == 0 && S_ISDIR(mode);
	if (copy->has_own_name)
		return join(copy, path, target, own_name(source));
	if (strlen(target) >= PATH)
		return fail(copy, -ENAMETOOLONG, "copying", source);
	strcpy(path, target);
	return 0;
}

static int copy_out(struct copy *copy, const char *inside, const char *outside)
{
	auto_close int from = open_inside(copy, inside, O_RDONLY, 0);
	char path[PATH];
	unsigned mode;
	uid_t uid;
	gid_t gid;
	int rc = from < 0 ? from : sys_stat(from, "", AT_EMPTY_PATH, &mode, &uid, &gid);

	if (rc == 0)
		rc = name_target(copy, path, outside, inside);
	if (rc < 0)
		return rc;
	return S_ISDIR(mode) ? copy_folder_out(copy, inside, from, AT_FDCWD, path) : save_file(copy, from, AT_FDCWD, path, mode);
}

/* ---- into the jail ---- */

static int bring_file(struct copy *copy, int from, const char *inside, unsigned mode)
{
	auto_close int to = open_inside(copy, inside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode & 0777);

	return to < 0 ? to : pass_bytes(copy, from, to, inside);
}

/* It is the folder's owner's; root's ids may mean nothing to a file system of the jail's. Others have only their own. */
static int bring_link(const struct place *place, const char *name)
{
	char target[PATH];
	unsigned mode;
	uid_t uid;
	gid_t gid;
	int rc = sys_stat(place->to, "", AT_EMPTY_PATH, &mode, &uid, &gid);

	if (rc < 0)
		return fail(place->copy, rc, "copying the link", name);
	rc = read_link(place, name, target); /* by the caller, to whom its folder is open */
	if (rc < 0 || sys_effective_user() != 0)
		return rc < 0 ? rc : make_link(place, name, target);
	sys_set_file_ids(uid, gid);
	rc = make_link(place, name, target);
	sys_set_file_ids(0, sys_effective_group());
	return rc;
}

static int copy_folder_in(struct copy *copy, int from, const char *inside)
{
	int rc = enter(copy, inside);
	auto_close int to = rc < 0 ? -1 : open_inside(copy, inside, O_RDONLY | O_CREAT | O_DIRECTORY | O_NOFOLLOW, 0777);
	struct place place = { .copy = copy, .inside = inside, .from = from, .to = to, .is_inward = true };

	if (to < 0)
		return rc < 0 ? rc : to;
	rc = sys_each_entry(from, visit, &place);
	copy->depth--;
	return rc;
}

/* ---- either way ---- */

static int open_entry(const struct place *place, const char *name, const char *inside, bool is_folder)
{
	int fd;

	if (!place->is_inward)
		return open_inside(place->copy, inside, O_RDONLY | O_NOFOLLOW | (is_folder ? O_DIRECTORY : 0), 0);
	fd = sys_openat(place->from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	return fd < 0 ? fail(place->copy, fd, "reading", name) : fd;
}

/* One that has gone meanwhile is not copied; nor is a pipe, a socket, a device. */
static int visit(void *argument, const char *name)
{
	const struct place *place = argument;
	auto_close int from = -1;
	char path[PATH];
	unsigned mode;
	uid_t uid;
	gid_t gid;
	int rc = sys_stat(place->from, name, AT_SYMLINK_NOFOLLOW, &mode, &uid, &gid);

	if (rc == 0 && S_ISLNK(mode))
		return place->is_inward ? bring_link(place, name) : copy_link(place, name);
	if (rc < 0 || (!S_ISREG(mode) && !S_ISDIR(mode)))
		return rc == -ENOENT || rc == 0 ? 0 : fail(place->copy, rc, "looking at", name);
	rc = join(place->copy, path, place->inside, name);
	if (rc == 0)
		rc = from = open_entry(place, name, path, S_ISDIR(mode));
	if (rc < 0)
		return rc;
	if (place->is_inward)
		return S_ISDIR(mode) ? copy_folder_in(place->copy, from, path) : bring_file(place->copy, from, path, mode);
	return S_ISDIR(mode) ? copy_folder_out(place->copy, path, from, place->to, name)
			     : save_file(place->copy, from, place->to, name, mode);
}

static int copy_in(struct copy *copy, const char *outside, const char *inside)
{
	auto_close int from = sys_openat(AT_FDCWD, outside, O_RDONLY, 0);
	auto_close int folder = -1;
	char path[PATH];
	unsigned mode = 0;
	uid_t uid;
	gid_t gid;
	int rc = from < 0 ? from : sys_stat(from, "", AT_EMPTY_PATH, &mode, &uid, &gid);

	if (rc < 0)
		return fail(copy, rc, "reading", outside);
	if (!S_ISREG(mode) && !S_ISDIR(mode))
		return fail(copy, -EINVAL, "copying what is neither file nor folder:", outside);
	folder = open_inside(copy, inside, O_RDONLY | O_DIRECTORY, 0);
	copy->is_told = false;
	if (strlen(inside) >= PATH)
		return fail(copy, -ENAMETOOLONG, "copying to", inside);
	strcpy(path, inside);
	rc = folder >= 0 && own_name(outside) ? join(copy, path, inside, own_name(outside)) : 0;
	if (rc < 0)
		return rc;
	return S_ISDIR(mode) ? copy_folder_in(copy, from, path) : bring_file(copy, from, path, mode);
}

int immure_jail_copy(struct immure_jail *jail, int direction, const char *inside, const char *outside, struct immure_error *out)
{
	struct immure_error story = { 0 };
	struct copy copy = { .jail = jail, .out = &story, .piece = malloc(PIECE) };
	int rc;

	if (!copy.piece)
		rc = error_set(&copy.err, ENOMEM, "copying");
	else if (inside[0] != '/')
		rc = error_mistake(&copy.err, "\"%s\": the place inside must be an absolute path", inside);
	else
		rc = direction ? copy_in(&copy, outside, inside) : copy_out(&copy, inside, outside);
	free(copy.piece);
	if (rc < 0 && copy.is_told) {
		if (out)
			*out = story;
		return rc;
	}
	if (rc < 0 && !copy.err.errnum)
		error_set(&copy.err, -rc, "copying %s", inside);
	return tell(out, &copy.err, rc, 125);
}
