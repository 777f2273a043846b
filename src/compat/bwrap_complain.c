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
	{ "E-KEYS-LIMIT", "the caller has too many keys; see /proc/key-users" },
	{ "E-NAMESPACE-MISSING", "this kernel lacks one of the namespaces; immure doctor says which" },
	{ "E-NAMESPACE-ROOT", "--unshare-user, or run it as root" },
	{ "E-NEST", "the program would keep a way to make user namespaces; give it fewer capabilities, or leave out --disable-userns" },
	{ "E-NESTED-USERNS", "/proc/sys is read-only here; leave out --disable-userns and IMMURE_HARDEN" },
	{ "E-OVERLAY-MISSING", "this kernel has no overlayfs" },
	{ "E-OVERLAY-REFUSED", "a layer may not be laid over that file system" },
	{ "E-OVERLAY-USERNS", "this kernel lays no overlay in a user namespace; Linux 5.11 does" },
	{ "E-MOUNT-DENIED", "an outer container or AppArmor forbids mounts; immure doctor" },
	{ "E-RLIMIT-NOFILE", "one or two numbers above 2 are needed until the program starts; see ulimit -n" },
	{ "E-SEAL-NO-MOUNT", "nothing is mounted exactly there; --ro-bind shows something read-only from the start" },
	{ "E-SECCOMP-NONE", "this kernel has no filters (CONFIG_SECCOMP_FILTER); leave out IMMURE_HARDEN, and what else asks for one" },
	{ "E-SECUREBITS", "the caller's securebits are locked to something else; --unshare-user" },
	{ "E-SOURCE-UNMOVABLE", "the ids of its file system cannot be mapped, or mounts below it not be shown; --ro-bind, or a copy elsewhere" },
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

/* bubblewrap does nothing but run its program, and so does not say it. */
static const char *without_run(const char *text, const char *program)
{
	char run[PATH_MAX + 8];
	const int length = snprintf(run, sizeof(run), "run %s: ", program ? program : "");

	return length > 0 && strncmp(text, run, (size_t)length) == 0 ? text + length : text;
}

/* What scripts look for when a filter cannot be read. */
static void print_filter(const struct immure_error *err, const char *story, char *text, size_t room)
{
	if (err->errnum == EINVAL)
		snprintf(text, room, "Invalid seccomp data, must be multiple of 8");
	else
		snprintf(text, room, "Can't read seccomp data: %.*s", (int)strcspn(story, "\n"), story);
}

static void print_story(const struct bwrap *bwrap, const struct immure_error *err, const struct immure_step *step, const char *program,
			char *text, size_t room)
{
	const char *story = without_run(err->text, program);

	if (program && (err->exit_code == 126 || err->exit_code == 127))
		snprintf(text, room, "execvp %s: %s", program, strerror(err->errnum));
	else if (!step && strcmp(err->id, "E-SECCOMP-FD") == 0)
		print_filter(err, story, text, room);
	else if (!step || !bwrap_print_sentence(bwrap, step, text, room))
		snprintf(text, room, "%.*s", (int)strcspn(story, "\n"), story);
}

/* Places may have any name; a terminal must never act on it, and it is one line. */
static void make_printable(char *text)
{
	for (unsigned char *byte = (unsigned char *)text; *byte; byte++) {
		if (*byte < ' ' || *byte == 0x7f)
			*byte = '?';
		else if (byte[0] == 0xc2 && byte[1] >= 0x80 && byte[1] < 0xa0)
			byte[0] = byte[1] = '?';
	}
}

void bwrap_complain(const struct bwrap *bwrap, const struct immure_error *err, const struct immure_step *step, const char *program)
{
	enum { STORY = 2 * PATH_MAX + 256, REMEDY = 512 };
	const char *remedy = own_remedy(err->id), *rest = strchr(err->text, '\n');
	char text[STORY + REMEDY];
	size_t used;

	print_story(bwrap, err, step, program, text, STORY);
	make_printable(text);
	used = strlen(text);
	if (remedy)
		snprintf(text + used, sizeof(text) - used, "\n  try: %s  [%s]", remedy, err->id);
	else
		snprintf(text + used, sizeof(text) - used, "%s", rest ? rest : "");
	bwrap_print(bwrap, 3, text);
}
