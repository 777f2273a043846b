/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A libimmure that says what it was told instead of doing it, for tests of front ends: one line for each setting, in order,
 * "KEY=VALUE (WHERE)". Nothing is checked; the setting that RECORDER_REFUSES names fails, RECORDER_FAILS is the identifier with
 * which a run does, and RECORDER_UID is who calls.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "immure.h"

struct immure_spec { int unused; };
struct immure_result { int unused; };

uid_t geteuid(void)
{
	const char *uid = getenv("RECORDER_UID");

	return uid ? (uid_t)atoi(uid) : 0;
}

struct immure_spec *immure_spec_new(void)
{
	return calloc(1, sizeof(struct immure_spec));
}

void immure_spec_free(struct immure_spec *spec)
{
	free(spec);
}

int immure_spec_set(struct immure_spec *spec, const char *key, const char *value, const char *where, struct immure_error *err)
{
	const char *refused = getenv("RECORDER_REFUSES");

	(void)spec;
	if (refused && strcmp(refused, key) == 0) {
		*err = (struct immure_error){ .errnum = EINVAL, .exit_code = 125, .id = "E-TEST", .text = "refused by the recorder" };
		return -EINVAL;
	}
	printf("%s=%s (%s)\n", key, value ? value : "", where ? where : key);
	return 0;
}

int immure_spec_command(struct immure_spec *spec, char *const argv[], struct immure_error *err)
{
	(void)spec;
	(void)err;
	printf("command");
	for (; *argv; argv++)
		printf(" [%s]", *argv);
	printf("\n");
	return 0;
}

int immure_explain(struct immure_spec *spec, enum immure_format format, char **text, struct immure_error *err)
{
	(void)spec;
	(void)err;
	*text = strdup(format == IMMURE_JSON ? "explained as JSON\n" : "explained\n");
	return *text ? 0 : -ENOMEM;
}

int immure_run(struct immure_spec *spec, struct immure_result **result, struct immure_error *err)
{
	const char *id = getenv("RECORDER_FAILS");

	(void)spec;
	printf("run\n");
	*result = calloc(1, sizeof(**result));
	if (!id)
		return 0;
	*err = (struct immure_error){ .errnum = EINVAL, .exit_code = 127, .text = "the story" };
	snprintf(err->id, sizeof(err->id), "%s", id);
	return -EINVAL;
}

void immure_result_free(struct immure_result *result)
{
	free(result);
}

int immure_result_exit_code(const struct immure_result *result)
{
	(void)result;
	return 42;
}

const char *immure_result_remark(const struct immure_result *result)
{
	(void)result;
	return "a remark\nanother\n";
}
