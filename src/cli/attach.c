/* SPDX-License-Identifier: Apache-2.0 */
/* immure attach: joins the caller's terminal with a jail that stays. */
#include <string.h>

#include "cli/options.h"

const struct verb_option attach_options[] = {
	{ "no-input", 0, NULL, "only look on: nothing is typed" },
	{ "no-replay", 0, NULL, "without what was written before" },
	{ "end-input", 0, NULL, "the end of standard input is the end of the program's input" },
	{ "detach-keys", 0, "KEYS", "leave by these, or none (default: ctrl-p,ctrl-q)" },
	{ 0 },
};

enum { NO_INPUT, NO_REPLAY, END_INPUT, DETACH_KEYS };

const char *read_detach_keys(const struct chosen *chosen)
{
	if (!chosen->count)
		return "ctrl-p,ctrl-q";
	return strcmp(chosen->value, "none") == 0 ? "" : chosen->value;
}

int cli_attach(int argc, char *argv[])
{
	struct words words;
	struct immure_jail *jail = NULL;
	struct immure_error err;
	struct immure_end end;
	unsigned flags = 0;
	int exit_code = take_words(verb_of_name("attach"), argc, argv, &(struct bounds){ 1, 1, 1 }, &words);

	if (exit_code)
		return exit_code;
	flags |= words.chosen[NO_INPUT].count ? 0 : IMMURE_ATTACH_INPUT;
	flags |= words.chosen[NO_REPLAY].count ? 0 : IMMURE_ATTACH_REPLAY;
	flags |= words.chosen[END_INPUT].count ? IMMURE_ATTACH_ENDS_INPUT : 0;
	if (immure_jail_open(words.argv[0], &jail, &err) < 0 ||
	    immure_jail_attach(jail, flags, read_detach_keys(&words.chosen[DETACH_KEYS]), &end, &err) < 0)
		exit_code = complain(&err);
	else
		exit_code = report_end(words.argv[0], &end);
	immure_jail_close(jail);
	return exit_code;
}
