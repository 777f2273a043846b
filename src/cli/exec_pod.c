/* SPDX-License-Identifier: Apache-2.0 */
/* immure exec --pod: a program in jails of a pod, one after the other, in the order of their start. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { STAMP = 32 };
struct member {
	char *name, started[STAMP];
};

struct members {
	const char *pod;
	const char *const *left_out;
	struct member *list;
	size_t count;
	int is_short;      /* of memory */
};

static int is_left_out(const struct members *members, const char *name)
{
	for (const char *const *one = members->left_out; *one; one++)
		if (strcmp(*one, name) == 0)
			return 1;
	return 0;
}

/* One that is paused, or not there yet, is tried: that it cannot be entered is then told. */
static int lives(const char *state)
{
	return strcmp(state, "ended") != 0 && strcmp(state, "lost") != 0;
}

static int see_member(void *argument, const struct immure_jail_info *info)
{
	struct members *members = argument;
	struct member *grown;

	if (strcmp(info->pod, members->pod) != 0 || !lives(info->state) || is_left_out(members, info->name))
		return 0;
	grown = realloc(members->list, (members->count + 1) * sizeof(*grown));
	if (!grown) {
		members->is_short = 1;
		return 1;
	}
	members->list = grown;
	grown[members->count] = (struct member){ .name = strdup(info->name) };
	snprintf(grown[members->count].started, STAMP, "%s", info->started);
	members->is_short |= !grown[members->count++].name;
	return members->is_short;
}

static int by_start(const void *left, const void *right)
{
	return strcmp(((const struct member *)left)->started, ((const struct member *)right)->started);
}

/* The first exit code that is not 0 is that of all. */
static int exec_in_members(const struct members *members, const struct immure_exec *exec)
{
	int exit_code = 0;

	for (size_t i = 0; i < members->count; i++) {
		int one;

		fprintf(stderr, "== %s\n", members->list[i].name);
		one = exec_in(members->list[i].name, exec);
		exit_code = exit_code ? exit_code : one;
	}
	return exit_code;
}

static int in_pod(const char *pod, const char *const *left_out, const struct immure_exec *exec)
{
	struct members members = { .pod = pod, .left_out = left_out };
	struct immure_error err;
	int exit_code = 125, rc = immure_jails(NULL, see_member, &members, &err);

	if (members.is_short) {
		fprintf(stderr, "immure: exec: no memory\n");
	} else if (rc < 0) {
		exit_code = complain(&err);
	} else if (!members.count) {
		fprintf(stderr, "immure: exec: no jail of pod %s runs%s\n", pod, *left_out ? ", but what is left out" : "");
	} else {
		qsort(members.list, members.count, sizeof(*members.list), by_start);
		exit_code = exec_in_members(&members, exec);
	}
	for (size_t i = 0; i < members.count; i++)
		free(members.list[i].name);
	free(members.list);
	return exit_code;
}

int cli_exec(int argc, char *argv[])
{
	return exec_by_words(argc, argv, in_pod);
}
