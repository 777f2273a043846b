/* SPDX-License-Identifier: Apache-2.0 */
/* What the process lends that asks: its standard descriptors, folder and variables. */
#include <errno.h>
#include <fcntl.h>

#include "base/text.h"
#include "host/probe.h"
#include "sys/environment.h"
#include "sys/file.h"
#include "sys/terminal.h"

static int look(int fd, bool *is_tty, struct error *err)
{
	int rc = sys_is_terminal(fd);

	*is_tty = rc == 1;
	if (rc != -EBADF)
		return 0;
	/* The lowest free number is FD: those below are open by now. */
	rc = sys_open_for_program("/dev/null", O_RDWR);
	return rc < 0 ? error_set(err, -rc, "opening /dev/null in the place of descriptor %d, which is closed", fd) : 0;
}

int host_look_at_standard(struct spec *spec, struct error *err)
{
	const bool has_limit = spec->output_bytes != NUMBER_NONE;
	struct caller *caller = &spec->caller;
	int rc = look(0, &caller->stdin_is_tty, err);

	if (rc == 0)
		rc = look(1, &caller->stdout_is_tty, err);
	if (rc == 0)
		rc = look(2, &caller->stderr_is_tty, err);
	caller->stderr_is_stdout = rc == 0 && (has_limit || caller->stdout_is_tty) && sys_is_same_file(1, 2);
	return rc;
}

/* As get_current_dir_name(3); but whoever likes can lay links below /tmp, and bubblewrap does not follow them either. */
static const char *logical_cwd(struct arena *arena)
{
	const char *path = sys_variable("PWD");
	struct sys_identity here, there;

	if (!path || path[0] != '/' || text_starts(path, "/tmp/") || sys_identity(".", &here) < 0 || sys_identity(path, &there) < 0)
		return NULL;
	return here.device == there.device && here.inode == there.inode ? arena_copy(arena, path) : NULL;
}

/* The terminal that a new /dev shows as its console. */
static int find_console(struct spec *spec, struct error *err)
{
	const struct mount *mount = spec->mounts;
	char path[256];

	while (mount && mount->kind != MOUNT_NEW_DEV)
		mount = mount->next;
	if (!mount || !spec->caller.stdout_is_tty || sys_readlink("/proc/self/fd/1", path, sizeof(path)) < 0 || path[0] != '/' ||
	    !sys_exists(path))
		return 0;
	spec->caller.stdout_path = arena_copy(&spec->arena, path);
	return spec->caller.stdout_path ? 0 : error_set(err, ENOMEM, "looking at the terminal");
}

int host_look_at_caller(struct spec *spec, struct error *err)
{
	struct caller *caller = &spec->caller;
	char folder[4096];

	caller->term = sys_variable("TERM");
	caller->lang = sys_variable("LANG");
	caller->runtime = sys_variable("XDG_RUNTIME_DIR");
	caller->umask = spec_leaves(spec, "umask") ? sys_umask() : 0;
	caller->logical_cwd = spec->is_ordered ? logical_cwd(&spec->arena) : NULL;
	caller->stdout_path = NULL;
	caller->cwd = NULL;
	if (sys_getcwd(folder, sizeof(folder)) > 0) {
		caller->cwd = arena_copy(&spec->arena, folder);
		if (!caller->cwd)
			return error_set(err, ENOMEM, "remembering the current folder");
	}
	return find_console(spec, err);
}
