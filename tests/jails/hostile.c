/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of a jail that wishes those ill who enter it. It does not look for them but guesses their pids, which is faster.
 *	stop      stops whatever appears
 *	peek      tries all roads into whatever appears and is not yet a program of the jail: "ROAD PID" for each that is open
 *	look      tries them into whatever appears
 *	siblings  bears as many as are asked for as its parent's children, in sessions of their own; every other one ends at once
 * The others go on until SIGTERM, and two of them tell first how many they have met, "met COUNT", and before that when they meet the first.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AHEAD = 40, DESCRIPTORS = 64, ROADS = 16 };

struct guess {
	pid_t last;             /* the highest that is known */
	int is_for_all;
	unsigned long met[ROADS];
};

static volatile sig_atomic_t is_over;

static void end(int signal)
{
	(void)signal;
	is_over = 1;
}

static void stop(void)
{
	pid_t last = getpid();

	while (!is_over)
		for (pid_t pid = last + 1; pid < last + AHEAD; pid++)
			if (kill(pid, SIGSTOP) == 0 || errno == EPERM)
				last = pid;
}

static int open_road(pid_t pid, const char *what, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	fd = open(path, flags | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int read_link(pid_t pid, const char *what)
{
	char path[64], found[256];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	return readlink(path, found, sizeof(found)) > 0;
}

static int take_descriptor(int pidfd)
{
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		int mine = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

		if (mine >= 0) {
			close(mine);
			return 1;
		}
	}
	return 0;
}

static int read_memory(pid_t pid)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { (void *)0x400000, 1 };

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == 1 || errno == EFAULT;
}

/* Until it has executed its program it has the words of who bore it, which anybody may read. */
static int is_stranger(pid_t pid)
{
	static const char words[] = "immure";
	char path[64], found[sizeof(words)] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, found, sizeof(words) - 1) < 0)
		found[0] = '\0';
	close(fd);
	return strcmp(found, words) == 0;
}

/* If it is one still, it was one before. */
static void note(struct guess *guess, unsigned road, const char *name, int is_open, pid_t pid)
{
	if (!is_open || (!guess->is_for_all && !is_stranger(pid)) || guess->met[road]++)
		return;
	printf("%s %d\n", name, (int)pid);
	fflush(stdout);
}

static void try_roads(struct guess *guess, pid_t pid)
{
	const int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	note(guess, 0, "mem", open_road(pid, "mem", O_RDWR), pid);
	note(guess, 1, "environ", open_road(pid, "environ", O_RDONLY), pid);
	note(guess, 2, "maps", open_road(pid, "maps", O_RDONLY), pid);
	note(guess, 3, "fd", open_road(pid, "fd", O_RDONLY | O_DIRECTORY) && read_link(pid, "fd/0"), pid);
	note(guess, 4, "exe", read_link(pid, "exe") || open_road(pid, "exe", O_RDONLY), pid);
	note(guess, 5, "cwd", open_road(pid, "cwd", O_RDONLY), pid);
	note(guess, 6, "root", open_road(pid, "root", O_RDONLY), pid);
	note(guess, 7, "ns", open_road(pid, "ns/mnt", O_RDONLY), pid);
	note(guess, 8, "memory", read_memory(pid), pid);
	if (pidfd >= 0) {
		note(guess, 9, "getfd", take_descriptor(pidfd), pid);
		note(guess, 10, "setns", setns(pidfd, CLONE_NEWUTS) == 0, pid);
		close(pidfd);
	}
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) {
		note(guess, 11, "seize", 1, pid);
		if (!guess->is_for_all)
			kill(pid, SIGKILL);
		while (!guess->is_for_all && waitpid(pid, NULL, __WALL) == pid)
			;
	}
}

static void say_met(unsigned long count)
{
	printf("met %lu\n", count);
	fflush(stdout);
}

static void peek(int is_for_all)
{
	struct guess guess = { .last = getpid(), .is_for_all = is_for_all };
	unsigned long met = 0;

	while (!is_over) {
		for (pid_t pid = guess.last + 1; pid < guess.last + AHEAD; pid++) {
			if (kill(pid, 0) < 0 && errno != EPERM)
				continue;
			guess.last = pid;
			if ((is_for_all || is_stranger(pid)) && !met++)
				say_met(met);
			do
				try_roads(&guess, pid);
			while (!is_over && (is_for_all ? kill(pid, 0) == 0 : is_stranger(pid)));
		}
	}
	say_met(met);
}

static int bear_siblings(int count)
{
	for (int i = 0; i < count; i++) {
		const long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

		if (pid < 0)
			return 1;
		if (pid > 0)
			continue;
		setsid();
		if (i % 2)
			pause();
		_exit(0);
	}
	return 0;
}

int main(int argc, char *argv[])
{
	signal(SIGTERM, end);
	if (argc > 1 && strcmp(argv[1], "stop") == 0)
		stop();
	else if (argc > 1 && strcmp(argv[1], "peek") == 0)
		peek(0);
	else if (argc > 1 && strcmp(argv[1], "look") == 0)
		peek(1);
	else if (argc > 2 && strcmp(argv[1], "siblings") == 0)
		return bear_siblings(atoi(argv[2]));
	else
		return 2;
	return 0;
}
