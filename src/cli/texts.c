/* SPDX-License-Identifier: Apache-2.0 */
/* immure presets, immure profiles: lists what is shipped, or prints one as its file says it. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/words.h"

typedef int (*text_source)(unsigned index, struct immure_text *text);

static void list(text_source source)
{
	struct immure_text text;

	for (unsigned i = 0; source(i, &text) == 0; i++) {
		printf("  %-10s ", text.name);
		print_wrapped(stdout, text.summary, 13, 13);
	}
}

static int list_or_print(text_source source, int argc, char *argv[], const char *what, const char *where_listed)
{
	struct nearest nearest;
	struct immure_text text;

	if (argc == 0) {
		list(source);
		return 0;
	}
	nearest = nearest_to(argv[0]);
	for (unsigned i = 0; source(i, &text) == 0; i++) {
		nearest_offer(&nearest, text.name);
		if (strcmp(text.name, argv[0]) != 0)
			continue;
		fputs(text.text, stdout);
		return 0;
	}
	return complain_unknown(what, &nearest, where_listed);
}

int cli_presets(int argc, char *argv[])
{
	return list_or_print(immure_preset_at, argc, argv, "preset", "immure presets");
}

int cli_profiles(int argc, char *argv[])
{
	return list_or_print(immure_profile_at, argc, argv, "profile", "immure profiles");
}
