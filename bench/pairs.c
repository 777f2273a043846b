/* SPDX-License-Identifier: Apache-2.0 */
/* Runs commands in turn, round by round in a shuffled order, and writes what each took from vfork to
 * wait4: one line per round, one column of nanoseconds per command. Judging the numbers is Python's work.
 *
 *   pairs ROUNDS SEED ,, [@UID] [<FILE] [+] COMMAND [ARGUMENT]... ,, [@UID] COMMAND...
 *
 * @UID runs the command as that user without capabilities or groups, <FILE opens a file as its descriptor 9, + measures until it
 * has written its first byte instead. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_COMMANDS 64
#define SEPARATOR ",,"

struct command {
	char **argv;
	const char *file; /* or NULL */
	long uid;	  /* -1: the caller's */
	int is_start;	  /* until its first output, which is thrown away */
};

static long long now_ns(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * 1000000000LL + at.tv_nsec;
}

/* Shares memory with the parent until exec, so nothing here may change it: system calls only. */
static void become_command(const struct command *command, int output)
{
	if (output >= 0 && dup2(output, 1) != 1)
		_exit(126);
	if (command->file && dup2(open(command->file, O_RDONLY | O_CLOEXEC), 9) != 9)
		_exit(126);
	if (command->uid >= 0) {
		syscall(SYS_setgroups, 0, NULL);
		syscall(SYS_setresgid, command->uid, command->uid, command->uid);
		syscall(SYS_setresuid, command->uid, command->uid, command->uid);
	}
	execv(command->argv[0], command->argv);
	_exit(127);
}

__attribute__((noinline)) static pid_t launch(const struct command *command, int output)
{
	pid_t child = vfork();

	if (!child)
		become_command(command, output);
	return child;
}

static long long run_once(const struct command *command)
{
	long long start, took = 0;
	int status, ends[2] = { -1, -1 };
	char first;
	pid_t child;

	if (command->is_start && pipe2(ends, O_CLOEXEC) < 0)
		exit(1);
	start = now_ns();
	child = launch(command, ends[1]);
	if (command->is_start) {
		close(ends[1]);
		if (read(ends[0], &first, 1) == 1)
			took = now_ns() - start;
		close(ends[0]);
	}
	while (waitpid(child, &status, 0) != child)
		;
	if (!command->is_start)
		took = now_ns() - start;
	if (status == 0 && took > 0)
		return took;
	fprintf(stderr, "pairs: %s ended with status %#x\n", command->argv[0], status);
	exit(1);
}

static int read_commands(char **word, struct command *commands)
{
	int count = 0;

	while (*word && count < MOST_COMMANDS) {
		*word++ = NULL; /* the separator ends the command before it */
		commands[count] = (struct command){ .uid = -1 };
		if (*word && **word == '@')
			commands[count].uid = atol(*word++ + 1);
		if (*word && **word == '<')
			commands[count].file = *word++ + 1;
		if (*word && !strcmp(*word, "+"))
			commands[count].is_start = !!*word++;
		commands[count++].argv = word;
		while (*word && strcmp(*word, SEPARATOR))
			word++;
	}
	return count;
}

static void shuffle(int *order, int count)
{
	for (int i = count - 1; i > 0; i--) {
		int other = rand() % (i + 1), kept = order[i];

		order[i] = order[other];
		order[other] = kept;
	}
}

int main(int argc, char **argv)
{
	struct command commands[MOST_COMMANDS];
	int order[MOST_COMMANDS], count, rounds;
	long long took[MOST_COMMANDS];

	if (argc < 5 || strcmp(argv[3], SEPARATOR)) {
		fprintf(stderr, "usage: pairs ROUNDS SEED ,, [@UID] COMMAND... ,, ...\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0); /* what commands write there comes between lines, and not into them */
	rounds = atoi(argv[1]);
	srand(atoi(argv[2]));
	count = read_commands(argv + 3, commands);
	for (int i = 0; i < count; i++)
		order[i] = i;
	for (int round = 0; round < rounds; round++) {
		shuffle(order, count);
		for (int i = 0; i < count; i++)
			took[order[i]] = run_once(&commands[order[i]]);
		for (int i = 0; i < count; i++)
			printf("%lld%c", took[i], i + 1 < count ? '\t' : '\n');
	}
	return 0;
}
