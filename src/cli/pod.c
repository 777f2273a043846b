/* SPDX-License-Identifier: Apache-2.0 */
/* immure pod create|ps|stop|rm: jails that belong together. */
#include <stdio.h>
#include <string.h>

#include "cli/options.h"
#include "cli/words.h"

const struct verb_option pod_options[] = {
	{ "share", 0, "KINDS", "create: what its jails have in common, such as net,ipc; options of run shape it" },
	{ "time", 't', "TIME", "stop: how long each may take until it is killed (default: 10s)" },
	{ "force", 'f', NULL, "rm: kill its jails before" },
	{ "json", 0, NULL, "ps: as JSON" },
	{ 0 },
};

const char *const pod_acts[] = { "create", "ps", "stop", "rm", NULL };

enum { SHARE, TIME, FORCE, JSON };
enum { GRACE_MS = 10000 };

/* What is not --share are options of run, which shape what is shared. */
static int create(int argc, char *argv[])
{
	struct immure_spec *spec = immure_spec_new();
	struct immure_error err = { .exit_code = 125, .text = "no memory" };
	const char *share = "";
	int kept = 1, used, exit_code = 0;

	for (int at = 1; at < argc; at++) {
		if (strncmp(argv[at], "--share=", 8) == 0)
			share = argv[at] + 8;
		else if (strcmp(argv[at], "--share") == 0 && at + 1 < argc)
			share = argv[++at];
		else
			argv[kept++] = argv[at];
	}
	used = spec ? immure_spec_arguments(spec, kept - 1, argv + 1, &err) : -1;
	if (used >= 0 && used < kept - 1) {
		fprintf(stderr, "immure: pod create: what is \"%s\"?\n", argv[1 + used]);
		exit_code = 125;
	} else if (used < 0 || immure_pod_create(spec, argv[0], share, &err) < 0) {
		exit_code = complain(&err);
	} else {
		puts(argv[0]);
	}
	immure_spec_free(spec);
	return exit_code;
}

static int see_row(void *argument, const struct immure_pod_info *info)
{
	(void)argument;
	printf("%-20s  %-8s  %u\n", info->name, info->state, info->jails);
	return 0;
}

static int see_json(void *argument, const struct immure_pod_info *info)
{
	const char **separator = argument;

	printf("%s%s", *separator, info->json);
	*separator = ",\n ";
	return 0;
}

static int list(const struct words *words)
{
	const char *separator = "";
	struct immure_error err;
	int rc;

	printf(words->chosen[JSON].count ? "[" : "POD                   STATE     JAILS\n");
	rc = immure_pods(words->chosen[JSON].count ? see_json : see_row, &separator, &err);
	if (words->chosen[JSON].count)
		printf("]\n");
	return rc < 0 ? complain(&err) : 0;
}

static int stop(const struct words *words)
{
	const long long grace_ms = words->chosen[TIME].count ? read_milliseconds(words->chosen[TIME].value, "--time") : GRACE_MS;
	struct immure_error err;

	if (grace_ms < 0)
		return 125;
	return immure_pod_stop(words->argv[1], (uint64_t)grace_ms, &err) < 0 ? complain(&err) : 0;
}

static int remove_pod(const struct words *words)
{
	struct immure_error err;

	return immure_pod_remove(words->argv[1], words->chosen[FORCE].count > 0, &err) < 0 ? complain(&err) : 0;
}

int cli_pod(int argc, char *argv[])
{
	static const struct {
		const char *name;
		int words;
		int (*run)(const struct words *words);
	} acts[] = { { "ps", 1, list }, { "stop", 2, stop }, { "rm", 2, remove_pod } };
	const struct verb *verb = verb_of_name("pod");
	struct nearest nearest;
	struct words words;
	int rc;

	if (argc > 1 && strcmp(argv[0], "create") == 0 && argv[1][0] != '-')
		return create(argc - 1, argv + 1);
	if (argc > 0 && strcmp(argv[0], "create") == 0) {
		fprintf(stderr, "immure: pod create: the pod's name comes first: immure pod create POD [--share KINDS] [OPTION...]\n");
		return 125;
	}
	rc = take_words(verb, argc, argv, &(struct bounds){ 1, 2, 1 }, &words);

	if (rc)
		return rc;
	nearest = nearest_to(words.argv[0]);
	for (const char *const *act = pod_acts; *act; act++)
		nearest_offer(&nearest, *act);
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (strcmp(acts[i].name, words.argv[0]) == 0 && acts[i].words == words.argc)
			return acts[i].run(&words);
		if (strcmp(acts[i].name, words.argv[0]) == 0) {
			fprintf(stderr, "immure: usage: immure %s\n", verb->synopsis);
			return 125;
		}
	}
	return complain_unknown("act of pod", &nearest, "immure help pod");
}
