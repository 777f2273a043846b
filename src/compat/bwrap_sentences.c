/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bubblewrap's sentences for failures of the machine: a row says at which step of immure's it is said. Programs that look for another way
 * where sandboxes are forbidden know them by these.
 */
#include <errno.h>
#include <limits.h>
#include <linux/sched.h>
#include <string.h>

#include "compat/bwrap.h"

#define BIND "Can't bind mount /oldroot%o on /newroot%t: %e"

/* The first row that fits is used: special ones come before general ones. */
const struct bwrap_sentence bwrap_sentences[] = {
	{ "clone", .flags = CLONE_NEWUSER, .errnum = EPERM,
	  .said = "No permissions to create a new namespace, likely because the kernel does not allow non-privileged user namespaces" },
	{ "clone", .flags = CLONE_NEWUSER, .errnum = EINVAL,
	  .said = "Creating new namespace failed, likely because the kernel does not support user namespaces" },
	{ "clone", .errnum = ENOSPC, .said = "Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)" },
	{ "clone", .said = "Creating new namespace failed: %e" },
	{ "unshare", .said = "Creating new namespace failed: %e" },
	/* In a user namespace that gives no capabilities; bubblewrap comes as far as lo there. */
	{ "network-enter", .errnum = EPERM, .said = "loopback: Failed RTM_NEWLINK: %e" },
	{ "network-enter", .errnum = ENOSPC, .said = "Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)" },
	{ "network-enter", .said = "Creating new namespace failed: %e" },
	{ "loopback", .said = "loopback: Failed RTM_NEWLINK: %e" },
	{ "join-namespace", .origin = "--pidns", .said = "Setting pidns failed: %e" },
	{ "join-namespace", .origin = "--userns2", .said = "Setting userns2 failed: %e" },
	{ "join-namespace", .said = "Joining specified user namespace failed: %e" },
	/* bubblewrap writes the uid map first and forbids setgroups(2) then; whom the kernel denies the one it denies the other. */
	{ "write", .subject = "/proc/self/setgroups", .said = "setting up uid map: %e" },
	{ "own-id-map", .subject = "uid_map", .said = "setting up uid map: %e" },
	{ "own-id-map", .subject = "gid_map", .said = "setting up gid map: %e" },
	{ "host-name", .said = "Can't set hostname to %s: %e" },
	{ "pivot", .said = "pivot_root: %e" },
	{ "fork", .said = "Can't fork for pid 1: %e" },
	{ "assert-no-userns", .errnum = EBADE, .said = "creation of new user namespaces was not disabled as requested" },
	{ "filter", .errnum = EINVAL, .said = "Unable to set up system call filtering as requested: prctl(PR_SET_SECCOMP) reported EINVAL" },
	{ "filter", .said = "prctl(PR_SET_SECCOMP): %e" },

	{ "directory", .said = "Can't mkdir %s: %e" },
	{ "place", .said = "Can't mkdir %s: %e" },
	{ "file", .origin = "--file", .said = "Can't create file %s: %e" },
	{ "file", .said = "Can't create file at %s: %e" },
	{ "fill", .said = "Can't create file %s: %e" },
	{ "symlink", .said = "Can't make symlink at %s: %e" },
	{ "link", .errnum = EEXIST, .said = "Can't make symlink at %s: %l" },
	{ "link", .said = "Can't make symlink at %s: %e" },
	{ "chmod", .said = "Can't chmod %s: %e" },
	{ "seal", .said = "Can't remount readonly on /newroot%s: %e" },
	{ "lock-file", .said = "Unable to open lock file %s: %e" },
	{ "chdir", .said = "Can't chdir to %s: %e" },

	/* A file system is made before it has a place; bubblewrap does both at once. */
	{ "new-mount", .subject = "devpts", .about = BWRAP_FIRST, .said = "Can't mount %s on /newroot%t/pts: %e" },
	{ "new-mount", .about = BWRAP_FIRST, .said = "Can't mount %s on /newroot%t: %e" },
	{ "new-mount", .subject = "tmpfs", .said = "Failed to mount tmpfs: %e" },
	{ "layers", .about = BWRAP_FIRST, .said = "Can't make overlay mount on /newroot%t: %e" },
	{ "source", .about = BWRAP_SOURCE, .said = BIND },
	/* A folder on a file, and a file on a folder. */
	{ "attach", .errnum = ENOTDIR, .said = "Can't mkdir %s: %e" },
	{ "attach", .errnum = EISDIR, .said = "Can't create file at %s: %e" },
	{ "attach", .about = BWRAP_TARGET, .said = BIND },
	{ "attach", .subject = "/", .said = "Failed to mount tmpfs: %e" },
	{ "top", .about = BWRAP_TARGET, .said = BIND },
	{ "put", .errnum = BWRAP_PLACE_ERRNUM, .is_file = true, .said = "Can't create file at %s: %e" },
	{ "put", .errnum = BWRAP_PLACE_ERRNUM, .said = "Can't mkdir %s: %e" },
	{ "put", .about = BWRAP_TARGET, .said = BIND },
	{ 0 },
};

