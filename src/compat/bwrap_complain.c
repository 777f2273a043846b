/* SPDX-License-Identifier: Apache-2.0 */
/*
 * immure's story of a failure, told to those who wrote bubblewrap's words: what scripts look for comes first and in bubblewrap's words, and
 * what to try names options that are there.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "compat/bwrap.h"

/* By the identifier of the lesson; the others are told as immure tells them. */
static const struct {
	const char *id, *remedy;
} remedies[] = {
	{ "E-ASSERT-USERNS", "--unshare-user --disable-userns" },
	{ "E-CAP-NOT-HELD", "--unshare-user, or run it as a user who holds it" },
	{ "E-EXEC-MISSING", "the program, or its interpreter, must exist inside; --ro-bind PATH PATH brings it in" },
	{ "E-FD-DIRECTORY", "standard input, output or error is a directory, through which the program would leave the jail; redirect it" },
	{ "E-HOSTNAME-DENIED", "an outer container forbids sethostname(2); leave out --hostname" },
	{ "E-ID-UNMAPPED", "the user namespace does not have this id; choose another with --uid and --gid" },
	{ "E-JOIN-DENIED", "joining wants rights in the user namespace that owns it: --userns with that one as well" },
	{ "E-JOIN-KIND", "the descriptor must be open on a namespace of this kind; a user namespace must be below the caller's own" },
	{ "E-NAMESPACE-ROOT", "--unshare-user, or run it as root" },
	{ "E-NESTED-USERNS", "/proc/sys is read-only here; leave out --disable-userns and IMMURE_HARDEN" },
	{ "E-OVERLAY-MISSING", "this kernel has no overlayfs" },
	{ "E-OVERLAY-REFUSED", "a layer may not be laid over that file system" },
	{ "E-OVERLAY-USERNS", "this kernel lays no overlay in a user namespace; Linux 5.11 does" },
	{ "E-MOUNT-DENIED", "an outer container or AppArmor forbids mounts; immure doctor" },
	{ "E-RLIMIT-NOFILE", "one or two numbers above 2 are needed until the program starts; see ulimit -n" },
	{ "E-SEAL-NO-MOUNT", "nothing is mounted exactly there; --ro-bind shows something read-only from the start" },
	{ "E-USERNS-DENIED", "namespaces are forbidden here (a sysctl, AppArmor, or an outer container); immure doctor says which" },
	{ "E-PLACE-DENIED", "it lies in something that is read-only, or that this user may not write; what exists there already can be covered" },
	{ "E-PROC-MASKED", "parts of /proc are masked here (a container?); --ro-bind /proc /proc, or leave out --unshare-pid" },
};

static const char *own_remedy(const char *id)
{
	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
		if (strcmp(remedies[i].id, id) == 0)
			return remedies[i].remedy;
	return NULL;
}

/* Where a story is told: what went wrong, and the act at which it did. */
struct story {
	const struct bwrap *bwrap;
	const struct immure_error *err;
	const char *whole; /* without "run PROGRAM: ": bubblewrap does nothing else */
	const char *act;   /* of "step 14, for ordered (--proc): make a file system proc: Operation not permitted" what follows the colon; or "" */
	char *text;
	size_t room;
};

/* Acts that bubblewrap has one sentence for. Programs that look for another way where sandboxes are forbidden know them by these.
 * bubblewrap writes the uid map first and forbids setgroups(2) then; whom the kernel denies the one it denies the other. */
static const struct {
	const char *act, *said;
} sentences[] = {
	{ "write \"deny\" to /proc/self/setgroups", "setting up uid map" },
	{ "write its own uid_map", "setting up uid map" },
	{ "write its own gid_map", "setting up gid map" },
	{ "bring lo up", "loopback: Failed RTM_NEWLINK" },
	{ "make a file system tmpfs ", "Failed to mount tmpfs" },
	{ "attach it on /: ", "Failed to mount tmpfs" },
	{ "pivot into the new root", "pivot_root" },
	{ "fork the payload", "Can't fork for pid 1" },
	{ "unshare namespaces: ", "Creating new namespace failed" },
};

/* Those about a place or a name: what stands before and behind it in immure's words. */
static const struct {
	const char *before, *behind, *said;
} steps[] = {
	{ "change directory to ", ": ", "Can't chdir to " },
	{ "make directory ", " (", "Can't mkdir " },
	{ "see to directory ", " (", "Can't mkdir " },
	{ "see to link ", " -> ", "Can't make symlink at " },
	{ "write file ", " (", "Can't create file " },
	{ "lock ", " for reading", "Unable to open lock file " },
	{ "change the mode of ", " to ", "Can't chmod " },
	{ "set the host name to ", ": ", "Can't set hostname to " },
	{ "make the mount on ", " (", "Can't remount readonly on /newroot" },
};

