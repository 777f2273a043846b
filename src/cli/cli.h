/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/cli only: verbs. */
#ifndef IMMURE_CLI_CLI_H
#define IMMURE_CLI_CLI_H

#include "immure.h"

/* A verb gets the words after its name; returns the exit code. */
struct verb {
	const char *name;
	int (*run)(int argc, char *argv[]);
	const char *synopsis, *help;
};

/* Ended by a row without a name. */
extern const struct verb verbs[];

int cli_run(int argc, char *argv[]);
int cli_explain(int argc, char *argv[]);
int cli_doctor(int argc, char *argv[]);
int cli_gc(int argc, char *argv[]);
int cli_presets(int argc, char *argv[]);
int cli_profiles(int argc, char *argv[]);
int cli_schema(int argc, char *argv[]);
int cli_completion(int argc, char *argv[]);
int cli_help(int argc, char *argv[]);
int cli_version(int argc, char *argv[]);

/* Prints "immure: ..." on stderr; returns the exit code of ERR. */
int complain(const struct immure_error *err);
/* Prints on stderr what there is to say of a run that its exit code does not. */
void remark(const struct immure_result *result);

/* The path of this executable, or ""; returns its length. */
size_t own_path(char *path, size_t room);
/* Called by another tool's name, becomes the front end that speaks its language. Returns the exit code if that cannot be; -1:
 * the name is immure's own. */
int run_by_name(char *argv[]);

/* A spec from the words: options, then the command. NULL: it was complained about. *EXIT_CODE then says what to return. */
struct immure_spec *spec_from_words(int argc, char *argv[], int *exit_code);

#endif
