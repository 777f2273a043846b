/* SPDX-License-Identifier: Apache-2.0 */
/* immure-bwrap: bubblewrap's command line, done by immure. Everything of its own that goes wrong is exit code 1. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat/bwrap.h"
#include "compat/explain.h"

static int fail(const struct bwrap *bwrap)
{
	bwrap_print(bwrap, 3, bwrap->error);
	return EXIT_FAILURE;
}

static int explain(const struct bwrap *bwrap, struct immure_spec *spec, enum immure_format format)
{
	struct immure_error err;

	if (explain_print(spec, format, &err) == 0)
		return EXIT_SUCCESS;
	bwrap_complain(bwrap, &err, NULL, NULL);
	return EXIT_FAILURE;
}

/* What there is to say of a hardened run, without what to try: those are options of immure's. */
static void remark(const struct bwrap *bwrap, const char *lines)
{
	while (*lines) {
		const int length = (int)strcspn(lines, "\n");
		const char *end = strstr(lines, "  try: ");
		char line[512];

		snprintf(line, sizeof(line), "%.*s", end && end < lines + length ? (int)(end - lines) : length, lines);
		bwrap_print(bwrap, 4, line);
		lines += length + (lines[length] == '\n');
	}
}

static int run(const struct bwrap *bwrap, struct immure_spec *spec, const char *program)
{
	struct immure_result *result = NULL;
	struct immure_error err;
	int exit_code = EXIT_FAILURE;

	if (immure_run(spec, &result, &err) < 0)
		bwrap_complain(bwrap, &err, result ? immure_result_failed_step(result) : NULL, program);
	else
		exit_code = immure_result_exit_code(result);
	if (result && bwrap->caller->is_hardened)
		remark(bwrap, immure_result_remark(result));
	immure_result_free(result);
	return exit_code;
}

static int prepare(const struct bwrap *bwrap, struct immure_spec *spec, char *const command[])
{
	struct immure_error err;

	if (bwrap_tell(bwrap, spec, &err) == 0 && immure_spec_command(spec, command, &err) == 0)
		return 0;
	bwrap_complain(bwrap, &err, NULL, NULL);
	return -1;
}

static int run_command(struct bwrap *bwrap, char *const command[])
{
	enum immure_format format;
	struct immure_spec *spec = immure_spec_new();
	int exit_code = EXIT_FAILURE;

	if (!spec) {
		bwrap_refuse(bwrap, "no memory");
		return fail(bwrap);
	}
	if (prepare(bwrap, spec, command) == 0)
		exit_code = explain_is_asked(&format) ? explain(bwrap, spec, format) : run(bwrap, spec, command[0]);
	return exit_code; /* the process ends: to give memory back would touch pages that init shares, and copy them */
}

int main(int argc, char *argv[])
{
	struct bwrap_caller caller;
	struct bwrap bwrap;
	int used;

	signal(SIGCHLD, SIG_DFL); /* where it is ignored nobody could wait for a child */
	bwrap_find_caller(&caller);
	bwrap_init(&bwrap, &caller, argv[0]);
	if (geteuid() != caller.uid) {
		bwrap_refuse(&bwrap, "Unexpected setuid: immure-bwrap wants no setuid bit; take it away");
		return fail(&bwrap);
	}
	used = argc > 1 ? bwrap_read(&bwrap, argc - 1, argv + 1) : 0;
	if (used < 0)
		return fail(&bwrap);
	if (bwrap.is_answered)
		return EXIT_SUCCESS;
	bwrap_find_kinds(&caller, &bwrap);
	if (argc > 1 && bwrap_check(&bwrap) < 0)
		return fail(&bwrap);
	if (used >= argc - 1) {
		bwrap_print_usage(stderr, bwrap.own_name);
		return EXIT_FAILURE;
	}
	if (bwrap_check_sources(&bwrap) < 0 || bwrap_close_consumed(&bwrap) < 0)
		return fail(&bwrap);
	return run_command(&bwrap, argv + 1 + used);
}