/* The same for what is mounted on a place, when the place could not be made: by the place's mode, a folder or a file. */
static const struct {
	const char *behind, *said;
} places[] = {
	{ ", made if it is missing (0444", "Can't create file at " },
	{ ", made if it is missing (0", "Can't mkdir " },
};

#define ATTACH "attach it on "

static bool starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static bool is_about_place(int errnum)
{
	return errnum == EROFS || errnum == EACCES || errnum == ENOTDIR || errnum == EISDIR || errnum == ENOENT || errnum == ENOSPC;
}

/* What the act names between BEFORE, with which it begins, and BEHIND; NULL: it is another act. */
static const char *find_name(const struct story *story, const char *before, const char *behind, int *length)
{
	const char *name = story->act + strlen(before);
	const char *end = starts(story->act, before) ? strstr(name, behind) : NULL;

	*length = end ? (int)(end - name) : 0;
	return end ? name : NULL;
}

static bool print_step(const struct story *story, const char *before, const char *behind, const char *said)
{
	int length;
	const char *name = find_name(story, before, behind, &length);

	if (!name)
		return false;
	snprintf(story->text, story->room, "%s%.*s: %s", said, length, name, strerror(story->err->errnum));
	return true;
}

/* And when the one is a folder and the other is not. */
static bool print_mismatch(const struct story *story)
{
	const bool is_folder = story->err->errnum == ENOTDIR;

	return (is_folder || story->err->errnum == EISDIR) && print_step(story, ATTACH, ": ", is_folder ? "Can't mkdir " : "Can't create file at ");
}

static bool print_steps(const struct story *story)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (print_step(story, steps[i].before, steps[i].behind, steps[i].said))
			return true;
	for (size_t i = 0; is_about_place(story->err->errnum) && i < sizeof(places) / sizeof(places[0]); i++)
		if (print_step(story, ATTACH, places[i].behind, places[i].said))
			return true;
	return print_mismatch(story);
}

static bool print_sentence(const struct story *story)
{
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if (starts(story->act, sentences[i].act)) {
			snprintf(story->text, story->room, "%s: %s", sentences[i].said, strerror(story->err->errnum));
			return true;
		}
	return false;
}

static bool print_namespaces(const struct story *story)
{
	const bool has_user = starts(story->act, "clone init into new namespaces: user"), is_network = starts(story->act, "enter the network namespace ");
	const int errnum = story->err->errnum;

	if (!is_network && !starts(story->act, "clone init into new namespaces: "))
		return false;
	if (is_network && errnum == EPERM) /* in a user namespace that gives no capabilities; bubblewrap comes as far as lo there */
		snprintf(story->text, story->room, "loopback: Failed RTM_NEWLINK: %s", strerror(errnum));
	else if (has_user && errnum == EPERM)
		snprintf(story->text, story->room, "No permissions to create a new namespace, likely because the kernel does not allow non-privileged user namespaces");
	else if (has_user && errnum == EINVAL)
		snprintf(story->text, story->room, "Creating new namespace failed, likely because the kernel does not support user namespaces");
	else if (errnum == ENOSPC)
		snprintf(story->text, story->room, "Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)");
	else
		snprintf(story->text, story->room, "Creating new namespace failed: %s", strerror(errnum));
	return true;
}

static bool print_join(const struct story *story)
{
	if (!starts(story->act, "join "))
		return false;
	if (strstr(story->whole, "(--pidns)"))
		snprintf(story->text, story->room, "Setting pidns failed: %s", strerror(story->err->errnum));
	else if (strstr(story->whole, "(--userns2)"))
		snprintf(story->text, story->room, "Setting userns2 failed: %s", strerror(story->err->errnum));
	else
		snprintf(story->text, story->room, "Joining specified user namespace failed: %s", strerror(story->err->errnum));
	return true;
}

/* Whether the failed step was made for the option of that operation. */
static bool is_for(const struct story *story, const struct bwrap_operation *operation)
{
	char option[64];
	const int length = snprintf(option, sizeof(option), "(%s): ", operation->where);

	return story->act - story->whole > length && strncmp(story->act - length, option, (size_t)length) == 0;
}

/* The first place for which the option was given: what is forbidden is forbidden at once. */
static const char *first_place(const struct story *story)
{
	const struct bwrap *bwrap = story->bwrap;

	for (size_t i = 0; i < bwrap->operation_count; i++)
		if (is_for(story, &bwrap->operations[i]))
			return bwrap->operations[i].mount.target;
	return NULL;
}

