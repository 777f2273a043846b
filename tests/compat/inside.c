/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a jailed program finds, told without the help of /proc or of any file: inside VERB [ARGUMENT] ... Static, so that a root
 * needs nothing else. It makes no call that the enclave list refuses, unless it is told to.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

static void end_with_42(int number)
{
	(void)number;
	_exit(42);
}

static void tell_who(char *argument)
{
	gid_t groups[64];
	int count = getgroups(64, groups);

	(void)argument;
	printf("uid %d %d gid %d %d groups", (int)getuid(), (int)geteuid(), (int)getgid(), (int)getegid());
	for (int i = 0; i < count; i++)
		printf(" %d", (int)groups[i]);
	printf("\n");
}

static void tell_environment(char *argument)
{
	(void)argument;
	for (char **line = environ; *line; line++)
		printf("env %s\n", *line);
}

static void tell_folder(char *argument)
{
	char path[4096];

	(void)argument;
	printf("folder %s\n", getcwd(path, sizeof(path)) ? path : "?");
}

static void tell_pid(char *argument)
{
	(void)argument;
	printf("pid %d parent %d\n", (int)getpid(), (int)getppid());
}

static void tell_descriptors(char *argument)
{
	(void)argument;
	printf("descriptors");
	for (int fd = 0; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf(" %d", fd);
	printf("\n");
}

/* With arguments that hardly any call accepts. */
static void make_call(char *number)
{
	errno = 0;
	syscall(atol(number), -1L, -1L, -1L, -1L, -1L, -1L);
	printf("made %s %d\n", number, errno);
}

static void send_signal(char *pid)
{
	printf("kill %s %d\n", pid, kill(atoi(pid), 0) < 0 ? errno : 0);
}

static void die_of(char *number)
{
	signal(atoi(number), SIG_DFL);
	raise(atoi(number));
}

/* Until SIGTERM, which makes it 42. */
static void wait_for_signal(char *argument)
{
	(void)argument;
	signal(SIGTERM, end_with_42);
	printf("ready\n");
	fflush(stdout);
	for (;;)
		pause();
}

static void write_line(char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	printf("write %s %d\n", path, fd < 0 || write(fd, "line\n", 5) != 5 ? errno : 0);
	if (fd >= 0)
		close(fd);
}

static void look(char *path)
{
	printf("look %s %d\n", path, access(path, F_OK) < 0 ? errno : 0);
}

static void connect_to(char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	printf("connect %d\n", connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0);
	close(fd);
}

static void tell_terminal(char *argument)
{
	struct stat state;

	(void)argument;
	printf("terminal %d device %llx\n", isatty(0), fstat(0, &state) < 0 ? 0ULL : (unsigned long long)state.st_rdev);
}

static void type_into_terminal(char *text)
{
	int error = 0;

	for (; *text; text++)
		error = ioctl(0, TIOCSTI, text) < 0 ? errno : error;
	printf("typed %d\n", error);
}

static void tell_privileges(char *argument)
{
	struct { uint32_t version; int pid; } head = { 0x20080522, 0 };
	uint32_t sets[6] = { 0 };

	(void)argument;
	syscall(SYS_capget, &head, sets);
	printf("capabilities %x %x no-new-privileges %d\n", sets[0] | sets[3], sets[1] | sets[4], prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

static void end(char *code)
{
	fflush(stdout);
	_exit(atoi(code));
}

static const struct {
	const char *name;
	void (*act)(char *argument);
	int has_argument;
} verbs[] = {
	{ "who", tell_who, 0 }, { "environment", tell_environment, 0 }, { "folder", tell_folder, 0 }, { "pid", tell_pid, 0 },
	{ "descriptors", tell_descriptors, 0 }, { "call", make_call, 1 }, { "kill", send_signal, 1 }, { "die", die_of, 1 },
	{ "wait", wait_for_signal, 0 }, { "write", write_line, 1 }, { "look", look, 1 }, { "connect", connect_to, 1 },
	{ "terminal", tell_terminal, 0 }, { "type", type_into_terminal, 1 }, { "privileges", tell_privileges, 0 }, { "end", end, 1 },
};

static int do_verb(char *argv[])
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, argv[0]) != 0)
			continue;
		if (verbs[i].has_argument && !argv[1])
			break;
		verbs[i].act(argv[1]);
		fflush(stdout);
		return 1 + verbs[i].has_argument;
	}
	fprintf(stderr, "inside: what is \"%s\"?\n", argv[0]);
	exit(99);
}

int main(int argc, char *argv[])
{
	for (int at = 1; at < argc;)
		at += do_verb(argv + at);
	return 0;
}
