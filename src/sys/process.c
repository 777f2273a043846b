/* SPDX-License-Identifier: Apache-2.0 */
/* Processes, namespaces, signals and waiting. */
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sys/file.h"

/* musl and glibc disagree about who declares clone(2). */
int clone(int (*body)(void *), void *stack, int flags, void *argument, ...);

/* The older call has no room for the cgroup, and takes the pidfd where the parent's tid went. */
static pid_t clone_the_old_way(uint64_t flags, int *pidfd)
{
#if defined(__x86_64__)
	return minus_errno(syscall(SYS_clone, flags | CLONE_PIDFD, NULL, pidfd, NULL, NULL));
#else
	return minus_errno(syscall(SYS_clone, flags | CLONE_PIDFD, NULL, pidfd, NULL, NULL));
#endif
}

pid_t sys_clone(uint64_t flags, int cgroup, int *pidfd)
{
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.cgroup = cgroup < 0 ? 0 : (uint64_t)cgroup,
	};
	pid_t pid = minus_errno(syscall(SYS_clone3, &args, sizeof(args)));

	/* Hidden by a filter, one way or the other; what it really forbids it forbids to clone as well. */
	if ((pid == -ENOSYS || pid == -EPERM) && !(flags & (SYS_CLONE_INTO_CGROUP | SYS_CLONE_NEWTIME)))
		return clone_the_old_way(flags, pidfd);
	return pid;
}

/* The real id stays root's, for the way back. A group of version 1 compares who opens it with the saved one; cgroups(7) */
int sys_become_owner(uid_t owner, struct sys_self *before)
{
	uid_t effective;

	*before = (struct sys_self){ .dumpable = sys_is_dumpable(), .parent_signal = sys_parent_death_signal(),
				     .parent = sys_parent() };
	if (before->parent_signal < 0 || syscall(SYS_getresuid, &before->real_uid, &effective, &before->saved_uid) < 0)
		return -errno;
	if (effective != 0)
		return -EPERM;
	if (syscall(SYS_setresuid, 0, owner, owner) < 0)
		return -errno;
	syscall(SYS_setfsuid, 0); /* and with it the capabilities over files; capabilities(7) */
	return 0;
}

/* Effective again what is permitted: so it was for root. */
int sys_become_self(const struct sys_self *before)
{
	int rc = minus_errno(syscall(SYS_setresuid, -1, 0, -1));

	if (rc == 0)
		rc = minus_errno(syscall(SYS_setresuid, before->real_uid, -1, before->saved_uid));
	if (rc == 0 && before->dumpable == 1)
		rc = sys_set_dumpable(true);
	if (rc == 0 && before->parent_signal)
		rc = sys_die_with_parent(before->parent_signal);
	return rc == 0 && before->parent_signal && sys_parent() != before->parent ? -ESRCH : rc;
}

pid_t sys_fork_with_descriptors(void)
{
	return minus_errno(syscall(SYS_clone, CLONE_FILES, NULL, NULL, NULL, NULL));
}

pid_t sys_fork_as(pid_t pid)
{
	struct clone_args args = { .flags = CLONE_FILES, .set_tid = (uint64_t)(uintptr_t)&pid, .set_tid_size = 1 };
	const pid_t child = minus_errno(syscall(SYS_clone3, &args, sizeof(args)));

	return child < 0 ? sys_fork_with_descriptors() : child;
}

pid_t sys_fork_sibling_first(void)
{
	return minus_errno(syscall(SYS_clone, CLONE_FILES | CLONE_PARENT | CLONE_VFORK, NULL, NULL, NULL, NULL));
}

pid_t sys_pid_of(int pidfd)
{
	char path[48], text[1024];
	const char *line;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	line = sys_read_file(path, text, sizeof(text)) > 0 ? strstr(text, "\nPid:") : NULL;
	return line ? (pid_t)strtol(line + 5, NULL, 10) : -ESRCH;
}

void sys_wait_for_end(int socket, int pidfd, int timeout_ms)
{
	struct pollfd ready = { .fd = pidfd, .events = POLLIN };

	shutdown(socket, SHUT_WR);
	sys_wait_ready(&ready, 1, timeout_ms);
}

pid_t sys_borrow_child(int (*body)(void *), void *argument, void *stack, size_t stack_size)
{
	return minus_errno(clone(body, (char *)stack + stack_size, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, argument));
}

pid_t sys_borrow_sibling(int (*body)(void *), void *argument, void *stack, size_t stack_size, int *pidfd)
{
	return minus_errno(clone(body, (char *)stack + stack_size, CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_PARENT | CLONE_PIDFD, argument, pidfd));
}

_Noreturn void sys_exit(int status)
{
	_exit(status);
}

int sys_join_namespace(int fd, int type)
{
	return minus_errno(setns(fd, type));
}

int sys_unshare(int flags)
{
	return minus_errno(unshare(flags));
}

