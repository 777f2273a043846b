/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/cli only: verbs. */
#ifndef IMMURE_CLI_CLI_H
#define IMMURE_CLI_CLI_H

#include "immure.h"

/* An option of a verb's own; those of run and explain are the library's. */
struct verb_option {
	const char *name;
	char letter;         /* 0: none */
	const char *metavar; /* NULL: it has no value */
	const char *help;
};

/* A verb gets the words after its name; returns the exit code. */
struct verb {
	const char *name;
	int (*run)(int argc, char *argv[]);
	const char *synopsis, *help;
	const struct verb_option *options; /* ended by a row without a name; NULL: none */
	int names_jail;      /* its first word is a jail's name, or each */
	int names_file;      /* its words may be files of the host */
};
enum { ONE_JAIL = 1, ANY_JAILS };

/* Ended by a row without a name. */
extern const struct verb verbs[];

int cli_run(int argc, char *argv[]);
int cli_explain(int argc, char *argv[]);
int cli_doctor(int argc, char *argv[]);
extern const struct verb exec_verb;
int cli_exec(int argc, char *argv[]);
int cli_ps(int argc, char *argv[]);
int cli_attach(int argc, char *argv[]);
int cli_logs(int argc, char *argv[]);
int cli_cp(int argc, char *argv[]);
int cli_pod(int argc, char *argv[]);
extern const char *const pod_acts[]; /* ended by NULL */
int cli_events(int argc, char *argv[]);
int cli_pause(int argc, char *argv[]);
int cli_resume(int argc, char *argv[]);
int cli_signal(int argc, char *argv[]);
int cli_stop(int argc, char *argv[]);
int cli_kill(int argc, char *argv[]);
int cli_wait(int argc, char *argv[]);
int cli_rm(int argc, char *argv[]);
int cli_stats(int argc, char *argv[]);
int cli_inspect(int argc, char *argv[]);
int cli_console(int argc, char *argv[]);
extern const struct verb_option exec_options[], ps_options[], stats_options[], attach_options[], logs_options[], stop_options[], wait_options[], inspect_options[], rm_options[], pod_options[],
	events_options[], console_options[];

int cli_gc(int argc, char *argv[]);
int cli_presets(int argc, char *argv[]);
int cli_profiles(int argc, char *argv[]);
int cli_schema(int argc, char *argv[]);
int cli_completion(int argc, char *argv[]);
/* Of an option of run: whether files of the host fit as its value. */
int takes_file(const struct immure_option *option);
int cli_help(int argc, char *argv[]);
int cli_version(int argc, char *argv[]);

/* Prints "immure: ..." on stderr; returns the exit code of ERR. */
int complain(const struct immure_error *err);
/* Prints on stderr what there is to say of a run that its exit code does not. */
void remark(const struct immure_result *result);
/* Once all is printed: it may not have been taken, as on a full disk, which is told, and 125 for 0. Of a reader who is gone nothing is. */
int end_output(int exit_code);

/* The path of this executable, or ""; returns its length. */
size_t own_path(char *path, size_t room);
/* That of NAME in the same folder, in the same way. */
size_t path_beside(const char *name, char *path, size_t room);
/* Becomes it. Only returns when that did not work: it was complained about. */
void run_beside(const char *executable, char *argv[]);
/* Called by another tool's name, becomes the front end that speaks its language. Returns the exit code if that cannot be; -1:
 * the name is immure's own. */
int run_by_name(char *argv[]);

/* Whether the spec asks for a jail that stays; then it is run so. */
int stays(struct immure_spec *spec);
/* -1: this executable cannot do what is asked, and MAY_LEAVE_IT to another; nothing was said. */
int run_staying(struct immure_spec *spec, int may_leave_it);
/* How being attached, or a program that was brought into a jail, ended: says what there is to say, and returns the exit code. */
int report_end(const char *name, const struct immure_end *end);

/* Executes in one jail; the exit code. */
int exec_in(const char *name, const struct immure_exec *exec);
/* What --pod asks for; LEFT_OUT: names, NULL-terminated. Only the full executable knows of pods: without one the answer is -1. */
typedef int exec_in_pod(const char *pod, const char *const *left_out, const struct immure_exec *exec);
int exec_by_words(int argc, char *argv[], exec_in_pod *in_pod);

/* A spec from the words: options, then the command. NULL: it was complained about. *EXIT_CODE then says what to return. */
struct immure_spec *spec_from_words(int argc, char *argv[], int *exit_code);

#endif
