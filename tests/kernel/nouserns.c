/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nouserns COMMAND [ARGUMENT...]: runs COMMAND where no further user namespace can be made (ENOSPC), as with
 * user.max_user_namespaces=0, without touching this machine: inside a user namespace of its own whose limit is 0. Every
 * id maps to itself; for an ordinary user only the own id does. Who has uid 0 has all capabilities over that namespace.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NO_STATUS = 125 };

static int die(const char *what)
{
	fprintf(stderr, "nouserns: %s: %s\n", what, strerror(errno));
	exit(NO_STATUS);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd))
		die(path);
}

static void write_process_file(pid_t pid, const char *file, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	write_file(path, text);
}

static void write_map(pid_t pid, const char *file, unsigned int id)
{
	char map[64];

	if (geteuid() == 0)
		snprintf(map, sizeof(map), "0 0 4294967295");
	else
		snprintf(map, sizeof(map), "%u %u 1", id, id);
	write_process_file(pid, file, map);
}

/* The maps are written from outside, by a child that has stayed there: only it may map more than one id. */
static void map_parent(int go)
{
	char byte;
	pid_t parent = getppid();

	if (read(go, &byte, 1) != 1)
		_exit(NO_STATUS);
	if (geteuid() != 0)
		write_process_file(parent, "setgroups", "deny");
	write_map(parent, "uid_map", getuid());
	write_map(parent, "gid_map", getgid());
	_exit(0);
}

static void enter_mapped_namespace(void)
{
	int go[2], status;
	pid_t mapper;

	if (pipe2(go, O_CLOEXEC) || (mapper = fork()) < 0)
		die("fork");
	if (mapper == 0) {
		close(go[1]);
		map_parent(go[0]);
	}
	if (unshare(CLONE_NEWUSER) || write(go[1], "", 1) != 1)
		die("unshare");
	if (waitpid(mapper, &status, 0) != mapper || status)
		exit(NO_STATUS);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return NO_STATUS;
	enter_mapped_namespace();
	write_file("/proc/sys/user/max_user_namespaces", "0");
	execvp(argv[1], argv + 1);
	return die(argv[1]);
}