/* Lives until the other end of the pipe is closed, however that comes. */
static _Noreturn void hold_namespace(const int ends[2])
{
	char byte;

	if (close(ends[1]) < 0)
		_exit(1); /* it would wait for itself */
	sys_read(ends[0], &byte, 1);
	_exit(0);
}

static int map_and_open(pid_t pid, const char *uid_map, const char *gid_map)
{
	char path[64];
	int rc;

	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	rc = sys_write_file(path, uid_map);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)pid);
	if (rc == 0)
		rc = sys_write_file(path, gid_map);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	return rc < 0 ? rc : sys_open(path, O_RDONLY, 0);
}

int sys_new_userns(const char *uid_map, const char *gid_map)
{
	int ends[2], pidfd = -1, status, fd;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = sys_clone(CLONE_NEWUSER, -1, &pidfd);
	if (pid == 0)
		hold_namespace(ends);
	close(ends[0]);
	fd = pid < 0 ? pid : map_and_open(pid, uid_map, gid_map);
	if (close(ends[1]) < 0 && pid > 0)
		sys_signal_pidfd(pidfd, SIGKILL); /* where an outer filter forbids it, that one waits for ever */
	if (pid < 0)
		return pid;
	sys_wait(pid, &status, 0, NULL);
	close(pidfd);
	return fd;
}

int sys_open_pid(pid_t pid)
{
	return minus_errno(syscall(SYS_pidfd_open, pid, 0));
}

int sys_signal_pidfd(int pidfd, int signal)
{
	return minus_errno(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int sys_kill(pid_t pid, int signal)
{
	return minus_errno(kill(pid, signal));
}

bool sys_is_child(pid_t pid)
{
	siginfo_t info;
	int rc;

	do
		rc = pid > 0 ? waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) : -1;
	while (rc < 0 && pid > 0 && errno == EINTR);
	return rc == 0;
}

pid_t sys_first_dead_child(void)
{
	siginfo_t info = { 0 };
	int rc;

	do
		rc = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? 0 : info.si_pid;
}

void sys_ignore_children(void)
{
	const struct sigaction ignored = { .sa_handler = SIG_IGN };
	int status;

	sigaction(SIGCHLD, &ignored, NULL);
	while (sys_wait(-1, &status, WNOHANG, NULL) > 0)
		;
}

int sys_wait_pidfd(int pidfd, int options)
{
	enum { BY_PIDFD = 3 }; /* P_PIDFD, which older headers lack */
	siginfo_t info = { 0 };
	int rc;

	do
		rc = waitid((idtype_t)BY_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL | options);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : info.si_pid ? 0 : -EAGAIN;
}

pid_t sys_wait(pid_t pid, int *status, int options, struct rusage *usage)
{
	pid_t dead;

	do
		dead = wait4(pid, status, options | __WALL, usage);
	while (dead < 0 && errno == EINTR);
	if (dead == 0)
		return -EAGAIN;
	return minus_errno(dead);
}

int sys_die_with_parent(int signal)
{
	return minus_errno(prctl(PR_SET_PDEATHSIG, signal));
}

pid_t sys_parent(void)
{
	return getppid();
}

/* Asked anew each time: a libc may remember the pid of before a clone. */
gid_t sys_effective_group(void)
{
	return getegid();
}

uid_t sys_effective_user(void)
{
	return geteuid();
}

pid_t sys_pid(void)
{
	return (pid_t)syscall(SYS_getpid);
}

bool sys_leads_session(void)
{
	return getsid(0) == sys_pid();
}

bool sys_is_in_parents_session(void)
{
	return getsid(0) == getppid();
}

int sys_lead_group(void)
{
	return minus_errno(setpgid(0, 0));
}

int sys_new_session(void)
{
	return minus_errno(setsid());
}

int sys_set_controlling_terminal(int fd)
{
	return minus_errno(ioctl(fd, TIOCSCTTY, 0));
}

int sys_set_dumpable(bool is_dumpable)
{
	return minus_errno(prctl(PR_SET_DUMPABLE, is_dumpable ? 1 : 0));
}

int sys_is_dumpable(void)
{
	return minus_errno(prctl(PR_GET_DUMPABLE));
}

int sys_parent_death_signal(void)
{
	int signal = 0;

	return prctl(PR_GET_PDEATHSIG, &signal) < 0 ? -errno : signal;
}

int sys_be_subreaper(void)
{
	return minus_errno(prctl(PR_SET_CHILD_SUBREAPER, 1));
}

int sys_host_name(const char *name)
{
	return minus_errno(sethostname(name, strlen(name)));
}

int sys_set_rlimit(int resource, uint64_t soft, uint64_t hard)
{
	struct { uint64_t soft, hard; } limit = { soft, hard };

	return minus_errno(syscall(SYS_prlimit64, 0, resource, &limit, NULL));
}

int sys_get_rlimit(int resource, uint64_t *soft, uint64_t *hard)
{
	struct { uint64_t soft, hard; } limit;

	if (syscall(SYS_prlimit64, 0, resource, NULL, &limit) < 0)
		return -errno;
	*soft = limit.soft;
	*hard = limit.hard;
	return 0;
}

int sys_personality(unsigned long persona)
{
	return minus_errno(personality(persona));
}

int sys_exec(const char *path, char *const argv[], char *const envp[])
{
	execve(path, argv, envp);
	return -errno;
}

int sys_run_helper(const char *path, char *const argv[])
{
	char *const empty[] = { NULL };
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		execve(path, argv, empty);
		_exit(127);
	}
	if (pid < 0)
		return -errno;
	pid = sys_wait(pid, &status, 0, NULL);
	if (pid < 0)
		return pid;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return -ENOENT;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

int sys_block_signals(const sigset_t *set, sigset_t *before)
{
	return minus_errno(sigprocmask(SIG_SETMASK, set, before));
}

int sys_signal_descriptor(const sigset_t *set)
{
	return minus_errno(signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int sys_default_signal(int signal)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	return minus_errno(sigaction(signal, &action, NULL));
}

int sys_set_disposition(int signal, const struct sigaction *action, struct sigaction *before)
{
	return minus_errno(sigaction(signal, action, before));
}

int sys_child_descriptor(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	return sys_signal_descriptor(&set);
}

int sys_raise(int signal)
{
	return minus_errno(kill(getpid(), signal));
}

int sys_raise_unblocked(int signal)
{
	sigset_t set, before;

	sigemptyset(&set);
	sigaddset(&set, signal);
	if (sys_raise(signal) < 0 || sigprocmask(SIG_UNBLOCK, &set, &before) < 0)
		return -errno;
	return sys_block_signals(&before, NULL);
}

int sys_default_signals(void)
{
	const unsigned long dispositions[4] = { 0 }; /* the kernel's own struct sigaction: SIG_DFL, no flags, nothing blocked */
	const uint64_t none = 0;

	/* By raw calls: libc keeps 32 to 34 for itself, and who started immure may have left them ignored. */
	for (int signal = 1; signal <= 64; signal++)
		if (signal != SIGKILL && signal != SIGSTOP &&
		    syscall(SYS_rt_sigaction, signal, dispositions, NULL, sizeof(none)) < 0)
			return -errno;
	return minus_errno(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none)));
}

