/* SPDX-License-Identifier: Apache-2.0 */
/* The table of options, in the order of help; a row is all that the reader, the help and the completion know of an option. */
#include <string.h>

#include "compat/bwrap.h"

#define MEMBER(name) .member = offsetof(struct bwrap, name)

const struct bwrap_option bwrap_options[] = {
	{ "--help", "", "print this", act_help },
	{ "--version", "", "print the version of bubblewrap that is spoken", act_version },
	{ "--args", "FD", "read further options from FD, each ended by NUL", act_arguments },
	{ "--argv0", "VALUE", "what the program is told as its own name", act_once, MEMBER(argv0) },
	{ "--level-prefix", "", "begin each line of messages with its level, as <3>", act_flag, MEMBER(has_level_prefix) },

	{ "--unshare-all", "", "all of the namespaces below, user and cgroup only where there are such", act_unshare_all },
	{ "--share-net", "", "the host's network all the same, after --unshare-all or --unshare-net", act_clear_flag, MEMBER(unshare_net) },
	{ "--unshare-user", "", "a user namespace of its own; whoever is not root gets one anyway", act_flag, MEMBER(unshare_user) },
	{ "--unshare-user-try", "", "the same where the kernel has them, else none", act_flag, MEMBER(unshare_user_try) },
	{ "--unshare-ipc", "", "an IPC namespace of its own", act_flag, MEMBER(unshare_ipc) },
	{ "--unshare-pid", "", "a PID namespace of its own", act_flag, MEMBER(unshare_pid) },
	{ "--unshare-net", "", "a network of its own, with the loopback device alone", act_flag, MEMBER(unshare_net) },
	{ "--unshare-uts", "", "a UTS namespace of its own", act_flag, MEMBER(unshare_uts) },
	{ "--unshare-cgroup", "", "a cgroup namespace of its own", act_flag, MEMBER(unshare_cgroup) },
	{ "--unshare-cgroup-try", "", "the same where the kernel has them, else none", act_flag, MEMBER(unshare_cgroup_try) },
	{ "--userns", "FD", "the user namespace that FD is open on, instead of a new one", act_descriptor, MEMBER(userns_fd) },
	{ "--userns2", "FD", "the user namespace to go on to when all is set up", act_descriptor, MEMBER(userns2_fd) },
	{ "--disable-userns", "", "no further user namespaces inside; wants --unshare-user", act_flag, MEMBER(disable_userns) },
	{ "--assert-userns-disabled", "", "fail if user namespaces can be made inside", act_flag, MEMBER(assert_userns_disabled) },
	{ "--pidns", "FD", "the PID namespace that FD is open on; with --unshare-pid the parent of the new one", act_descriptor, MEMBER(pidns_fd) },

	{ "--uid", "UID", "user id inside; wants --unshare-user or --userns", act_id, MEMBER(uid) },
	{ "--gid", "GID", "group id inside; wants --unshare-user or --userns", act_id, MEMBER(gid) },
	{ "--hostname", "NAME", "host name inside; wants --unshare-uts", act_text, MEMBER(hostname) },
	{ "--chdir", "DIR", "start in this folder of the sandbox", act_text, MEMBER(start_folder) },
	{ "--clearenv", "", "forget all variables so far", act_clear_environment },
	{ "--setenv", "VAR VALUE", "set a variable", act_set_variable },
	{ "--unsetenv", "VAR", "remove a variable", act_unset_variable },
	{ "--lock-file", "DEST", "hold a lock on this file of the sandbox while it lives; repeatable", act_lock_file },
	{ "--sync-fd", "FD", "keep FD open while the sandbox lives", act_descriptor, MEMBER(sync_fd) },

	{ "--bind", "SRC DEST", "show SRC of the host at DEST, writable", act_source, "rw" },
	{ "--bind-try", "SRC DEST", "the same, and nothing when there is no SRC", act_source, "rw", .flags = IS_OPTIONAL },
	{ "--dev-bind", "SRC DEST", "show SRC at DEST, writable, with devices that work", act_source, "rw-dev" },
	{ "--dev-bind-try", "SRC DEST", "the same, and nothing when there is no SRC", act_source, "rw-dev", .flags = IS_OPTIONAL },
	{ "--ro-bind", "SRC DEST", "show SRC at DEST, read-only with all that is mounted below", act_source, "ro" },
	{ "--ro-bind-try", "SRC DEST", "the same, and nothing when there is no SRC", act_source, "ro", .flags = IS_OPTIONAL },
	{ "--bind-fd", "FD DEST", "show what FD is open on at DEST, writable", act_descriptor_target, "rw", .mode = -1 },
	{ "--ro-bind-fd", "FD DEST", "show what FD is open on at DEST, read-only", act_descriptor_target, "ro", .mode = -1 },
	{ "--remount-ro", "DEST", "make what is mounted at DEST read-only, alone", act_target, "seal", .mode = -1 },
	{ "--overlay-src", "SRC", "a layer of the overlay that follows; the first is the lowest", act_lower, .flags = IS_MODIFIER },
	{ "--overlay", "RWSRC WORKDIR DEST", "an overlay at DEST; what is written goes to RWSRC", act_overlay, "layers", .flags = TAKES_LOWERS },
	{ "--tmp-overlay", "DEST", "an overlay at DEST; what is written is thrown away", act_target, "layers", .flags = TAKES_LOWERS, .mode = -1 },
	{ "--ro-overlay", "DEST", "a read-only overlay at DEST, of two layers at least", act_target, "layers-ro", .flags = TAKES_LOWERS, .mode = -1 },
	{ "--exec-label", "LABEL", "not supported: SELinux label of the program", act_label },
	{ "--file-label", "LABEL", "not supported: SELinux label of files that are made", act_label },
	{ "--proc", "DEST", "/proc at DEST; of the sandbox's own processes if it has a PID namespace", act_target, "new-proc", .mode = -1 },
	{ "--dev", "DEST", "a small /dev at DEST", act_target, "new-dev", .mode = -1 },
	{ "--tmpfs", "DEST", "an empty file system in memory at DEST", act_target, "tmpfs", .flags = TAKES_MODE | TAKES_SIZE, .mode = 0755 },
	{ "--mqueue", "DEST", "POSIX message queues at DEST", act_target, "mqueue", .mode = -1 },
	{ "--dir", "DEST", "make a folder", act_target, "dir", .flags = TAKES_MODE, .mode = 0755 },
	{ "--file", "FD DEST", "make a file with what FD holds", act_descriptor_target, "file", .flags = TAKES_MODE, .mode = 0666 },
	{ "--bind-data", "FD DEST", "mount a nameless file with what FD holds at DEST", act_descriptor_target, "data", .flags = TAKES_MODE, .mode = 0600 },
	{ "--ro-bind-data", "FD DEST", "the same, read-only", act_descriptor_target, "data-ro", .flags = TAKES_MODE, .mode = 0600 },
	{ "--symlink", "SRC DEST", "make a symbolic link at DEST that says SRC", act_source, "symlink" },

	{ "--seccomp", "FD", "load the system call filter (compiled) that FD holds; one only", act_seccomp },
	{ "--add-seccomp-fd", "FD", "the same, repeatable; not together with --seccomp", act_add_seccomp },
	{ "--block-fd", "FD", "when all is set up, wait for a byte or the end on FD", act_descriptor, MEMBER(block_fd) },
	{ "--userns-block-fd", "FD", "wait on FD until somebody has written the id maps", act_descriptor, MEMBER(userns_block_fd) },
	{ "--info-fd", "FD", "write process and namespaces to FD, as one JSON object", act_descriptor, MEMBER(info_fd) },
	{ "--json-status-fd", "FD", "write the same and the exit code to FD, as lines of JSON", act_descriptor, MEMBER(json_status_fd) },
	{ "--not-a-security-boundary", "", "accepted, and without effect: no step of set-up may fail here", act_nothing },
	{ "--new-session", "", "a session of its own, cut off from the terminal's job control", act_flag, MEMBER(new_session) },
	{ "--die-with-parent", "", "end all when the caller ends", act_flag, MEMBER(die_with_parent) },
	{ "--as-pid-1", "", "the program itself is process 1 of its PID namespace", act_flag, MEMBER(as_pid_1) },
	{ "--cap-add", "CAP", "a capability that the program gets, or ALL", act_capability, "+" },
	{ "--cap-drop", "CAP", "a capability that it does not get, or ALL", act_capability, "-" },
	{ "--perms", "OCTAL", "mode of what the next option makes", act_mode, .flags = IS_MODIFIER },
	{ "--size", "BYTES", "size of the tmpfs that follows", act_size, .flags = IS_MODIFIER },
	{ "--chmod", "OCTAL PATH", "change the mode of what is at PATH", act_chmod, "chmod" },
	{ 0 },
};

const struct bwrap_option *bwrap_find_option(const char *name)
{
	for (const struct bwrap_option *option = bwrap_options; option->name; option++)
		if (strcmp(option->name, name) == 0)
			return option;
	return NULL;
}

unsigned bwrap_argument_count(const struct bwrap_option *option)
{
	unsigned count = *option->arguments != '\0';

	for (const char *text = option->arguments; *text; text++)
		count += *text == ' ';
	return count;
}

void bwrap_print_usage(FILE *out, const char *own_name)
{
	enum { COLUMN = 30 };

	fprintf(out, "usage: %s [OPTIONS...] [--] COMMAND [ARGS...]\n\n", own_name);
	for (const struct bwrap_option *option = bwrap_options; option->name; option++) {
		const int used = (int)(strlen(option->name) + 1 + strlen(option->arguments));

		fprintf(out, "    %s %s%*s %s\n", option->name, option->arguments, used < COLUMN ? COLUMN - used : 0, "", option->help);
	}
}
