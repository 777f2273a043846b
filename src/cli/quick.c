/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quick executable: small, static, and enough for a common "immure run". Whatever needs more (policy files, help,
 * doctor) is handed to the full executable beside it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

static int hand_over(char *argv[])
{
	char path[4096];
	const size_t length = own_path(path, sizeof(path) - strlen("-full"));

	if (length > 0) {
		strcpy(path + length, "-full");
		execv(path, argv);
	}
	fprintf(stderr, "immure: cannot run the full executable %s: %s\n", length > 0 ? path : "beside it", strerror(errno));
	return 125;
}

static int run_or_hand_over(int argc, char *argv[])
{
	struct immure_spec *spec = immure_spec_new();
	struct immure_result *result = NULL;
	struct immure_error err = { .exit_code = 125, .text = "no memory", .errnum = ENOMEM };
	int used = spec ? immure_spec_arguments(spec, argc - 2, argv + 2, &err) : -1;
	int rc = used < 0 ? used : immure_spec_command(spec, argv + 2 + used, &err);

	if (rc == 0 && stays(spec)) {
		rc = run_staying(spec, 1);
		return rc < 0 ? hand_over(argv) : end_output(rc);
	}
	if (rc == 0)
		rc = immure_run(spec, &result, &err);
	if (rc < 0 && err.errnum == ENOTSUP)
		return hand_over(argv);
	if (rc < 0)
		rc = complain(&err);
	else if (result)
		rc = immure_result_exit_code(result);
	if (result)
		remark(result);
	return rc; /* the process ends: nothing is freed one by one */
}

/* All but what concerns a whole pod, which is answered by -1. */
int cli_exec(int argc, char *argv[])
{
	return exec_by_words(argc, argv, NULL);
}

/* Reading words puts them into another order, so it is done to a copy. */
static int exec_or_hand_over(int argc, char *argv[])
{
	char **words = malloc((size_t)(argc - 1) * sizeof(*words));
	int exit_code = -1;

	if (words) {
		memcpy(words, argv + 2, (size_t)(argc - 1) * sizeof(*words));
		exit_code = cli_exec(argc - 2, words);
	}
	return exit_code < 0 ? hand_over(argv) : exit_code;
}

int main(int argc, char *argv[])
{
	const int exit_code = run_by_name(argv);

	if (exit_code >= 0)
		return exit_code;
	if (argc == 3 && strcmp(argv[1], "keeper") == 0)
		return immure_keeper(argv[2]);
	if (argc > 2 && strcmp(argv[1], "run") == 0 && strcmp(argv[2], "--help") != 0)
		return run_or_hand_over(argc, argv);
	if (argc > 2 && strcmp(argv[1], "exec") == 0 && strcmp(argv[2], "--help") != 0)
		return exec_or_hand_over(argc, argv);
	return hand_over(argv);
}