/* The kernel's own set is the first 64 bits of libc's. */
int sys_set_signal_mask(const sigset_t *mask)
{
	return minus_errno(syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL, sizeof(uint64_t)));
}

int sys_has_blocked_signals(void)
{
	uint64_t blocked = 0;
	int rc = minus_errno(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &blocked, sizeof(blocked)));

	return rc < 0 ? rc : blocked != 0;
}

int sys_new_keyring(void)
{
	return minus_errno(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0));
}

int sys_session_keyring(void)
{
	return minus_errno(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0, 0));
}

int sys_loopback_up(void)
{
	auto_close int fd = minus_errno(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	struct ifreq request = { .ifr_name = "lo" };

	if (fd < 0)
		return fd;
	request.ifr_flags = IFF_UP;
	return minus_errno(ioctl(fd, SIOCSIFFLAGS, &request));
}

int sys_new_network(void)
{
	int rc = sys_unshare(CLONE_NEWNET);

	if (rc == 0)
		sys_loopback_up();
	return rc;
}

int sys_join_network(int fd)
{
	return sys_join_namespace(fd, CLONE_NEWNET);
}

uint64_t sys_now_ns(void)
{
	struct timespec now;

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now); /* not by the vDSO: two page faults, for a time that is asked twice */
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int sys_set_timer(int timer, uint64_t nanoseconds)
{
	struct itimerspec when = { .it_value = { (time_t)(nanoseconds / 1000000000u), (long)(nanoseconds % 1000000000u) } };

	if (!nanoseconds)
		when.it_value.tv_nsec = 1; /* zero would disarm it */
	return minus_errno(timerfd_settime(timer, 0, &when, NULL));
}

void sys_pause(unsigned milliseconds)
{
	const struct timespec time = { milliseconds / 1000, (long)(milliseconds % 1000) * 1000000 };

	nanosleep(&time, NULL);
}

int sys_timer(uint64_t nanoseconds)
{
	auto_close int fd = minus_errno(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
	int rc = fd < 0 ? fd : sys_set_timer(fd, nanoseconds);

	return rc < 0 ? rc : take_fd(&fd);
}

int sys_wait_ready(struct pollfd *fds, unsigned count, int timeout_ms)
{
	int ready;

	do
		ready = poll(fds, count, timeout_ms);
	while (ready < 0 && errno == EINTR);
	return minus_errno(ready);
}

int sys_share_memory(size_t size, void **memory)
{
	void *found = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (found == MAP_FAILED)
		return -errno;
	*memory = found;
	return 0;
}

int sys_forget_memory(void *memory, size_t size)
{
	return minus_errno(munmap(memory, size));
}

unsigned sys_own_processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) < 0 ? sys_processors() : (unsigned)CPU_COUNT(&set);
}

unsigned sys_processors(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count > 0 ? (unsigned)count : 1;
}
