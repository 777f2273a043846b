/* SPDX-License-Identifier: Apache-2.0 */
/* Processes, namespaces, signals and waiting. A value from 0, or -errno. */
#ifndef IMMURE_SYS_PROCESS_H
#define IMMURE_SYS_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct pollfd;

/* The kernel's clone flags that glibc and musl do not both name. clone(2) */
#define SYS_CLONE_INTO_CGROUP 0x200000000ULL
#define SYS_CLONE_NEWNS 0x00020000ULL
#define SYS_CLONE_NEWUSER 0x10000000ULL
#define SYS_CLONE_NEWPID 0x20000000ULL
#define SYS_CLONE_PARENT 0x00008000ULL
#define SYS_CLONE_NEWTIME 0x00000080ULL

/*
 * A child as fork makes it, in new namespaces, but its death sends no SIGCHLD: whatever the caller does with that signal, or
 * another thread with wait(2), its status is kept for sys_wait. FLAGS: CLONE_NEW*, SYS_CLONE_INTO_CGROUP. CGROUP: with that flag, a
 * descriptor of a cgroup v2 directory. *PIDFD: its pidfd. Returns 0 in the child, the pid in the caller. Falls back to
 * clone(2) where an outer filter hides clone3 and no cgroup was asked for. SYS_CLONE_PARENT: a sibling, not a child.
 */
pid_t sys_clone(uint64_t flags, int cgroup, int *pidfd);

/*
 * A user namespace belongs to the effective user at its birth, and what is used in it (inotify(7), queued signals, message queues) is
 * counted as that user's as well, up to that user's limits. So root is OWNER meanwhile; files it reaches as before. Only the
 * calling thread is. A change of ids makes the kernel forget some things; *BEFORE holds them. user_namespaces(7)
 */
struct sys_self {
	uid_t real_uid, saved_uid;
	int dumpable, parent_signal;
	pid_t parent;
};
int sys_become_owner(uid_t owner, struct sys_self *before);
int sys_become_self(const struct sys_self *before); /* -ESRCH: the parent, whose death should have been told, is gone */

/*
 * Runs BODY(ARGUMENT) in a child that borrows the caller's memory and descriptor table and stack region STACK; the
 * caller sleeps until the child execs or exits. Returns the pid. vfork(2), clone(2)
 */
pid_t sys_borrow_child(int (*body)(void *), void *argument, void *stack, size_t stack_size);

/* The same, but a child of the caller's parent; both sides find its *PIDFD open. */
pid_t sys_borrow_sibling(int (*body)(void *), void *argument, void *stack, size_t stack_size, int *pidfd);

/* A child as fork makes it, but for the descriptor table, which is shared. */
pid_t sys_fork_with_descriptors(void);
/* The same with number PID of the caller's own PID namespace, if that is free and the caller may choose. clone(2), set_tid */
pid_t sys_fork_as(pid_t pid);
/* As sys_fork_with_descriptors, but a child of the caller's parent; the caller sleeps until it has ended. */
pid_t sys_fork_sibling_first(void);
/* The process of a pidfd, by its number in the /proc that is there. 0 or less: it has none. */
pid_t sys_pid_of(int pidfd);
/* Ends the talk on SOCKET and waits until the process of PIDFD has ended, at most TIMEOUT_MS. */
void sys_wait_for_end(int socket, int pidfd, int timeout_ms);

_Noreturn void sys_exit(int status);
int sys_join_namespace(int fd, int type);      /* setns(2) */
int sys_unshare(int flags);
/* A user namespace without a process, with these maps; user_namespaces(7). */
int sys_new_userns(const char *uid_map, const char *gid_map);
int sys_open_pid(pid_t pid);                   /* pidfd_open(2) */
int sys_signal_pidfd(int pidfd, int signal);
int sys_kill(pid_t pid, int signal);
/* wait4(2) for children of every kind; -EAGAIN: WNOHANG and nobody has died. */
pid_t sys_wait(pid_t pid, int *status, int options, struct rusage *usage);
/* Whether it is the caller's, alive or not yet waited for. */
bool sys_is_child(pid_t pid);
/* 0: the child is dead, and reaped unless OPTIONS say otherwise; -EAGAIN: it is not, or cannot be reaped yet; -ECHILD: it is no child. */
int sys_wait_pidfd(int pidfd, int options);
/* Of the caller's children the first that is dead and can be waited for, and stays so; 0: there is none. */
pid_t sys_first_dead_child(void);
/* The caller waits for none of its children any more: whose death sends SIGCHLD is reaped by the kernel, now or later. sigaction(2) */
void sys_ignore_children(void);
int sys_die_with_parent(int signal);
pid_t sys_parent(void);
pid_t sys_pid(void);
uid_t sys_effective_user(void);
/* The caller leads a process group of its own. */
int sys_lead_group(void);
gid_t sys_effective_group(void);
int sys_new_session(void);
bool sys_leads_session(void);
bool sys_is_in_parents_session(void); /* that the parent leads */
int sys_set_controlling_terminal(int fd);
int sys_set_dumpable(bool is_dumpable);
int sys_is_dumpable(void);                     /* 0, 1, 2; prctl(2), PR_GET_DUMPABLE */
int sys_parent_death_signal(void);
int sys_be_subreaper(void);
int sys_host_name(const char *name);
int sys_set_rlimit(int resource, uint64_t soft, uint64_t hard);
int sys_get_rlimit(int resource, uint64_t *soft, uint64_t *hard);
int sys_personality(unsigned long persona);    /* the one before; 0xffffffff: no change */
int sys_exec(const char *path, char *const argv[], char *const envp[]);
/* Runs a helper program to its end, its output unseen. 0; -EPERM: it refused; -errno. */
int sys_run_helper(const char *path, char *const argv[]);
int sys_block_signals(const sigset_t *set, sigset_t *before);
int sys_signal_descriptor(const sigset_t *set);
/* A signalfd of SIGCHLD, which must be blocked. */
int sys_child_descriptor(void);
int sys_default_signal(int signal);
int sys_set_disposition(int signal, const struct sigaction *action, struct sigaction *before);
/* To the calling process: where it is blocked it waits; or let through at once, for this moment. */
int sys_raise(int signal);
int sys_raise_unblocked(int signal);
/* Every disposition back to the default, nothing blocked. */
int sys_default_signals(void);
/* The mask as it is told, with those that libc keeps for itself. */
int sys_set_signal_mask(const sigset_t *mask);
int sys_has_blocked_signals(void);             /* 0, 1 */
/* A new anonymous session keyring; keyctl(2). -ENOSYS where the kernel has none. */
int sys_new_keyring(void);
int sys_session_keyring(void);                 /* its serial number */
int sys_loopback_up(void);
/* The caller is in a new network namespace then, with lo up if that can be done. */
int sys_new_network(void);
int sys_join_network(int fd);
/* Nanoseconds of CLOCK_MONOTONIC: the supervisor's own clock. */
uint64_t sys_now_ns(void);
/* A timerfd that fires once, NANOSECONDS from now; and the same for one that is there. */
int sys_timer(uint64_t nanoseconds);
/* Sleeps so long, or until a signal. */
void sys_pause(unsigned milliseconds);
int sys_set_timer(int timer, uint64_t nanoseconds);
int sys_wait_ready(struct pollfd *fds, unsigned count, int timeout_ms);
unsigned sys_processors(void);
unsigned sys_own_processors(void); /* of these, those that the caller may run on; sched_setaffinity(2) */
/* Zeroed memory that children share with the caller. 0 or -errno. */
int sys_share_memory(size_t size, void **memory);
int sys_forget_memory(void *memory, size_t size);

#endif
