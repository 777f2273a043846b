/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs that are one question to a jail's keeper: pause, resume, signal, stop, kill, wait, rm, inspect. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/options.h"

const struct verb_option stop_options[] = {
	{ "time", 't', "TIME", "how long it may take until the jail is killed (default: 10s)" },
	{ 0 },
};
const struct verb_option rm_options[] = {
	{ "force", 'f', NULL, "kill it before, if it lives" },
	{ 0 },
};
const struct verb_option wait_options[] = {
	{ "healthy", 0, NULL, "until its health check says that it is well; 1: it is unhealthy, 125: it has ended or has none" },
	{ "timeout", 't', "TIME", "no longer than this; the exit code is 124 then" },
	{ 0 },
};
const struct verb_option inspect_options[] = {
	{ "spec", 0, NULL, "only what was asked for, as a policy file: immure run -f" },
	{ 0 },
};

enum { GRACE_MS = 10000 };

/* How each of several jails is dealt with. */
typedef int action(struct immure_jail *jail, const void *how, struct immure_error *err);

/* All are tried; the exit code is the last failure's. */
static int for_each(char *const *names, action *act, const void *how)
{
	int exit_code = 0;

	for (; *names; names++) {
		struct immure_jail *jail = NULL;
		struct immure_error err;

		if (immure_jail_open(*names, &jail, &err) < 0 || act(jail, how, &err) < 0)
			exit_code = complain(&err);
		immure_jail_close(jail);
	}
	return exit_code;
}

/* The words behind the options, ended by NULL: argv of main has one behind its last. */
static char **names_of(struct words *words)
{
	words->argv[words->argc] = NULL;
	return words->argv;
}

static int simple(const char *verb, int argc, char *argv[], action *act)
{
	struct words words;
	int rc = take_words(verb_of_name(verb), argc, argv, &(struct bounds){ 1, -1, 1 }, &words);

	return rc ? rc : for_each(names_of(&words), act, NULL);
}

static int pause_jail(struct immure_jail *jail, const void *how, struct immure_error *err)
{
	(void)how;
	return immure_jail_pause(jail, err);
}

static int resume_jail(struct immure_jail *jail, const void *how, struct immure_error *err)
{
	(void)how;
	return immure_jail_resume(jail, err);
}

static int kill_jail(struct immure_jail *jail, const void *how, struct immure_error *err)
{
	(void)how;
	return immure_jail_kill(jail, err);
}

static int stop_jail(struct immure_jail *jail, const void *how, struct immure_error *err)
{
	return immure_jail_stop(jail, *(const uint64_t *)how, err);
}

static int remove_jail(struct immure_jail *jail, const void *how, struct immure_error *err)
{
	return immure_jail_remove(jail, *(const int *)how, err);
}

int cli_pause(int argc, char *argv[])
{
	return simple("pause", argc, argv, pause_jail);
}

int cli_resume(int argc, char *argv[])
{
	return simple("resume", argc, argv, resume_jail);
}

int cli_kill(int argc, char *argv[])
{
	return simple("kill", argc, argv, kill_jail);
}

int cli_stop(int argc, char *argv[])
{
	struct words words;
	long long grace_ms = GRACE_MS;
	int rc = take_words(verb_of_name("stop"), argc, argv, &(struct bounds){ 1, -1, 1 }, &words);

	if (rc)
		return rc;
	if (words.chosen[0].count)
		grace_ms = read_milliseconds(words.chosen[0].value, "--time");
	return grace_ms < 0 ? 125 : for_each(names_of(&words), stop_jail, &(uint64_t){ (uint64_t)grace_ms });
}

int cli_rm(int argc, char *argv[])
{
	struct words words;
	int is_forced, rc = take_words(verb_of_name("rm"), argc, argv, &(struct bounds){ 1, -1, 1 }, &words);

	if (rc)
		return rc;
	is_forced = words.chosen[0].count > 0;
	return for_each(names_of(&words), remove_jail, &is_forced);
}

int cli_signal(int argc, char *argv[])
{
	struct words words;
	struct immure_jail *jail = NULL;
	struct immure_error err;
	int rc = take_words(verb_of_name("signal"), argc, argv, &(struct bounds){ 2, 2, 1 }, &words);

	if (rc)
		return rc;
	if (immure_jail_open(words.argv[0], &jail, &err) < 0 || immure_jail_signal(jail, words.argv[1], &err) < 0)
		rc = complain(&err);
	immure_jail_close(jail);
	return rc;
}

int cli_wait(int argc, char *argv[])
{
	struct words words;
	struct immure_jail *jail = NULL;
	struct immure_error err;
	long long timeout_ms = -1;
	int exit_code = 0, rc = take_words(verb_of_name("wait"), argc, argv, &(struct bounds){ 1, 1, 1 }, &words);

	if (rc)
		return rc;
	if (words.chosen[1].count)
		timeout_ms = read_milliseconds(words.chosen[1].value, "--timeout");
	if (words.chosen[1].count && timeout_ms < 0)
		return 125;
	rc = immure_jail_open(words.argv[0], &jail, &err);
	if (rc == 0)
		rc = words.chosen[0].count ? immure_jail_wait_healthy(jail, timeout_ms, &err) : immure_jail_wait(jail, timeout_ms, &exit_code, &err);
	if (rc < 0)
		exit_code = complain(&err);
	immure_jail_close(jail);
	return exit_code;
}

int cli_inspect(int argc, char *argv[])
{
	struct words words;
	struct immure_jail *jail = NULL;
	struct immure_error err;
	char *text = NULL;
	int rc = take_words(verb_of_name("inspect"), argc, argv, &(struct bounds){ 1, 1, 1 }, &words);

	if (rc)
		return rc;
	rc = immure_jail_open(words.argv[0], &jail, &err);
	if (rc == 0)
		rc = words.chosen[0].count ? immure_jail_spec(jail, &text, &err) : immure_jail_inspect(jail, &text, &err);
	if (rc < 0)
		rc = complain(&err);
	else if (text)
		fputs(text, stdout);
	free(text);
	immure_jail_close(jail);
	return rc;
}
