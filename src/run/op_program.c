/* SPDX-License-Identifier: Apache-2.0 */
/* Ops of the payload on its way to the program. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "run/op.h"
#include "sys/process.h"

enum { CLOSE_RANGE_ON_EXEC = 4 }; /* CLOSE_RANGE_CLOEXEC; close_range(2) */
enum { FIRST_LINE = 256, SCRIPT_DEPTH = 5 }; /* what the kernel reads of a script, and how far scripts may name scripts; execve(2) */

int op_session(struct run *run, const struct step *step)
{
	int rc = sys_new_session();

	(void)run;
	(void)step;
	return rc < 0 ? rc : 0;
}

/*
 * The caller's mask is what it was before the launcher blocked everything. Dispositions are inherited, but for that of SIGCHLD:
 * who ignores it cannot wait for children, and no program counts on that.
 */
int op_signals(struct run *run, const struct step *step)
{
	int rc;

	if (!(step->how & STEP_LEFT))
		return sys_default_signals();
	rc = sys_default_signal(SIGCHLD);
	return rc < 0 ? rc : sys_set_signal_mask(&run->signals_before);
}

int op_chdir(struct run *run, const struct step *step)
{
	const char *const *places = step->data;
	int rc = -ENOENT;

	for (size_t i = 0; rc < 0 && i < step->size; i++) {
		rc = sys_chdir(places[i]);
		run->start = i;
	}
	return rc;
}

int op_umask(struct run *run, const struct step *step)
{
	(void)run;
	sys_set_umask((unsigned)step->number);
	return 0;
}

int op_personality(struct run *run, const struct step *step)
{
	int rc = sys_personality(step->flags);

	(void)run;
	return rc < 0 ? rc : 0;
}

int op_raise_limit(struct run *run, const struct step *step)
{
	uint64_t soft, hard;
	int rc = sys_get_rlimit((int)step->flags, &soft, &hard);

	(void)run;
	if (rc < 0 || hard >= step->more)
		return rc;
	return sys_set_rlimit((int)step->flags, soft, step->more);
}

int op_rlimit(struct run *run, const struct step *step)
{
	uint64_t soft, hard;
	int rc = sys_set_rlimit((int)step->flags, step->number, step->more);

	(void)run;
	if (rc != -EPERM || !(step->how & STEP_LOWER_STAYS) || sys_get_rlimit((int)step->flags, &soft, &hard) < 0)
		return rc;
	return sys_set_rlimit((int)step->flags, step->number < hard ? step->number : hard, hard);
}

/* A directory as standard input is a road to all that lies above and below it: fchdir(2) and chmod(2) ask no Landlock. */
static int refuse_directories(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		unsigned mode;
		uid_t uid;
		gid_t gid;

		if (sys_stat(fd, "", AT_EMPTY_PATH, &mode, &uid, &gid) == 0 && S_ISDIR(mode))
			return -EISDIR;
	}
	return 0;
}

/* The table is shared with init, which still needs its own: nothing is closed here, but marked for exec. */
int op_descriptors(struct run *run, const struct step *step)
{
	const int32_t *kept = step->data;
	const bool is_left = step->how & STEP_LEFT;
	int rc = is_left ? 0 : refuse_directories();

	(void)run;
	if (rc == 0 && !is_left)
		rc = sys_close_range(3, ~0u, CLOSE_RANGE_ON_EXEC);
	for (size_t i = 0; rc == 0 && i < step->size; i++)
		rc = sys_keep_on_exec(kept[i], true);
	return rc;
}

/* The interpreter that a script's first line names, in place; NULL when there is none. */
static char *interpreter_of(char *line, ssize_t length)
{
	char *name = line + 2;

	line[length] = '\0';
	if (length < 2 || line[0] != '#' || line[1] != '!')
		return NULL;
	name += strspn(name, " \t");
	name[strcspn(name, " \t\n")] = '\0';
	return *name ? name : NULL;
}

/* -EACCES when NAME leads through one of the kernel's own links, be it as the interpreter of a script. */
static int refuse_magic(const char *name)
{
	char line[FIRST_LINE + 1];

	for (int depth = 0; name && depth <= SCRIPT_DEPTH; depth++) {
		auto_close int fd = sys_openat2(AT_FDCWD, name, O_RDONLY | O_NONBLOCK, 0, RESOLVE_NO_MAGICLINKS);
		ssize_t length = fd < 0 ? fd : sys_read(fd, line, FIRST_LINE);

		if (length == -EISDIR)
			return 0; /* execve will say so */
		if (length < 0)
			return length == -ELOOP ? -EACCES : (int)length;
		name = interpreter_of(line, length);
	}
	return 0;
}

/* Not a file that may not be read, but one that nobody gets to: execve will not, either. */
static bool is_out_of_reach(const char *path)
{
	auto_close int fd = sys_openat2(AT_FDCWD, path, O_PATH, 0, RESOLVE_NO_MAGICLINKS);

	return fd == -EACCES;
}

/*
 * Until it has executed the program, /proc/self/exe of the payload is immure's own file on the host. An image that names
 * it by a link, or in a script's first line, would hold that file for good, and could write it where its user may
 * (CVE-2019-5736). Landlock forbids it; without, what is about to be executed is looked at first. Not after the filter,
 * which may forbid to look.
 */
int op_check_program(struct run *run, const struct step *step)
{
	const struct program *program = step->data;

	(void)run;
	for (const char *const *path = program->candidates; *path; path++) {
		int rc = refuse_magic(*path);

		if (rc != -ENOENT && rc != -ENOTDIR && (rc != -EACCES || !is_out_of_reach(*path)))
			return rc;
	}
	return 0; /* execve will say that there is none */
}

/* Memory that is shared with init until exec, and nobody reads it there. */
static int exec_script(char **words, const char *path, char *const *environment)
{
	words[1] = (char *)path;
	sys_exec(words[0], words, environment);
	return -ENOEXEC;
}

static bool is_better(int candidate, int best)
{
	return best == 0 || (best == -ENOENT && candidate != -ENOTDIR);
}

int op_exec(struct run *run, const struct step *step)
{
	const struct program *program = step->data;
	char *const *environment = program->environments[run->start];
	int best = 0;

	for (const char *const *path = program->candidates; *path; path++) {
		int rc = sys_exec(*path, program->argv, environment);

		if (rc == -ENOEXEC && program->script)
			rc = exec_script(program->script, *path, environment);
		if (is_better(rc, best))
			best = rc;
		if (rc != -ENOENT && rc != -ENOTDIR && rc != -EACCES)
			return rc;
	}
	return best ? best : -ENOENT;
}
