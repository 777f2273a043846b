/* SPDX-License-Identifier: Apache-2.0 */
/* immure pod create|ps|stop|rm: jails that belong together. */
#include <stdio.h>
#include <string.h>

#include "cli/options.h"
#include "cli/words.h"

const struct verb_option pod_options[] = {
	{ "share", 0, "KINDS", "create: what its jails have in common, such as net,ipc" },
	{ "time", 't', "TIME", "stop: how long each may take until it is killed (default: 10s)" },
	{ "force", 'f', NULL, "rm: kill its jails before" },
	{ "json", 0, NULL, "ps: as JSON" },
	{ 0 },
};

enum { SHARE, TIME, FORCE, JSON };
enum { GRACE_MS = 10000 };

static int create(const struct words *words)
{
	struct immure_error err;
	const char *share = words->chosen[SHARE].count ? words->chosen[SHARE].value : "";

	if (immure_pod_create(words->argv[1], share, &err) < 0)
		return complain(&err);
	puts(words->argv[1]);
	return 0;
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
	} acts[] = { { "create", 2, create }, { "ps", 1, list }, { "stop", 2, stop }, { "rm", 2, remove_pod } };
	const struct verb *verb = verb_of_name("pod");
	struct nearest nearest;
	struct words words;
	int rc = take_words(verb, argc, argv, &(struct bounds){ 1, 2, 1 }, &words);

	if (rc)
		return rc;
	nearest = nearest_to(words.argv[0]);
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		nearest_offer(&nearest, acts[i].name);
		if (strcmp(acts[i].name, words.argv[0]) == 0 && acts[i].words == words.argc)
			return acts[i].run(&words);
		if (strcmp(acts[i].name, words.argv[0]) == 0) {
			fprintf(stderr, "immure: usage: immure %s\n", verb->synopsis);
			return 125;
		}
	}
	return complain_unknown("act of pod", &nearest, "immure help pod");
}
