/* SPDX-License-Identifier: Apache-2.0 */
/*
 * immure console: a line, a verb. Each verb is the command beside this executable, run as a child in the console's own process group:
 * Ctrl-C and Ctrl-Z reach both as they would in a shell script, the terminal never changes hands, and the console takes no notice of
 * what is meant for the verb. It is no shell: nothing but verbs is run.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "cli/console.h"
#include "cli/options.h"
#include "cli/words.h"

const struct verb_option console_options[] = {
	{ "keep-going", 'k', NULL, "go on behind a line that failed" },
	{ 0 },
};

enum { KEEP_GOING };

/* Begins a message about the line: immure: FILE:3: */
static void say_place(const struct console *console, unsigned line)
{
	fprintf(stderr, "immure: ");
	if (console->script)
		fprintf(stderr, "%s:%u: ", console->script, line);
}

unsigned long long console_hear(struct console *console)
{
	struct signalfd_siginfo info;
	unsigned long long heard = 0;

	while (read(console->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		heard |= 1ULL << info.ssi_signo;
	for (int signal = 1; signal < 32; signal++)
		if (heard >> signal & 1 &&
		    (signal == SIGTERM || signal == SIGHUP || (console->script && (signal == SIGINT || signal == SIGQUIT))))
			console->end_signal = signal;
	return heard;
}

static int wait_for_signal(const struct console *console)
{
	struct pollfd polled = { .fd = console->signals, .events = POLLIN };

	return poll(&polled, 1, -1);
}

/* Who asks the console to end asks the verb that it runs. */
static int await(struct console *console, pid_t child)
{
	int status = 0;
	pid_t ended;

	while ((ended = waitpid(child, &status, WNOHANG)) == 0) {
		unsigned long long heard;

		wait_for_signal(console);
		heard = console_hear(console);
		if (heard & 1ULL << SIGTERM)
			kill(child, SIGTERM);
		if (heard & 1ULL << SIGHUP)
			kill(child, SIGHUP);
	}
	console_hear(console);
	if (ended < 0)
		return 125;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int spawn(const struct console *console, char *argv[], pid_t *child)
{
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_t actions;
	int rc = posix_spawnattr_init(&attributes);

	if (rc)
		return rc;
	rc = posix_spawn_file_actions_init(&actions);
	if (rc == 0) {
		posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
		posix_spawnattr_setsigmask(&attributes, &console->before);
		if (console->reads_standard_input)
			rc = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
		if (rc == 0)
			rc = posix_spawn(child, console->executable, &actions, &attributes, argv, environ);
		posix_spawn_file_actions_destroy(&actions);
	}
	posix_spawnattr_destroy(&attributes);
	return rc;
}

/* WORDS are ended by NULL. The terminal is afterwards as it was, however the verb ended. */
static int run_verb(struct console *console, char *const *words, size_t count)
{
	char **argv = calloc(count + 2, sizeof(*argv));
	struct termios modes;
	const int has_terminal = tcgetattr(0, &modes) == 0;
	int rc = ENOMEM, exit_code = 125;
	sigset_t mask;
	pid_t child;

	if (argv) {
		argv[0] = "immure";
		memcpy(argv + 1, words, count * sizeof(*argv));
		sigprocmask(SIG_BLOCK, &console->listened, &mask);
		rc = spawn(console, argv, &child);
		if (rc == 0)
			exit_code = await(console, child);
		if (rc == 0 && has_terminal)
			tcsetattr(0, TCSADRAIN, &modes);
		sigprocmask(SIG_SETMASK, &mask, NULL);
	}
	if (rc)
		fprintf(stderr, "immure: cannot run %s: %s\n", console->executable, strerror(rc));
	free(argv);
	return exit_code;
}

static int leave(struct console *console, const struct line *line)
{
	console->is_over = line->count == 1;
	if (!console->is_over)
		fprintf(stderr, "immure: %s takes no words\n", line->words[0]);
	return console->is_over ? 0 : 125;
}

static int perform(struct console *console, const struct line *line)
{
	static const char *const leaving[] = { "exit", "quit" };
	struct nearest nearest = nearest_to(line->words[0]);

	for (size_t i = 0; i < sizeof(leaving) / sizeof(leaving[0]); i++) {
		if (strcmp(line->words[0], leaving[i]) == 0)
			return leave(console, line);
		nearest_offer(&nearest, leaving[i]);
	}
	if (verb_of_name(line->words[0]))
		return run_verb(console, line->words, line->count);
	for (const struct verb *verb = verbs; verb->name; verb++)
		nearest_offer(&nearest, verb->name);
	return complain_unknown("verb", &nearest, "help");
}

/* Columns are counted in characters: bytes of UTF-8 that go on with one are none. */
static int complain_sign(const struct console *console, const char *text, size_t at)
{
	unsigned line = console->first_line, column = 1;

	for (size_t i = 0; i < at; i++) {
		line += text[i] == '\n';
		column = text[i] == '\n' ? 1 : column + ((text[i] & 0xC0) != 0x80);
	}
	say_place(console, line);
	fprintf(stderr, "column %u: \"%c\" means nothing here: %s (to mean the letter, quote it: '%c')\n", column, text[at], line_refusal(text[at]),
		text[at]);
	return 125;
}

static int complain_open(const struct console *console, char open)
{
	say_place(console, console->first_line);
	fprintf(stderr, open == '\\' ? "nothing follows the last \"%c\"\n" : "a quote is not closed: %c\n", open);
	return 125;
}

int console_take(struct console *console, const char *text, int is_last)
{
	struct line line;
	int exit_code = 0, rc = line_split(text, &line);

	if (rc == 0 && line.open && !is_last) {
		line_free(&line);
		return 1;
	}
	if (rc == -EINVAL)
		exit_code = complain_sign(console, text, line.fault);
	else if (rc < 0)
		exit_code = complain(&(struct immure_error){ .exit_code = 125, .text = "no memory" });
	else if (line.open)
		exit_code = complain_open(console, line.open);
	else if (line.count)
		exit_code = perform(console, &line);
	if (exit_code)
		console->exit_code = exit_code;
	if (exit_code && console->script && rc == 0 && !line.open) {
		say_place(console, console->first_line);
		fprintf(stderr, "exit code %d\n", exit_code);
	}
	console->is_over |= console->script && exit_code && !console->keeps_going;
	line_free(&line);
	return 0;
}

/* Adds the next line, without its end. 1; 0: there is none; negative: errno. */
static int add_line(struct console *console, FILE *file, char **text, size_t *used)
{
	char *line = NULL, *grown;
	size_t room = 0;
	const ssize_t size = getline(&line, &room, file);
	int rc = size > 0 ? 1 : ferror(file) ? -errno : 0;

	if (rc == 1 && memchr(line, '\0', (size_t)size))
		rc = -EILSEQ;
	console->line += size > 0;
	grown = rc == 1 ? realloc(*text, *used + (size_t)size + 1) : NULL;
	if (rc == 1 && !grown)
		rc = -ENOMEM;
	if (grown) {
		memcpy(grown + *used, line, (size_t)size + 1);
		*text = grown;
		*used += (size_t)size;
		if (grown[*used - 1] == '\n') /* comes back when the line goes on */
			grown[--*used] = '\0';
	}
	free(line);
	return rc;
}

static int complain_reading(const struct console *console, int rc)
{
	if (rc == -EILSEQ)
		fprintf(stderr, "immure: %s:%u: a NUL byte\n", console->script, console->line);
	else
		fprintf(stderr, "immure: console: %s: %s\n", console->script, strerror(-rc));
	return 125;
}

static int read_script(struct console *console, FILE *file)
{
	char *text = strdup("");
	size_t used = 0;
	int rc = text ? 1 : complain_reading(console, -ENOMEM);

	while (text && !console->is_over && !console->end_signal && rc > 0) {
		const int goes_on = used > 0;

		if (goes_on)
			text[used++] = '\n';
		else
			console->first_line = console->line + 1;
		rc = add_line(console, file, &text, &used);
		if (rc == 0 && goes_on)
			text[--used] = '\0';
		if (rc < 0)
			console->exit_code = complain_reading(console, rc);
		else if ((rc > 0 || goes_on) && console_take(console, text, rc == 0) == 0)
			used = 0;
	}
	console->exit_code = text ? console->exit_code : rc;
	free(text);
	return console->exit_code;
}

static int run_script(struct console *console, const char *path)
{
	FILE *file = console->reads_standard_input ? stdin : fopen(path, "re");
	int exit_code;

	if (!file) {
		fprintf(stderr, "immure: console: %s: %s\n", path, strerror(errno));
		return 125;
	}
	exit_code = read_script(console, file);
	if (file != stdin)
		fclose(file);
	return exit_code;
}

static int prepare(struct console *console)
{
	static const int listened[] = { SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGWINCH, SIGCONT };

	if (path_beside("immure", console->executable, sizeof(console->executable)) == 0)
		return -ENOENT;
	signal(SIGCHLD, SIG_DFL); /* whoever started it may ignore them, and then no child could be waited for */
	sigemptyset(&console->listened);
	for (size_t i = 0; i < sizeof(listened) / sizeof(listened[0]); i++)
		sigaddset(&console->listened, listened[i]);
	sigprocmask(SIG_BLOCK, NULL, &console->before);
	console->signals = signalfd(-1, &console->listened, SFD_CLOEXEC | SFD_NONBLOCK);
	return console->signals < 0 ? -errno : 0;
}

int cli_console(int argc, char *argv[])
{
	struct console console = { 0 };
	struct words words;
	const char *path;
	int exit_code, rc = take_words(verb_of_name("console"), argc, argv, &(struct bounds){ 0, 1, 0 }, &words);

	if (rc)
		return rc;
	rc = prepare(&console);
	if (rc < 0) {
		fprintf(stderr, "immure: console: %s\n", strerror(-rc));
		return 125;
	}
	console.keeps_going = words.chosen[KEEP_GOING].count > 0;
	path = words.argc && strcmp(words.argv[0], "-") != 0 ? words.argv[0] : NULL;
	if (!words.argc && isatty(0) && isatty(1)) {
		exit_code = console_edit(&console) < 0 ? 125 : 0;
	} else {
		console.script = path ? path : "standard input";
		console.reads_standard_input = !path;
		exit_code = run_script(&console, path);
	}
	close(console.signals);
	return console.end_signal ? 128 + console.end_signal : exit_code;
}
