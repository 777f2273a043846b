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
	{ "E-USERNS-DENIED", "namespaces are forbidden here (a sysctl, AppArmor, or an outer container); immure doctor says which" },
	{ "E-PROC-MASKED", "parts of /proc are masked here (a container?); --ro-bind /proc /proc, or leave out --unshare-pid" },
};

static const char *own_remedy(const char *id)
{
	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
		if (strcmp(remedies[i].id, id) == 0)
			return remedies[i].remedy;
	return NULL;
}

/* Steps that bubblewrap has words for: what stands before and behind the path in immure's. */
static const struct {
	const char *before, *behind, *said;
} steps[] = {
	{ ": change directory to ", ": ", "Can't chdir to" },
	{ ": make directory ", " (", "Can't mkdir" },
	{ ": see to directory ", " (", "Can't mkdir" },
	{ ": see to link ", " -> ", "Can't make symlink at" },
	{ ": write file ", " (", "Can't create file" },
	{ ": lock ", " for reading", "Unable to open lock file" },
	{ ": change the mode of ", " to ", "Can't chmod" },
};

/* The same for what is mounted on a place, when the place could not be made: by the place's mode, a folder or a file. */
static const struct {
	const char *before, *behind, *said;
} places[] = {
	{ ": attach it on ", ", made if it is missing (0444", "Can't create file at" },
	{ ": attach it on ", ", made if it is missing (0", "Can't mkdir" },
};

static bool is_about_place(int errnum)
{
	return errnum == EROFS || errnum == EACCES || errnum == ENOTDIR || errnum == ENOENT || errnum == ENOSPC;
}

static bool print_step(char *text, size_t room, const struct immure_error *err, const char *before, const char *behind, const char *said)
{
	const char *start = strstr(err->text, before), *path = start ? start + strlen(before) : "", *end = strstr(path, behind);

	if (*path != '/' || !end)
		return false;
	snprintf(text, room, "%s %.*s: %s", said, (int)(end - path), path, strerror(err->errnum));
	return true;
}

/* And when the one is a folder and the other is not. */
static bool print_mismatch(char *text, size_t room, const struct immure_error *err)
{
	if (err->errnum != ENOTDIR && err->errnum != EISDIR)
		return false;
	return print_step(text, room, err, ": attach it on ", ": ", err->errnum == ENOTDIR ? "Can't mkdir" : "Can't create file at");
}

static bool print_steps(char *text, size_t room, const struct immure_error *err)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (print_step(text, room, err, steps[i].before, steps[i].behind, steps[i].said))
			return true;
	for (size_t i = 0; is_about_place(err->errnum) && i < sizeof(places) / sizeof(places[0]); i++)
		if (print_step(text, room, err, places[i].before, places[i].behind, places[i].said))
			return true;
	return print_mismatch(text, room, err);
}

/* Without "run PROGRAM: " before it: bubblewrap does nothing else. */
static const char *text_of(const struct immure_error *err, const char *program)
{
	const size_t length = program ? strlen(program) : 0;

	if (!program || strncmp(err->text, "run ", 4) != 0 || strncmp(err->text + 4, program, length) != 0 ||
	    strncmp(err->text + 4 + length, ": ", 2) != 0)
		return err->text;
	return err->text + 4 + length + 2;
}

/* What scripts look for when a filter cannot be read. */
static bool print_filter(char *text, size_t room, const struct immure_error *err)
{
	const bool is_odd = strstr(err->text, "a multiple of 8") != NULL;

	if (strcmp(err->id, "E-SECCOMP-FD") != 0)
		return false;
	if (is_odd)
		snprintf(text, room, "Invalid seccomp data, must be multiple of 8");
	else
		snprintf(text, room, "Can't read seccomp data: %.*s", (int)strcspn(err->text, "\n"), err->text);
	return true;
}

static bool print_link(const struct bwrap *bwrap, char *text, size_t room, const struct immure_error *err)
{
	const char *start = strstr(err->text, ": see to link "), *place = start ? strchr(start, '/') : NULL;
	const char *end = place ? strstr(place, " -> ") : NULL;
	char path[PATH_MAX];

	if (err->errnum != EEXIST || !end || (size_t)(end - place) >= sizeof(path))
		return false;
	snprintf(path, sizeof(path), "%.*s", (int)(end - place), place);
	bwrap_print_link(bwrap, text, room, path);
	return true;
}

static void print_story(const struct bwrap *bwrap, char *text, size_t room, const struct immure_error *err, const char *program)
{
	const char *whole = text_of(err, program);

	if (program && (err->exit_code == 126 || err->exit_code == 127))
		snprintf(text, room, "execvp %s: %s", program, strerror(err->errnum));
	else if (!print_filter(text, room, err) && !print_link(bwrap, text, room, err) && !print_steps(text, room, err))
		snprintf(text, room, "%.*s", (int)strcspn(whole, "\n"), whole);
}

void bwrap_complain(const struct bwrap *bwrap, const struct immure_error *err, const char *program)
{
	const char *remedy = own_remedy(err->id), *rest = strchr(err->text, '\n');
	char story[sizeof(err->text)], text[sizeof(story) + 256];

	print_story(bwrap, story, sizeof(story), err, program);
	if (remedy)
		snprintf(text, sizeof(text), "%s\n  try: %s  [%s]", story, remedy, err->id);
	else
		snprintf(text, sizeof(text), "%s%s", story, rest ? rest : "");
	bwrap_print(bwrap, 3, text);
}
