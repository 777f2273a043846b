/* SPDX-License-Identifier: Apache-2.0 */
/* immure events: what happens to jails that stay, a line of JSON each. */
#include <stdio.h>

#include "cli/options.h"

const struct verb_option events_options[] = {
	{ "follow", 'f', NULL, "go on with what happens, until interrupted" },
	{ 0 },
};

static int see(void *argument, const char *line)
{
	(void)argument;
	puts(line);
	return fflush(stdout) == 0 ? 0 : 1; /* nobody reads any more */
}

int cli_events(int argc, char *argv[])
{
	struct words words;
	struct immure_error err;
	int rc = take_words(verb_of_name("events"), argc, argv, &(struct bounds){ 0, 0, 1 }, &words);

	if (rc)
		return rc;
	return immure_events(words.chosen[0].count > 0, see, NULL, &err) < 0 ? complain(&err) : 0;
}
