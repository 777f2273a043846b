/* SPDX-License-Identifier: Apache-2.0 */
/* IMMURE_EXPLAIN=1 or =json: what immure would do, for who knows the words of another tool. */
#include "compat/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool is_switched_on(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value && strcmp(value, "0") != 0;
}

bool explain_is_asked(enum immure_format *format)
{
	const char *value = getenv("IMMURE_EXPLAIN");

	*format = value && strcmp(value, "json") == 0 ? IMMURE_JSON : IMMURE_TEXT;
	return is_switched_on("IMMURE_EXPLAIN");
}

int explain_print(struct immure_spec *spec, enum immure_format format, struct immure_error *err)
{
	char *text;
	int rc = immure_explain(spec, format, &text, err);

	if (rc < 0)
		return rc;
	if (fputs(text, stdout) == EOF || fflush(stdout) == EOF)
		rc = -errno;
	free(text);
	if (rc < 0) {
		*err = (struct immure_error){ .errnum = -rc, .exit_code = 125 };
		snprintf(err->text, sizeof(err->text), "the plan cannot be written: %s", strerror(-rc));
	}
	return rc;
}
