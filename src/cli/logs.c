/* SPDX-License-Identifier: Apache-2.0 */
/* immure logs: what a jail that stays has written. */
#include <stdio.h>
#include <string.h>

#include "cli/options.h"

const struct verb_option logs_options[] = {
	{ "follow", 'f', NULL, "go on until the jail has ended" },
	{ "since", 0, "TIME", "lines from then on: 10m (ago), or 2026-11-22T03:41" },
	{ "tail", 'n', "COUNT", "the last so many lines" },
	{ "stream", 0, "out|err", "those of one stream alone" },
	{ "timestamps", 't', NULL, "each line begins with its time and stream" },
	{ 0 },
};

enum { FOLLOW, SINCE, TAIL, STREAM, TIMESTAMPS };

/* As it was written; without times standard error goes there, so that a pipe gets what the program's would. */
static int see(void *argument, const struct immure_log_piece *piece)
{
	const int has_times = *(const int *)argument;
	FILE *out = piece->stream == 2 && !has_times ? stderr : stdout;

	if (has_times && piece->begins_line)
		fprintf(out, "%s %s ", piece->time, piece->stream == 2 ? "err" : "out");
	fwrite(piece->bytes, 1, piece->size, out);
	if (piece->ends_line)
		fputc('\n', out);
	return fflush(out) == 0 ? 0 : 1; /* nobody reads any more */
}

static int read_query(const struct words *words, struct immure_log_query *query)
{
	const struct chosen *chosen = words->chosen;

	*query = (struct immure_log_query){ .since = chosen[SINCE].value, .tail = -1, .follows = chosen[FOLLOW].count > 0 };
	if (chosen[TAIL].count) {
		query->tail = read_number(chosen[TAIL].value, "--tail");
		if (query->tail < 0)
			return 125;
	}
	if (!chosen[STREAM].count)
		return 0;
	query->stream = strcmp(chosen[STREAM].value, "out") == 0 ? 1 : strcmp(chosen[STREAM].value, "err") == 0 ? 2 : 0;
	if (query->stream)
		return 0;
	fprintf(stderr, "immure: --stream: \"%s\" is neither out nor err\n", chosen[STREAM].value);
	return 125;
}

int cli_logs(int argc, char *argv[])
{
	struct words words;
	struct immure_log_query query;
	struct immure_jail *jail = NULL;
	struct immure_error err;
	int has_times, rc = take_words(verb_of_name("logs"), argc, argv, &(struct bounds){ 1, 1, 1 }, &words);

	if (rc == 0)
		rc = read_query(&words, &query);
	if (rc)
		return rc;
	has_times = words.chosen[TIMESTAMPS].count > 0;
	if (immure_jail_open(words.argv[0], &jail, &err) < 0 || immure_jail_logs(jail, &query, see, &has_times, &err) < 0)
		rc = complain(&err);
	immure_jail_close(jail);
	return rc;
}