static bool is_about_place(int errnum)
{
	return errnum == EROFS || errnum == EACCES || errnum == ENOTDIR || errnum == EISDIR || errnum == ENOENT || errnum == ENOSPC;
}

static bool is_wanted(const char *wanted, const char *text)
{
	return !wanted || strcmp(wanted, text) == 0;
}

static bool fits(const struct bwrap_sentence *sentence, const struct immure_step *step)
{
	if (strcmp(sentence->op, step->op) != 0 || !is_wanted(sentence->subject, step->subject) || !is_wanted(sentence->origin, step->origin))
		return false;
	if ((sentence->flags && !(sentence->flags & step->flags)) || (sentence->is_file && !step->is_file))
		return false;
	if (sentence->errnum == BWRAP_PLACE_ERRNUM)
		return is_about_place(step->errnum);
	return !sentence->errnum || sentence->errnum == step->errnum;
}

/* The operation that STEP was made for; of several that have it the first: what is forbidden is forbidden at once. */
static const struct immure_mount *find_operation(const struct bwrap *bwrap, const struct immure_step *step, enum bwrap_about about)
{
	for (size_t i = 0; i < bwrap->operation_count; i++) {
		const struct immure_mount *mount = &bwrap->operations[i].mount;
		const char *name = about == BWRAP_SOURCE ? mount->source : mount->target;

		if (strcmp(bwrap->operations[i].where, step->origin) != 0)
			continue;
		if (about == BWRAP_FIRST || (mount->source && strcmp(name, step->subject) == 0))
			return mount;
	}
	return NULL;
}

static void append(char *text, size_t room, const char *more, size_t length)
{
	const size_t used = strlen(text);

	snprintf(text + used, room - used, "%.*s", (int)length, more);
}

/* %s: the step's subject, %o, %t: source and target of the operation, %l: what stands there, %e: the error. */
static void print_pattern(const struct bwrap *bwrap, const char *pattern, const struct immure_step *step, const struct immure_mount *mount,
			  char *text, size_t room)
{
	char there[PATH_MAX + 64];

	for (const char *at = pattern; *at; at += 2) {
		const size_t length = strcspn(at, "%");
		const char *word = strerror(step->errnum);

		append(text, room, at, length);
		at += length;
		if (!*at)
			break;
		if (at[1] == 's')
			word = step->subject;
		else if (at[1] == 'o' && mount)
			word = mount->source;
		else if (at[1] == 't' && mount)
			word = mount->target;
		else if (at[1] == 'l')
			word = bwrap_describe_place(bwrap, step->subject, there, sizeof(there));
		append(text, room, word, strlen(word));
	}
}

bool bwrap_print_sentence(const struct bwrap *bwrap, const struct immure_step *step, char *text, size_t room)
{
	for (const struct bwrap_sentence *sentence = bwrap_sentences; sentence->op; sentence++) {
		const struct immure_mount *mount = sentence->about ? find_operation(bwrap, step, sentence->about) : NULL;

		if (!fits(sentence, step) || (sentence->about && !mount))
			continue;
		*text = '\0';
		print_pattern(bwrap, sentence->said, step, mount, text, room);
		return true;
	}
	return false;
}
