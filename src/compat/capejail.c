/* SPDX-License-Identifier: Apache-2.0 */
/*
 * immure-capejail: words in, a jail, exit code out. Root starts it, on kernels that may have no user namespaces; the
 * program is an ordinary user inside a root that is shown as it is. The words are understood in capejail_words.c.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compat/capejail.h"
#include "compat/explain.h"

static const char *last_part(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path ? path : "immure-capejail";
}

/* What to try where the library's remedy names options that are not to be had here. */
static const struct {
	const char *id, *remedy;
} remedies[] = {
	{ "E-EXEC-MISSING", "the program, or its interpreter, must exist inside the root" },
	{ "E-PROC-MASKED", "parts of /proc are masked here (a container?); -r DIR is shown without a new /proc" },
};

static int complain(const char *own_name, const struct immure_error *err)
{
	/* The remedy in the library names an option of immure's own. */
	if (strcmp(err->id, "E-HOST-ROOT") == 0) {
		fprintf(stderr, "%s: -u: this account is the host's root\n  try: another one; or say -u root, and mean it  [E-HOST-ROOT]\n",
			own_name);
		return err->exit_code;
	}
	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++) {
		if (strcmp(err->id, remedies[i].id) != 0)
			continue;
		fprintf(stderr, "%s: %.*s\n  try: %s  [%s]\n", own_name, (int)strcspn(err->text, "\n"), err->text, remedies[i].remedy, err->id);
		return err->exit_code;
	}
	fprintf(stderr, "%s: %s\n", own_name, err->text);
	return err->exit_code;
}

static void warn(const char *own_name, const struct capejail *jail)
{
	if (jail->is_unfiltered)
		fprintf(stderr, "%s: warning: -I: NO SYSTEM CALL FILTER is in force; never use this for programs that you do not trust\n",
			own_name);
	if (capejail_is_host_root(jail))
		fprintf(stderr, "%s: warning: -u %s: the program has the host's root id, which is hardly confined\n", own_name, jail->user);
}

static int explain(const char *own_name, struct immure_spec *spec, enum immure_format format)
{
	struct immure_error err;

	return explain_print(spec, format, &err) < 0 ? complain(own_name, &err) : 0;
}

static int run(const char *own_name, struct immure_spec *spec)
{
	struct immure_result *result = NULL;
	struct immure_error err;
	const char *line;
	int exit_code;

	if (immure_run(spec, &result, &err) < 0) {
		exit_code = complain(own_name, &err);
	} else {
		exit_code = immure_result_exit_code(result);
		for (line = immure_result_remark(result); *line; line += strcspn(line, "\n") + 1)
			fprintf(stderr, "%s: %.*s\n", own_name, (int)strcspn(line, "\n"), line);
	}
	immure_result_free(result);
	return exit_code;
}

/* An ordinary user could have a user namespace, but no second user: the program would own whatever its caller owns. */
static int refuse_caller(const char *own_name)
{
	fprintf(stderr, "%s: only root can start it: the program becomes another user, and without root it would stay its caller\n"
		"  try: sudo; or \"immure run --root DIR --seccomp enclave\", which confines its own user\n", own_name);
	return 125;
}

static int act(struct capejail *jail, const char *own_name, char *command[])
{
	enum immure_format format;
	struct immure_error err;

	if (!command[0]) {
		fprintf(stderr, "%s: there is no program to run\n  try: %s -h\n", own_name, own_name);
		return 125;
	}
	if (geteuid() != 0)
		return refuse_caller(own_name);
	if (capejail_settle(jail, &err) < 0 || immure_spec_command(jail->spec, command, &err) < 0)
		return complain(own_name, &err);
	if (explain_is_asked(&format))
		return explain(own_name, jail->spec, format);
	warn(own_name, jail);
	return run(own_name, jail->spec);
}

int capejail_main(int argc, char *argv[])
{
	const char *own_name = last_part(argc > 0 ? argv[0] : NULL);
	struct capejail jail = { .spec = immure_spec_new() };
	struct immure_error err = { .exit_code = 125, .text = "no memory" };
	int used = jail.spec ? capejail_read(&jail, argc > 0 ? argc - 1 : 0, argv + 1, &err) : -1;
	int exit_code = 0;

	if (used < 0)
		exit_code = complain(own_name, &err);
	else if (jail.wants_help)
		capejail_print_usage(own_name);
	else
		exit_code = act(&jail, own_name, argv + 1 + used);
	immure_spec_free(jail.spec);
	return exit_code;
}
