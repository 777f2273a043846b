/* SPDX-License-Identifier: Apache-2.0 */
/* Ops for those who enter a jail that is there: what its keeper holds for them, and what they fetch. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#include "run/op.h"
#include "sys/channel.h"
#include "sys/process.h"

/* WHAT says which descriptor it is; the launcher takes it only for the slot that is meant for it. */
static int give(const struct run *run, int what, int fd)
{
	return channel_send(run->wire, (struct message){ what, 0 }, fd);
}

int op_give_namespaces(struct run *run, const struct step *step)
{
	auto_close int self = sys_open_pid(sys_pid());
	const int shift = (int)step->number;
	int rc = 0;

	for (unsigned kind = 0; rc == 0 && kind < NAMESPACES; kind++) {
		auto_close int fd = step->flags & namespace_flags[kind] ? sys_open_own_namespace(self, other_proc(run), kind) : -1;

		if (step->flags & namespace_flags[kind])
			rc = fd < 0 ? fd : give(run, WIRE_NAMESPACE - (int)kind - shift, fd);
	}
	return rc;
}

int op_give_root(struct run *run, const struct step *step)
{
	auto_close int root = sys_open("/", O_PATH | O_DIRECTORY, 0);

	(void)step;
	return root < 0 ? root : give(run, WIRE_ROOT, root);
}

/* What is neither a file nor a directory could make whoever reads it wait, or worse. */
static int check_kind(int fd)
{
	unsigned mode;
	uid_t uid;
	gid_t gid;
	int rc = sys_stat(fd, "", AT_EMPTY_PATH, &mode, &uid, &gid);

	return rc < 0 ? rc : S_ISREG(mode) || S_ISDIR(mode) ? 0 : -EINVAL;
}

enum { PATH = 4096 };

/* Not by the kernel's own links: where the jail has no PID namespace, /proc/self/fd is this process's, with what it holds. */
static int open_inside(const char *path, int flags, unsigned mode)
{
	return sys_openat2(AT_FDCWD, path, flags, flags & O_CREAT ? mode : 0, RESOLVE_NO_MAGICLINKS);
}

/* PATH is cut at START, where the last name begins. */
static int make_below(char *path, size_t start, unsigned mode)
{
	char name[PATH];
	auto_close int above = -1;

	memcpy(name, path + start, strlen(path + start) + 1);
	path[start] = '\0';
	above = open_inside(path, O_PATH | O_DIRECTORY, 0);
	return above < 0 ? above : sys_mkdirat(above, name, mode);
}

static int make_folder(const char *path, unsigned mode)
{
	char above[PATH];
	size_t length = strlen(path), start;

	while (length > 1 && path[length - 1] == '/')
		length--;
	if (length >= sizeof(above))
		return -ENAMETOOLONG;
	memcpy(above, path, length);
	above[length] = '\0';
	start = (size_t)(strrchr(above, '/') - above) + 1; /* the path is absolute */
	return start == length ? -EEXIST : make_below(above, start, mode);
}

/* O_CREAT with O_DIRECTORY, which open(2) refuses, makes a folder. */
int op_give_file(struct run *run, const struct step *step)
{
	const bool makes_folder = (step->flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY);
	int flags = (int)step->flags & ~(makes_folder ? O_CREAT | O_EXCL : 0);
	int made = makes_folder ? make_folder(step->subject, (unsigned)step->number) : 0;
	auto_close int fd = made < 0 && (made != -EEXIST || step->flags & O_EXCL)
				    ? made : open_inside(step->subject, flags | O_NONBLOCK | O_NOCTTY, (unsigned)step->number);
	int rc = fd < 0 ? fd : check_kind(fd);

	return rc < 0 ? rc : give(run, WIRE_FILE, fd);
}

int op_root_again(struct run *run, const struct step *step)
{
	int rc = sys_fchdir(run->slots[step->slot]);

	return rc < 0 ? rc : sys_chroot(".");
}
