/* SPDX-License-Identifier: Apache-2.0 */
/* immure exec: a program in a jail that stays. In the quick executable as well, since it is used often. */
#include <stdio.h>
#include <string.h>

#include "cli/options.h"

const struct verb_option exec_options[] = {
	{ "interactive", 'i', NULL, "the program reads standard input; otherwise it has none" },
	{ "tty", 't', NULL, "the program gets a terminal of the jail's" },
	{ "env", 'e', "NAME[=VALUE]", "a variable, beside those of the jail; without a value it is the caller's" },
	{ "workdir", 'C', "PATH", "where it starts, inside" },
	{ "user", 'u', "USER[:GROUP]", "another user of the jail's, by name or by number: one that its id map holds" },
	{ "groups", 0, "WORD[,...]", "supplementary groups; another user has none without it" },
	{ "detach-keys", 0, "KEYS", "with -it: leave by these, which ends the program, or none (default: none)" },
	{ "pod", 0, "POD", "in jails of a pod, one after the other, in the order of their start; no JAIL is named then" },
	{ "all", 0, NULL, "with --pod: in all that run" },
	{ "all-but", 0, "JAIL", "with --pod: in all that run but this one; may be repeated" },
	{ 0 },
};
const struct verb exec_verb = {
	"exec", cli_exec, "exec [-it] [-u USER] [OPTION...] JAIL [--] PROGRAM [ARGUMENT...]",
	"run another program in a jail, confined as the jail's own", exec_options, 1,
};

enum { INTERACTIVE, TTY, ENV, WORKDIR, USER, GROUPS, DETACH_KEYS, POD, ALL, ALL_BUT };
enum { USER_ROOM = 256 };

static int exec_once(const char *name, const struct immure_exec *exec, struct immure_jail **jail)
{
	struct immure_error err;
	struct immure_end end;

	if (immure_jail_open(name, jail, &err) < 0 || immure_jail_exec(*jail, exec, &end, &err) < 0)
		return complain(&err);
	return report_end(name, &end);
}

int exec_in(const char *name, const struct immure_exec *exec)
{
	struct immure_jail *jail = NULL;
	const int exit_code = exec_once(name, exec, &jail);

	immure_jail_close(jail);
	return exit_code;
}

static int refuse(const char *why)
{
	fprintf(stderr, "immure: exec: %s\nimmure: usage: immure %s\n", why, exec_verb.synopsis);
	return 125;
}

/* Those of --all-but end up behind those of --env, in the order given. */
static unsigned take_values(const struct words *words, unsigned row, const char **list)
{
	unsigned count = 0;

	for (unsigned i = 0; i < words->value_count; i++)
		if (words->value_of[i] == row)
			list[count++] = words->values[i];
	list[count] = NULL;
	return count;
}

static const char *what_is_wrong(const struct words *words)
{
	const int is_pod = words->chosen[POD].count > 0, is_all = words->chosen[ALL].count > 0, is_but = words->chosen[ALL_BUT].count > 0;

	if (is_pod != (is_all || is_but))
		return "--pod goes with --all or --all-but, and they with it";
	if (is_all && is_but)
		return "--all and --all-but do not go together";
	if (is_pod && words->chosen[TTY].count)
		return "a terminal is for one jail: leave out -t, or name the jail";
	return NULL;
}

/* USER[:GROUP]; the words stay as they are, for the other executable may have to read them. */
static int take_user(const char *value, char user[USER_ROOM], struct immure_exec *exec)
{
	char *colon;

	if (strlen(value) >= USER_ROOM)
		return -1;
	exec->user = strcpy(user, value);
	colon = strchr(user, ':');
	if (!colon)
		return 0;
	*colon = '\0';
	exec->group = colon + 1;
	return 0;
}

int exec_by_words(int argc, char *argv[], exec_in_pod *in_pod)
{
	struct words words;
	const char *env[VALUES_MOST + 1], *left_out[VALUES_MOST + 1];
	char user[USER_ROOM];
	struct immure_jail *jail = NULL; /* of the quick executable, whose process ends: it is not closed */
	struct immure_exec exec = { .env = env };
	int at, rc = take_words(&exec_verb, argc, argv, &(struct bounds){ 1, -1, 0 }, &words);
	const char *wrong = rc ? NULL : what_is_wrong(&words);

	if (rc || wrong)
		return rc ? rc : refuse(wrong);
	take_values(&words, ENV, env);
	take_values(&words, ALL_BUT, left_out);
	exec.has_input = words.chosen[INTERACTIVE].count > 0;
	exec.has_terminal = words.chosen[TTY].count > 0;
	exec.workdir = words.chosen[WORKDIR].value;
	exec.groups = words.chosen[GROUPS].value;
	if (words.chosen[USER].count && take_user(words.chosen[USER].value, user, &exec) < 0)
		return refuse("-u: that is no name of a user");
	exec.detach_keys = words.chosen[DETACH_KEYS].value;
	at = words.chosen[POD].count ? 0 : 1;
	at += at < words.argc && strcmp(words.argv[at], "--") == 0;
	if (at >= words.argc)
		return refuse("there is no program to run");
	words.argv[words.argc] = NULL;
	exec.argv = words.argv + at;
	if (words.chosen[POD].count)
		return in_pod ? in_pod(words.chosen[POD].value, left_out, &exec) : -1;
	return in_pod ? exec_in(words.argv[0], &exec) : exec_once(words.argv[0], &exec, &jail);
}
