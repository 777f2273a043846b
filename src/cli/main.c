/* SPDX-License-Identifier: Apache-2.0 */
/* The full executable: finds the verb. */
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/words.h"

const struct verb verbs[] = {
	{ "run", cli_run, "run [OPTION...] [--] PROGRAM [ARGUMENT...]", "run a program, walled in" },
	{ "explain", cli_explain, "explain [OPTION...] [--] PROGRAM [ARGUMENT...]", "say what run would do, step by step; nothing is run" },
	{ "ps", cli_ps, "ps [--all] [--json]", "the jails that stay, and how they are", ps_options },
	{ "exec", cli_exec, "exec [-it] [-u USER] [OPTION...] JAIL [--] PROGRAM [ARGUMENT...]",
	  "run another program in a jail, confined as the jail's own", exec_options, ONE_JAIL },
	{ "attach", cli_attach, "attach [OPTION...] JAIL", "join this terminal with a jail's, or look on", attach_options, ONE_JAIL },
	{ "logs", cli_logs, "logs [OPTION...] JAIL", "what a jail has written", logs_options, ONE_JAIL },
	{ "cp", cli_cp, "cp JAIL:PATH PATH | PATH JAIL:PATH", "copy a file or a folder out of a jail, or into it", NULL, ONE_JAIL, 1 },
	{ "pause", cli_pause, "pause JAIL...", "stop all that runs in a jail, until resume", NULL, ANY_JAILS },
	{ "resume", cli_resume, "resume JAIL...", "let a paused jail go on", NULL, ANY_JAILS },
	{ "signal", cli_signal, "signal JAIL SIGNAL", "send a signal to the program of a jail", NULL, ONE_JAIL },
	{ "stop", cli_stop, "stop [--time TIME] JAIL...", "ask a jail's program to end, and kill the jail when it does not in time", stop_options, ANY_JAILS },
	{ "kill", cli_kill, "kill JAIL...", "end a jail at once", NULL, ANY_JAILS },
	{ "wait", cli_wait, "wait [--healthy] [--timeout TIME] JAIL", "wait until a jail has ended, with its program's exit code, or until it is healthy",
	  wait_options, ONE_JAIL },
	{ "rm", cli_rm, "rm [--force] JAIL...", "remove jails that have ended, with their logs", rm_options, ANY_JAILS },
	{ "stats", cli_stats, "stats [--json] [JAIL]", "what jails use of memory and processors", stats_options, ONE_JAIL },
	{ "inspect", cli_inspect, "inspect [--spec] JAIL", "all that is known of a jail, as JSON: its state, what was asked, its plan", inspect_options, ONE_JAIL },
	{ "events", cli_events, "events [--follow]", "what happened to jails, and what happens, as lines of JSON", events_options },
	{ "pod", cli_pod, "pod create|ps|stop|rm [OPTION...] [POD]", "jails that belong together: run --pod POD makes one a member",
	  pod_options },
	{ "console", cli_console, "console [--keep-going] [FILE]", "verbs typed line by line, with completion and history, or read from a file",
	  console_options, 0, 1 },
	{ "doctor", cli_doctor, "doctor [--json | --facts]", "what this machine allows, and what to do where it does not" },
	{ "gc", cli_gc, "gc", "undo what runs that were killed have left on the host" },
	{ "presets", cli_presets, "presets [NAME]", "the shipped sets of settings, or one of them as a policy file" },
	{ "profiles", cli_profiles, "profiles [NAME]", "the shipped system call filters, or one of them with its reasons" },
	{ "schema", cli_schema, "schema", "a JSON Schema of policy files" },
	{ "completion", cli_completion, "completion [bash|zsh|fish]", "what a shell reads to complete immure's words" },
	{ "help", cli_help, "help [VERB|OPTION|TOPIC]", "this help, a verb's options, or what an option or an error identifier means" },
	{ "version", cli_version, "version", "the version" },
	{ 0 },
};

const struct verb *verb_of_name(const char *name)
{
	for (const struct verb *verb = verbs; verb->name; verb++)
		if (strcmp(verb->name, name) == 0)
			return verb;
	return NULL;
}

static const struct verb *find_verb(const char *name, struct nearest *nearest)
{
	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (strcmp(verb->name, name) == 0)
			return verb;
		nearest_offer(nearest, verb->name);
	}
	return NULL;
}

static int run_words(int argc, char *argv[])
{
	const struct verb *verb;
	struct nearest nearest;

	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return cli_help(0, NULL);
	if (strcmp(argv[1], "--version") == 0)
		return cli_version(0, NULL);
	if (argc == 3 && strcmp(argv[1], "keeper") == 0) /* nobody types it: immure starts itself so */
		return immure_keeper(argv[2]);
	nearest = nearest_to(argv[1]);
	verb = find_verb(argv[1], &nearest);
	if (!verb)
		return complain_unknown("verb", &nearest, "immure help");
	if (argc > 2 && strcmp(argv[2], "--help") == 0)
		return cli_help(1, argv + 1);
	return verb->run(argc - 2, argv + 2);
}

int main(int argc, char *argv[])
{
	const int exit_code = run_by_name(argv);

	return exit_code >= 0 ? exit_code : end_output(run_words(argc, argv));
}
