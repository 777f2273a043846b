/* SPDX-License-Identifier: Apache-2.0 */
/* Ops that fill the file systems immure has just made. */
#include <errno.h>
#include <fcntl.h>

#include "run/op.h"

/* Set-up's files belong to its own id; those of the program to the program. */
static int give(const struct run *run, const struct step *step, int fd)
{
	if (!(step->flags & STEP_OWNED) || !run->plan->has_root_inside)
		return 0;
	return sys_fchown(fd, run->plan->uid, run->plan->gid);
}

int op_directory(struct run *run, const struct step *step)
{
	const char *name;
	auto_close int parent = open_parent(run, step->subject, &name);
	auto_close int fd = -1;
	int rc;

	if (parent < 0)
		return parent;
	rc = sys_mkdirat(parent, name, 0700);
	if (rc == -EEXIST)
		return 0;
	if (rc < 0)
		return rc;
	fd = sys_openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	rc = sys_fchmod(fd, (unsigned)step->number);
	return rc < 0 ? rc : give(run, step, fd);
}

static int copy_descriptor(int from, int to)
{
	char bytes[4096];
	ssize_t size;

	while ((size = sys_read(from, bytes, sizeof(bytes))) > 0) {
		int rc = sys_write_all(to, bytes, (size_t)size);

		if (rc < 0)
			return rc;
	}
	return (int)size;
}

int op_file(struct run *run, const struct step *step)
{
	const char *name;
	auto_close int parent = open_parent(run, step->subject, &name);
	auto_close int fd = -1;
	int rc = 0;

	if (parent < 0)
		return parent;
	fd = sys_openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fd == -EEXIST && !step->size ? 0 : fd;
	if (step->flags & STEP_FROM_DESCRIPTOR)
		rc = copy_descriptor((int)step->more, fd);
	else if (step->size)
		rc = sys_write_all(fd, step->data, step->size);
	if (rc == 0)
		rc = sys_fchmod(fd, (unsigned)step->number);
	return rc < 0 ? rc : give(run, step, fd);
}

int op_symlink(struct run *run, const struct step *step)
{
	const char *name;
	auto_close int parent = open_parent(run, step->subject, &name);

	return parent < 0 ? parent : sys_symlinkat(step->text, parent, name);
}
