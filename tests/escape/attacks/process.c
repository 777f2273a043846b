/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks on other processes: init, siblings, the host's. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"

static int trace(char **argument)
{
	return outcome(ptrace(PTRACE_ATTACH, atoi(argument[0]), NULL, NULL));
}

static int seize(char **argument)
{
	return outcome(ptrace(PTRACE_SEIZE, atoi(argument[0]), NULL, NULL));
}

/* A wrong address means that the permission was given. */
static int read_memory(char **argument)
{
	char byte;
	struct iovec mine = { &byte, 1 }, other = { (void *)4096, 1 };
	long rc = syscall(SYS_process_vm_readv, atoi(argument[0]), &mine, 1, &other, 1, 0);

	return rc < 0 && errno == EFAULT ? 0 : outcome(rc);
}

static int write_memory(char **argument)
{
	char byte = 0;
	struct iovec mine = { &byte, 1 }, other = { (void *)4096, 1 };
	long rc = syscall(SYS_process_vm_writev, atoi(argument[0]), &mine, 1, &other, 1, 0);

	return rc < 0 && errno == EFAULT ? 0 : outcome(rc);
}

static int steal_descriptor(char **argument)
{
	int pidfd = (int)syscall(SYS_pidfd_open, atoi(argument[0]), 0);

	return pidfd < 0 ? -errno : outcome(syscall(SYS_pidfd_getfd, pidfd, 0, 0));
}

static int join_namespaces_of(char **argument)
{
	int pidfd = (int)syscall(SYS_pidfd_open, atoi(argument[0]), 0);

	return pidfd < 0 ? -errno : outcome(syscall(SYS_setns, pidfd, 0x04000000 /* CLONE_NEWUTS */));
}

static int compare(char **argument)
{
	return outcome(syscall(SYS_kcmp, atoi(argument[0]), atoi(argument[0]), 1 /* KCMP_VM */, 0, 0));
}

static int signal_process(char **argument)
{
	return outcome(kill(atoi(argument[0]), atoi(argument[1])));
}

/* A descriptor's owner is signalled by the kernel when data comes: another road to a process outside. */
static int signal_by_descriptor(char **argument)
{
	int ends[2];

	if (pipe(ends) < 0)
		return -errno;
	return outcome(fcntl(ends[0], F_SETOWN, atoi(argument[0])));
}

static int limit_process(char **argument)
{
	struct rlimit old;

	return outcome(syscall(SYS_prlimit64, atoi(argument[0]), RLIMIT_NOFILE, NULL, &old));
}

static int prioritise(char **argument)
{
	return outcome(setpriority(PRIO_PROCESS, (id_t)atoi(argument[0]), 5));
}

/* A bound that is set, as high as it is: RLIMIT_CPU of 0 would kill. */
static int set_limit(char **argument)
{
	const int pid = atoi(argument[0]);
	struct rlimit old;

	if (syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, NULL, &old) < 0)
		return -errno;
	return outcome(syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, &old, NULL));
}

/* Of a user who has no process, so that nobody is slowed down where it gets through. */
static int prioritise_user(char **argument)
{
	const long rc = setpriority(PRIO_USER, (id_t)atoi(argument[0]), 5);

	return rc < 0 && errno == ESRCH ? 0 : outcome(rc);
}

static int prioritise_storage(char **argument)
{
	return outcome(syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, atoi(argument[0]), 2 << 13 | 7));
}

static int set_processors(char **argument)
{
	const pid_t pid = atoi(argument[0]);
	cpu_set_t set;

	if (sched_getaffinity(pid, sizeof(set), &set) < 0)
		return -errno;
	return outcome(sched_setaffinity(pid, sizeof(set), &set));
}

static int set_scheduler(char **argument)
{
	return outcome(sched_setscheduler(atoi(argument[0]), SCHED_BATCH, &(struct sched_param){ 0 }));
}

