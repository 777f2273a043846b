/* SPDX-License-Identifier: Apache-2.0 */
/* immure doctor: what this machine allows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum wish { WISH_TABLE, WISH_JSON, WISH_FACTS };

static int print_facts(void)
{
	struct immure_error err;
	char *text;

	if (immure_facts(&text, &err) < 0)
		return complain(&err);
	fputs(text, stdout);
	free(text);
	return 0;
}

int cli_doctor(int argc, char *argv[])
{
	enum wish wish = WISH_TABLE;
	struct immure_error err;
	int works = 0;
	char *text;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") != 0 && strcmp(argv[i], "--facts") != 0) {
			fprintf(stderr, "immure: doctor: there is no option \"%s\"; it has --json and --facts\n", argv[i]);
			return 125;
		}
		wish = argv[i][2] == 'j' ? WISH_JSON : WISH_FACTS;
	}
	if (wish == WISH_FACTS)
		return print_facts();
	if (immure_doctor(wish == WISH_JSON ? IMMURE_JSON : IMMURE_TEXT, &text, &works, &err) < 0)
		return complain(&err);
	fputs(text, stdout);
	free(text);
	return works ? 0 : 1;
}
