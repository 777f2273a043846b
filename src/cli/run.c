/* SPDX-License-Identifier: Apache-2.0 */
/* immure run, immure explain: words in, exit code out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

struct immure_spec *spec_from_words(int argc, char *argv[], int *exit_code)
{
	struct immure_spec *spec = immure_spec_new();
	struct immure_error err = { .exit_code = 125, .text = "no memory" };
	int used = spec ? immure_spec_arguments(spec, argc, argv, &err) : -1;

	if (used >= 0 && immure_spec_command(spec, argv + used, &err) == 0)
		return spec;
	*exit_code = complain(&err);
	immure_spec_free(spec);
	return NULL;
}

int cli_run(int argc, char *argv[])
{
	struct immure_result *result = NULL;
	struct immure_error err;
	int exit_code, rc;
	struct immure_spec *spec = spec_from_words(argc, argv, &exit_code);

	if (!spec)
		return exit_code;
	rc = immure_run(spec, &result, &err);
	if (rc < 0)
		exit_code = complain(&err);
	else
		exit_code = immure_result_exit_code(result);
	if (rc == 0)
		remark(result);
	immure_result_free(result);
	immure_spec_free(spec);
	return exit_code;
}

/* --host FILE before all others: the facts of another machine. Returns how many words it takes. */
static int find_host(int argc, char *argv[], const char **path)
{
	*path = NULL;
	if (argc > 0 && strncmp(argv[0], "--host=", 7) == 0) {
		*path = argv[0] + 7;
		return 1;
	}
	if (argc < 2 || strcmp(argv[0], "--host") != 0)
		return 0;
	*path = argv[1];
	return 2;
}

int cli_explain(int argc, char *argv[])
{
	const char *host;
	const int used = find_host(argc, argv, &host);
	struct immure_error err;
	int exit_code;
	struct immure_spec *spec = spec_from_words(argc - used, argv + used, &exit_code);
	char *text;

	if (!spec)
		return exit_code;
	if (host && immure_spec_host(spec, host, &err) < 0) {
		immure_spec_free(spec);
		return complain(&err);
	}
	if (immure_explain(spec, IMMURE_TEXT, &text, &err) < 0) {
		exit_code = complain(&err);
	} else {
		fputs(text, stdout);
		free(text);
		exit_code = 0;
	}
	immure_spec_free(spec);
	return exit_code;
}
