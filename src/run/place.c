/* SPDX-License-Identifier: Apache-2.0 */
/* Finding places in the new tree. A link is resolved as inside, so it never leads out. openat2(2), RESOLVE_IN_ROOT */
#include "run/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#include "sys/mount.h"

void leave_place(struct place *place)
{
	if (place->is_opened)
		sys_close(place->directory);
}

static void stand_directly(const struct run *run, const struct step *step, struct place *place)
{
	const bool is_within = step->how & STEP_WITHIN;
	const char *path = step->subject + (is_within ? step->skip : 1);

	*place = (struct place){ .directory = run->slots[is_within ? step->within : SLOT_ROOT], .path = path,
				 .flags = *path ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH };
}

static int open_inside(const struct run *run, const char *path, int flags, struct place *place)
{
	int fd = sys_openat2(run->slots[SLOT_ROOT], path, O_PATH | flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

	if (fd < 0)
		return fd;
	*place = (struct place){ .directory = fd, .path = "", .flags = AT_EMPTY_PATH, .is_opened = true };
	return 0;
}

int find_place(const struct run *run, const struct step *step, struct place *place)
{
	if (!(step->how & STEP_DIRECT))
		return open_inside(run, step->subject, 0, place);
	stand_directly(run, step, place);
	return 0;
}

int find_parent(const struct run *run, const struct step *step, struct place *place)
{
	const char *slash = strrchr(step->subject, '/');
	const size_t length = (size_t)(slash - step->subject);
	char parent[4096];
	int rc;

	if (step->how & STEP_DIRECT) {
		stand_directly(run, step, place);
		return 0;
	}
	if (length >= sizeof(parent))
		return -ENAMETOOLONG;
	memcpy(parent, length ? step->subject : "/", length ? length : 1);
	parent[length ? length : 1] = '\0';
	rc = open_inside(run, parent, O_DIRECTORY, place);
	if (rc < 0)
		return rc;
	place->path = slash + 1;
	place->flags = AT_SYMLINK_NOFOLLOW;
	return 0;
}

int give_to_user(const struct run *run, const struct step *step, int directory, const char *path)
{
	const struct plan *plan = run->plan;
	/* Without a user namespace the leased ids are the program's own. */
	const uint32_t base = plan->has_leased_ids && !plan->has_userns ? (uint32_t)run->slots[SLOT_IDS] : 0;

	if (!(step->how & STEP_OWNED) || (plan->has_userns && !plan->has_root_inside))
		return 0;
	return sys_chownat(directory, path, plan->uid + base, plan->gid + base, *path ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH);
}

int attach(int tree, int directory, const char *path)
{
	unsigned tree_mode, place_mode;
	uid_t uid;
	gid_t gid;
	int rc = sys_attach(tree, directory, path);

	if (rc != -EINVAL || sys_stat(tree, "", AT_EMPTY_PATH, &tree_mode, &uid, &gid) < 0 ||
	    sys_stat(directory, path, AT_EMPTY_PATH, &place_mode, &uid, &gid) < 0 || S_ISDIR(tree_mode) == S_ISDIR(place_mode))
		return rc;
	return S_ISDIR(tree_mode) ? -ENOTDIR : -EISDIR;
}
