/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an untrusted program might try. Each attack is real and reports whether it got through; each is harmless
 * enough to be run free as well: it only touches what demo/try laid out for it (a canary folder, a victim process, a
 * listener on loopback), and takes a bounded number of processes and bytes.
 *
 *	hostile FOLDER PID PORT     all attacks but the one on memory
 *	hostile memory MEGABYTES    the one on memory
 *
 * Exit status: 0 when nothing got through, 1 when something did.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORKS = 200 };

struct target {
	const char *folder; /* holds "secret" */
	pid_t victim;
	int port;
};

static int read_secret(const struct target *target)
{
	char path[4096], secret[64];
	int fd;

	snprintf(path, sizeof(path), "%s/secret", target->folder);
	fd = open(path, O_RDONLY);
	return fd >= 0 && read(fd, secret, sizeof(secret)) > 0;
}

static int read_shadow(const struct target *target)
{
	(void)target;
	return open("/etc/shadow", O_RDONLY) >= 0 || open("/root/.bashrc", O_RDONLY) >= 0;
}

static int write_outside(const struct target *target)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/written", target->folder);
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	return fd >= 0 && write(fd, "here", 4) == 4;
}

/* Bounded: the children wait to be killed, and are. */
static int fork_bomb(const struct target *target)
{
	pid_t children[FORKS];
	int count = 0;

	(void)target;
	while (count < FORKS) {
		pid_t child = fork();

		if (child == 0) {
			pause();
			_exit(0);
		}
		if (child < 0)
			break;
		children[count++] = child;
	}
	for (int i = 0; i < count; i++)
		kill(children[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	return count == FORKS;
}

static int use_network(const struct target *target)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)target->port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static int see_processes(const struct target *target)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)target->victim);
	return access(path, F_OK) == 0;
}

static int kill_victim(const struct target *target)
{
	return kill(target->victim, SIGTERM) == 0;
}

static int trace_init(const struct target *target)
{
	(void)target;
	return ptrace(PTRACE_SEIZE, 1, 0, 0) == 0 || open("/proc/1/root/etc/shadow", O_RDONLY) >= 0 ||
	       open("/proc/1/mem", O_RDWR) >= 0;
}

/* Opened for writing, never written. */
static int reach_kernel(const struct target *target)
{
	(void)target;
	return open("/proc/sys/kernel/core_pattern", O_WRONLY) >= 0 || open("/proc/sysrq-trigger", O_WRONLY) >= 0 ||
	       open("/dev/mem", O_RDONLY) >= 0 || open("/proc/kcore", O_RDONLY) >= 0;
}

static int in_child(int (*attack)(void))
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(attack() == 0 ? 0 : 1);
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int new_user_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static int new_mount(void)
{
	return unshare(CLONE_NEWNS);
}

static int new_root(void)
{
	return chroot("/");
}

static int gain_namespace(const struct target *target)
{
	(void)target;
	return in_child(new_user_namespace);
}

static int gain_mount(const struct target *target)
{
	(void)target;
	return in_child(new_mount) || in_child(new_root);
}

static int use_io_uring(const struct target *target)
{
	char parameters[256] = { 0 };
	long fd = syscall(SYS_io_uring_setup, 8, parameters);

	(void)target;
	return fd >= 0;
}

static const struct {
	const char *what;
	int (*attack)(const struct target *target);
} attacks[] = {
	{ "read a secret of yours", read_secret },
	{ "read /etc/shadow or a file of root's", read_shadow },
	{ "write into your folder", write_outside },
	{ "start 200 processes at once", fork_bomb },
	{ "connect to a service on this machine", use_network },
	{ "see your other processes", see_processes },
	{ "kill one of them", kill_victim },
	{ "trace process 1, look through its root", trace_init },
	{ "open the kernel's own files for writing", reach_kernel },
	{ "make a user namespace of its own", gain_namespace },
	{ "mount, or change the root", gain_mount },
	{ "set up an io_uring", use_io_uring },
};

static int eat_memory(size_t megabytes)
{
	for (size_t i = 0; i < megabytes; i++) {
		char *block = malloc(1 << 20);

		if (!block)
			return 0;
		memset(block, 1, 1 << 20);
	}
	printf("  got through   take %zu MB of memory\n", megabytes);
	return 1;
}

int main(int argc, char *argv[])
{
	struct target target;
	int through = 0;

	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc == 3 && strcmp(argv[1], "memory") == 0)
		return eat_memory((size_t)atoi(argv[2]));
	if (argc != 4) {
		fprintf(stderr, "usage: hostile FOLDER PID PORT | hostile memory MEGABYTES\n");
		return 2;
	}
	target = (struct target){ argv[1], (pid_t)atoi(argv[2]), atoi(argv[3]) };
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		int got = attacks[i].attack(&target);

		printf("  %-13s %s\n", got ? "got through" : "stopped", attacks[i].what);
		through += got;
	}
	printf("  %d of %zu attacks got through\n", through, sizeof(attacks) / sizeof(attacks[0]));
	return through != 0;
}
