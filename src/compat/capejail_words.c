/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of capejail as a table: what each sets. Letters may stand together ("-nI"), a value in the same word or in the
 * next, the last of two wins. The first word that is no option is the program, and all that follows is its own.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "compat/capejail.h"

static int refuse(struct immure_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(struct immure_error *err, const char *format, ...)
{
	va_list args;

	*err = (struct immure_error){ .errnum = 22 /* EINVAL */, .exit_code = 125 };
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return -1;
}

static int set(struct capejail *jail, const char *key, const char *value, const char *where, struct immure_error *err)
{
	return immure_spec_set(jail->spec, key, value, where, err) < 0 ? -1 : 0;
}

static int note_help(struct capejail *jail, const char *value, struct immure_error *err)
{
	(void)value;
	(void)err;
	jail->wants_help = true;
	return 0;
}

static int note_unfiltered(struct capejail *jail, const char *value, struct immure_error *err)
{
	(void)value;
	(void)err;
	jail->is_unfiltered = true;
	return 0;
}

static int note_user(struct capejail *jail, const char *value, struct immure_error *err)
{
	if (!*value)
		return refuse(err, "-u: the name is empty");
	jail->user = value;
	return 0;
}

/* "empty" alone would be no directory to immure. */
static int note_root(struct capejail *jail, const char *value, struct immure_error *err)
{
	if (!*value)
		return refuse(err, "-r: the name of the directory is empty");
	jail->has_root = true;
	return set(jail, "root", strcmp(value, "empty") == 0 ? "./empty" : value, "-r", err);
}

/* A name alone would mean the caller's value to immure; here nothing comes from outside. */
static int note_variable(struct capejail *jail, const char *value, struct immure_error *err)
{
	if (*value == '=' || !strchr(value, '='))
		return refuse(err, "-e %s: it wants KEY=VALUE", value);
	jail->has_prompt |= strncmp(value, "PS1=", 4) == 0;
	return set(jail, "env", value, "-e", err);
}

const struct capejail_option capejail_options[] = {
	{ 'r', "ROOT", NULL, NULL, note_root, "the directory that is the program's root, shown as it is (default: the host's own)" },
	{ 'd', "DIR", "workdir", NULL, NULL, "the directory inside to start in (default: /)" },
	{ 'u', "USER", "user", NULL, note_user, "who the program is: a name of the root's /etc/passwd, or a number (default: an id of its own)" },
	{ 'e', "KEY=VALUE", NULL, NULL, note_variable, "a variable of its environment, which is empty else; may be repeated" },
	{ 'n', NULL, "net", "none", NULL, "no network (default: the host's)" },
	{ 'I', NULL, "seccomp", "off", note_unfiltered, "insecure: no system call filter" },
	{ 'h', NULL, NULL, NULL, note_help, "this help" },
	{ 0 },
};

static const struct capejail_option *find_option(char letter)
{
	for (const struct capejail_option *option = capejail_options; option->letter; option++)
		if (option->letter == letter)
			return option;
	return NULL;
}

static int apply(struct capejail *jail, const struct capejail_option *option, const char *value, struct immure_error *err)
{
	const char where[] = { '-', option->letter, '\0' };

	if (option->note && option->note(jail, value, err) < 0)
		return -1;
	return option->key ? set(jail, option->key, option->value ? option->value : value, where, err) : 0;
}

/* One word of letters; NEXT is the word behind it, NULL at the end. Returns how many words were taken. */
static int read_letters(struct capejail *jail, const char *word, const char *next, struct immure_error *err)
{
	for (const char *at = word + 1; *at; at++) {
		const struct capejail_option *option = find_option(*at);
		const char *value = at[1] ? at + 1 : next;

		if (!option)
			return refuse(err, "there is no option \"-%c\"; -h lists them", *at);
		if (!option->metavar && apply(jail, option, NULL, err) < 0)
			return -1;
		if (!option->metavar)
			continue;
		if (!value)
			return refuse(err, "-%c wants a value: %s", *at, option->metavar);
		return apply(jail, option, value, err) < 0 ? -1 : value == next ? 2 : 1;
	}
	return 1;
}

/* A list of settings ends with a row without a key. */
struct setting {
	const char *key, *value;
};

/* What the launcher is for; what a word says about the same comes later, and wins. */
static const struct setting always[] = {
	{ "userns", "host" },         /* minimal kernels have none, and root needs none */
	{ "utsns", "host" },          /* the host's name is no secret, and cannot be changed from inside */
	{ "net", "host" },
	{ "workdir", "/" },
	{ "unset-env", "PATH" },      /* in the usual PATH the program is looked for, unless -e says otherwise; what it gets is -e and the prompt */
	{ "unset-env", "HOME" },
	{ "unset-env", "USER" },
	{ "unset-env", "TERM" },
	{ "unset-env", "LANG" },
	{ "pids", "none" },
	{ "seccomp", "enclave" },
	{ "seccomp-action", "kill" },
	{ "leave", "owners" },        /* files belong to whom they belong: as a chroot shows them */
	{ 0 },
};

/* ROOT is the operator's work: what stands in its /dev and /proc is what there is. */
static const struct setting with_root[] = {
	{ "root-mode", "rw-dev" }, { "proc", "none" }, { "dev", "none" }, { 0 },
};

/* The host's own /proc and /dev would show the host's processes and devices. */
static const struct setting without_root[] = {
	{ "root", "/" }, { "root-mode", "rw" }, { "proc", "new" }, { "dev", "minimal" }, { 0 },
};

/* The group and groups that the account has. */
static const struct setting with_user[] = {
	{ "group", "@user" }, { "groups", "@user" }, { 0 },
};

static const struct setting prompt_of_root[] = { { "env", "PS1=[jail]# " }, { 0 } };
static const struct setting prompt[] = { { "env", "PS1=[jail]$ " }, { 0 } };
static const struct setting as_host_root[] = { { "allow-host-root", "yes" }, { 0 } };

static int set_all(struct capejail *jail, const struct setting *setting, struct immure_error *err)
{
	for (; setting->key; setting++)
		if (set(jail, setting->key, setting->value, "immure-capejail", err) < 0)
			return -1;
	return 0;
}

int capejail_read(struct capejail *jail, int count, char *const words[], struct immure_error *err)
{
	int at = 0;

	if (set_all(jail, always, err) < 0)
		return -1;
	while (at < count && !jail->wants_help && words[at][0] == '-' && words[at][1]) {
		int used;

		if (strcmp(words[at], "--") == 0)
			return at + 1;
		if (strcmp(words[at], "--help") == 0)
			used = note_help(jail, NULL, err) + 1;
		else if (words[at][1] == '-')
			return refuse(err, "there is no option \"%s\"; -h lists them", words[at]);
		else
			used = read_letters(jail, words[at], at + 1 < count ? words[at + 1] : NULL, err);
		if (used < 0)
			return -1;
		at += used;
	}
	return at;
}

bool capejail_is_host_root(const struct capejail *jail)
{
	const char *user = jail->user;

	return user && (strcmp(user, "root") == 0 || (*user == '0' && !user[strspn(user, "0")]));
}

int capejail_settle(struct capejail *jail, struct immure_error *err)
{
	const bool is_host_root = capejail_is_host_root(jail);

	if (set_all(jail, jail->has_root ? with_root : without_root, err) < 0)
		return -1;
	if (jail->user && set_all(jail, with_user, err) < 0)
		return -1;
	if (is_host_root && set_all(jail, as_host_root, err) < 0)
		return -1;
	return jail->has_prompt ? 0 : set_all(jail, is_host_root ? prompt_of_root : prompt, err);
}

void capejail_print_usage(const char *own_name)
{
	printf("usage: %s [OPTION...] [--] PROGRAM [ARGUMENT...]\n\nRuns PROGRAM as an ordinary user in a jail made for secure enclaves: "
	       "a root of its own, its own\nprocesses, a list of permitted system calls. Any other call kills it. Must be started by root.\n\n",
	       own_name);
	for (const struct capejail_option *option = capejail_options; option->letter; option++)
		printf("  -%c %-10s %s\n", option->letter, option->metavar ? option->metavar : "", option->help);
	printf("\nIMMURE_EXPLAIN=1 (or json) prints what would be done instead. man immure-capejail has the rest.\n");
}