/* Of itself, all of it is everybody's right. */
static int set_own(char **argument)
{
	char *self[] = { "0", NULL };
	int (*const all[])(char **) = { set_limit, prioritise, prioritise_storage, set_processors, set_scheduler };

	(void)argument;
	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++) {
		int rc = all[i](self);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Move pages of another process; nothing is moved, for there are none. */
static int advise(char **argument)
{
	int pidfd = (int)syscall(SYS_pidfd_open, atoi(argument[0]), 0);
	struct iovec none = { (void *)4096, 4096 };
	long rc = pidfd < 0 ? -1 : syscall(SYS_process_madvise, pidfd, &none, 1, 21 /* MADV_PAGEOUT */, 0);

	return rc < 0 && errno == ENOMEM ? 0 : outcome(rc);
}

/* Needs nothing but the wish; a filter that watches by ptrace was escaped by it. */
static int trace_me(char **argument)
{
	(void)argument;
	return outcome(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int trace_child(char **argument)
{
	int status, rc;
	pid_t pid = fork();

	(void)argument;
	if (pid == 0) {
		pause();
		_exit(0);
	}
	rc = outcome(ptrace(PTRACE_ATTACH, pid, NULL, NULL));
	kill(pid, SIGKILL);
	waitpid(pid, &status, __WALL);
	return rc;
}

/* Forks up to COUNT children that wait; THROUGH when all were born. */
static int fork_many(char **argument)
{
	int born = 0, rc = 0;

	setpgid(0, 0);
	for (; born < atoi(argument[0]) && rc == 0; born++) {
		pid_t pid = fork();

		if (pid == 0) {
			pause();
			_exit(0);
		}
		if (pid < 0)
			rc = -errno;
	}
	printf("born %d\n", born);
	fflush(stdout);
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	return rc;
}

static int raise_limit(char **argument)
{
	const struct { const char *name; int resource; } rows[] = {
		{ "core", RLIMIT_CORE }, { "nproc", RLIMIT_NPROC }, { "nofile", RLIMIT_NOFILE }, { "fsize", RLIMIT_FSIZE },
	};
	struct rlimit limit;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(rows[i].name, argument[0]) != 0)
			continue;
		getrlimit(rows[i].resource, &limit);
		limit.rlim_max++;
		return outcome(setrlimit(rows[i].resource, &limit));
	}
	return 0;
}

static int set_id(char **argument)
{
	uid_t id = (uid_t)strtoul(argument[0], NULL, 10);

	return outcome(syscall(SYS_setresuid, id, id, id));
}

static int set_group(char **argument)
{
	gid_t id = (gid_t)strtoul(argument[0], NULL, 10);

	return outcome(syscall(SYS_setresgid, id, id, id));
}

static int set_groups(char **argument)
{
	gid_t id = (gid_t)strtoul(argument[0], NULL, 10);

	return outcome(syscall(SYS_setgroups, 1, &id));
}

static int unlock_securebits(char **argument)
{
	(void)argument;
	return outcome(prctl(PR_SET_SECUREBITS, 0, 0, 0, 0));
}

static int raise_ambient(char **argument)
{
	return outcome(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, atoi(argument[0]), 0, 0));
}

/* A second listener would answer the calls that the first one denies. */
static int take_notifications(char **argument)
{
	struct { unsigned short code; unsigned char jt, jf; uint32_t k; } allow[] = { { 6, 0, 0, 0x7fff0000 } };
	struct { unsigned short length; void *filter; } program = { 1, allow };

	(void)argument;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return outcome(syscall(SYS_seccomp, 1 /* SET_MODE_FILTER */, 8 /* NEW_LISTENER */, &program));
}

const struct attack process_attacks[] = {
	{ "trace", trace, 1 }, { "seize", seize, 1 }, { "read-memory", read_memory, 1 }, { "write-memory", write_memory, 1 },
	{ "steal-descriptor", steal_descriptor, 1 }, { "join-namespaces-of", join_namespaces_of, 1 }, { "compare", compare, 1 },
	{ "signal", signal_process, 2 }, { "signal-by-descriptor", signal_by_descriptor, 1 }, { "limit", limit_process, 1 },
	{ "prioritise", prioritise, 1 }, { "advise", advise, 1 }, { "trace-me", trace_me, 0 }, { "trace-child", trace_child, 0 },
	{ "set-limit", set_limit, 1 }, { "prioritise-user", prioritise_user, 1 }, { "prioritise-storage", prioritise_storage, 1 },
	{ "set-processors", set_processors, 1 }, { "set-scheduler", set_scheduler, 1 }, { "set-own", set_own, 0 },
	{ "fork-many", fork_many, 1 }, { "raise-limit", raise_limit, 1 },
	{ "set-id", set_id, 1 }, { "set-group", set_group, 1 }, { "set-groups", set_groups, 1 },
	{ "unlock-securebits", unlock_securebits, 0 },
	{ "raise-ambient", raise_ambient, 1 }, { "take-notifications", take_notifications, 0 },
	{ NULL, NULL, 0 },
};
