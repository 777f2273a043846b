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
	if (stays(spec)) {
		exit_code = run_staying(spec, 0);
		immure_spec_free(spec);
		return exit_code;
	}
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

/* Words of "explain" itself, before all others: --host FILE, the facts of another machine; --json. Returns how many they are. */
static int read_own_words(int argc, char *argv[], const char **host, enum immure_format *format)
{
	int used = 0;

	*host = NULL;
	*format = IMMURE_TEXT;
	for (; used < argc; used++) {
		if (strcmp(argv[used], "--json") == 0)
			*format = IMMURE_JSON;
		else if (strncmp(argv[used], "--host=", 7) == 0)
			*host = argv[used] + 7;
		else if (strcmp(argv[used], "--host") == 0 && used + 1 < argc)
			*host = argv[++used];
		else
			break;
	}
	return used;
}

int cli_explain(int argc, char *argv[])
{
	const char *host;
	enum immure_format format;
	const int used = read_own_words(argc, argv, &host, &format);
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
	if (immure_explain(spec, format, &text, &err) < 0) {
		exit_code = complain(&err);
	} else {
		fputs(text, stdout);
		free(text);
		exit_code = 0;
	}
	immure_spec_free(spec);
	return exit_code;
}
