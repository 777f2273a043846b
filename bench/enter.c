/* SPDX-License-Identifier: Apache-2.0 */
/* The floor of entering a jail: joins the namespaces of a process by its pidfd and runs a program there under the same
 * policy, by kernel calls and nothing else. No keeper, no plan, no check; it exists to be measured against.
 *
 *   enter PID [CGROUP-FOLDER]... -- PROGRAM [ARGUMENT]... */
#include "abi.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct entry {
	const struct options *options;
	char *const *argv;
};

const char *const own_name = "enter";

/* Before anything else is done in the jail's name. */
static void join_group(const char *folder)
{
	int group = must(open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), folder);
	int members = must(openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC), folder);

	must(write(members, "0", 1), folder);
	close(members);
	close(group);
}

/* All those that a jail has for itself without further options. */
static void join_namespaces(pid_t pid)
{
	const int all = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP;
	int target = raw("pidfd", SYS_pidfd_open, pid, 0);

	must(setns(target, all), "setns");
	close(target);
}

/* As run_payload() of floor.c: one uid and gid, which is the only one where the caller had no privilege. */
static void become_inner_user(void)
{
	const uid_t id = 1000;

	if (getuid() == id)
		return;
	raw("setgroups", SYS_setgroups, 0, NULL);
	raw("setresgid", SYS_setresgid, id, id, id);
	raw("setresuid", SYS_setresuid, id, id, id);
}

static int run_program(void *argument)
{
	static char *const environment[] = { "PATH=/usr/bin:/bin", "HOME=/home/jail", "LANG=C.UTF-8", NULL };
	const struct entry *entry = argument;

	drop_bounding_set();
	become_inner_user();
	lock_down(entry->options);
	execve(entry->argv[0], entry->argv, environment);
	stop_at(entry->argv[0]);
}

static int enter(const struct entry *entry)
{
	static char stack[16384] __attribute__((aligned(16)));
	int status;
	pid_t child;

	raw("dumpable", SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
	child = must(clone(run_program, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)entry), "vfork");
	must(waitpid(child, &status, 0), "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	const struct options options = { .has_landlock = true, .has_seccomp = true, .has_fd_sweep = true };
	struct entry entry = { .options = &options };
	int at = 2;

	for (; at < argc && strcmp(argv[at], "--"); at++)
		join_group(argv[at]);
	errno = EINVAL;
	must(argc - at - 2, "usage: enter PID [CGROUP-FOLDER]... -- PROGRAM");
	entry.argv = argv + at + 1;
	join_namespaces((pid_t)atol(argv[1]));
	return enter(&entry);
}