/* A file system is made before it has a place; bubblewrap does both at once. */
static bool print_new_mount(const struct story *story)
{
	const char *make = "make a file system ", *kind = story->act + strlen(make), *place = first_place(story);

	if (!place)
		return false;
	if (starts(story->act, make))
		snprintf(story->text, story->room, "Can't mount %.*s on /newroot%s%s: %s", (int)strcspn(kind, " "), kind, place,
			 starts(kind, "devpts ") ? "/pts" : "", strerror(story->err->errnum));
	else if (starts(story->act, "lay "))
		snprintf(story->text, story->room, "Can't make overlay mount on /newroot%s: %s", place, strerror(story->err->errnum));
	else
		return false;
	return true;
}

/* What is shown is told by its source when a copy of it is opened, and by its place when that is attached. */
static bool print_bind(const struct story *story)
{
	const struct bwrap *bwrap = story->bwrap;
	const bool is_open = starts(story->act, "open a copy of ");
	const char *path = story->act + strlen(is_open ? "open a copy of " : ATTACH);
	const size_t length = strcspn(path, is_open ? " " : ",:");

	if (!is_open && !starts(story->act, ATTACH))
		return false;
	for (size_t i = 0; i < bwrap->operation_count; i++) {
		const struct immure_mount *mount = &bwrap->operations[i].mount;
		const char *known = is_open ? mount->source : mount->target;

		if (!mount->source || !is_for(story, &bwrap->operations[i]) || strlen(known) != length || strncmp(known, path, length) != 0)
			continue;
		snprintf(story->text, story->room, "Can't bind mount /oldroot%s on /newroot%s: %s", mount->source, mount->target,
			 strerror(story->err->errnum));
		return true;
	}
	return false;
}

static const char *whole_of(const struct immure_error *err, const char *program)
{
	const size_t length = program ? strlen(program) : 0;

	if (!program || strncmp(err->text, "run ", 4) != 0 || strncmp(err->text + 4, program, length) != 0 ||
	    strncmp(err->text + 4 + length, ": ", 2) != 0)
		return err->text;
	return err->text + 4 + length + 2;
}

static const char *act_of(const char *whole)
{
	const char *colon = starts(whole, "step ") ? strstr(whole, ": ") : NULL;

	return colon ? colon + 2 : "";
}

/* What scripts look for when a filter cannot be read. */
static bool print_filter(const struct story *story)
{
	const char *told = story->err->text;

	if (strcmp(story->err->id, "E-SECCOMP-FD") != 0)
		return false;
	if (strstr(told, "a multiple of 8"))
		snprintf(story->text, story->room, "Invalid seccomp data, must be multiple of 8");
	else
		snprintf(story->text, story->room, "Can't read seccomp data: %.*s", (int)strcspn(told, "\n"), told);
	return true;
}

static bool print_link(const struct story *story)
{
	int length;
	const char *place = find_name(story, "see to link ", " -> ", &length);
	char path[PATH_MAX];

	if (story->err->errnum != EEXIST || !place || (size_t)length >= sizeof(path))
		return false;
	snprintf(path, sizeof(path), "%.*s", length, place);
	bwrap_print_link(story->bwrap, story->text, story->room, path);
	return true;
}

static void print_story(const struct story *story, const char *program)
{
	static bool (*const tellers[])(const struct story *) = {
		print_filter, print_namespaces, print_join, print_link, print_steps, print_new_mount, print_bind, print_sentence,
	};

	if (program && (story->err->exit_code == 126 || story->err->exit_code == 127)) {
		snprintf(story->text, story->room, "execvp %s: %s", program, strerror(story->err->errnum));
		return;
	}
	for (size_t i = 0; i < sizeof(tellers) / sizeof(tellers[0]); i++)
		if (tellers[i](story))
			return;
	snprintf(story->text, story->room, "%.*s", (int)strcspn(story->whole, "\n"), story->whole);
}

void bwrap_complain(const struct bwrap *bwrap, const struct immure_error *err, const char *program)
{
	const char *remedy = own_remedy(err->id), *rest = strchr(err->text, '\n'), *whole = whole_of(err, program);
	char said[sizeof(err->text)] = "", text[sizeof(said) + 256];
	const struct story story = { .bwrap = bwrap, .err = err, .whole = whole, .act = act_of(whole), .text = said, .room = sizeof(said) };

	print_story(&story, program);
	if (remedy)
		snprintf(text, sizeof(text), "%s\n  try: %s  [%s]", said, remedy, err->id);
	else
		snprintf(text, sizeof(text), "%s%s", said, rest ? rest : "");
	bwrap_print(bwrap, 3, text);
}
