/* SPDX-License-Identifier: Apache-2.0 */
/* Ops that fill the file systems immure has just made. The umask is 0: a mode is given once. */
#include <errno.h>
#include <fcntl.h>

#include "run/op.h"
#include "run/place.h"

/* mkdir(2) and open(2) drop these bits. */
enum { SET_ID_BITS = 06000 };

static int finish(const struct run *run, const struct step *step, const struct place *place)
{
	int rc = give_to_user(run, step, place->directory, place->path);

	if (rc < 0 || !(step->number & SET_ID_BITS))
		return rc;
	return sys_chmodat(place->directory, place->path, (unsigned)step->number);
}

/* One that is there already, in the lower layer of an overlay, stays as it is. */
int op_directory(struct run *run, const struct step *step)
{
	auto_place struct place place = NO_PLACE;
	int rc = find_parent(run, step, &place);

	if (rc == 0)
		rc = sys_mkdirat(place.directory, place.path, (unsigned)step->number);
	if (rc < 0)
		return rc == -EEXIST && !(step->how & STEP_DIRECT) ? 0 : rc;
	return finish(run, step, &place);
}

int op_find(struct run *run, const struct step *step)
{
	auto_place struct place place = NO_PLACE;
	auto_close int fd = -1;
	int rc = find_place(run, step, &place);

	if (rc < 0)
		return rc;
	fd = sys_openat(place.directory, *place.path ? place.path : ".", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	return fd < 0 ? fd : 0;
}

int fill_file(const struct step *step, const struct place *place, int flags)
{
	auto_close int fd = sys_openat(place->directory, place->path, O_WRONLY | O_CREAT | O_NOFOLLOW | flags, (unsigned)step->number);

	return fd < 0 ? fd : sys_write_all(fd, step->data, step->size);
}

/* An empty one is a mount point or as good as that, and may be there already. What stands in the lower layer is replaced. */
int op_file(struct run *run, const struct step *step)
{
	auto_place struct place place = NO_PLACE;
	int rc = find_parent(run, step, &place);

	if (rc < 0)
		return rc;
	if (!step->data) {
		rc = sys_mkfileat(place.directory, place.path, (unsigned)step->number);
		return rc == -EEXIST && !(step->how & STEP_DIRECT) ? 0 : rc;
	}
	if (!(step->how & STEP_DIRECT))
		sys_unlinkat(place.directory, place.path, 0);
	rc = fill_file(step, &place, O_EXCL);
	return rc < 0 ? rc : finish(run, step, &place);
}

int op_symlink(struct run *run, const struct step *step)
{
	auto_place struct place place = NO_PLACE;
	int rc = find_parent(run, step, &place);

	if (rc < 0)
		return rc;
	if (!(step->how & STEP_DIRECT))
		sys_unlinkat(place.directory, place.path, 0);
	return sys_symlinkat(step->text, place.directory, place.path);
}
