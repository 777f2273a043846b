/* SPDX-License-Identifier: Apache-2.0 */
/* immure logs: what a jail that stays has written. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/screen.h"

const struct verb_option logs_options[] = {
	{ "follow", 'f', NULL, "go on until the jail has ended" },
	{ "since", 0, "TIME", "lines from then on: 10m (ago), or 2026-11-22T03:41" },
	{ "tail", 'n', "COUNT", "the last so many lines" },
	{ "stream", 0, "out|err", "those of one stream alone" },
	{ "timestamps", 't', NULL, "each line begins with its time and stream" },
	{ "raw", 0, NULL, "to a terminal too as it was written: the jail's control characters move its cursor, and worse" },
	{ 0 },
};

enum { FOLLOW, SINCE, TAIL, STREAM, TIMESTAMPS, RAW };

struct showing {
	int has_times, is_raw;
	struct screen screens[3]; /* by stream */
};

/* A file gets what was written, byte for byte; only a terminal acts on it. */
static void put(struct showing *showing, unsigned stream, FILE *out, const char *bytes, size_t size)
{
	if (showing->is_raw || !isatty(fileno(out)))
		fwrite(bytes, 1, size, out);
	else
		screen_write(&showing->screens[stream], out, bytes, size);
}

static FILE *place_of(const struct showing *showing, int stream)
{
	return stream == 2 && !showing->has_times ? stderr : stdout;
}

/* Without times standard error goes there, so that a pipe gets what the program's would. */
static int see(void *argument, const struct immure_log_piece *piece)
{
	struct showing *showing = argument;
	FILE *out = place_of(showing, piece->stream);
	const unsigned stream = piece->stream == 2 ? 2 : 1;

	if (showing->has_times && piece->begins_line)
		fprintf(out, "%s %s ", piece->time, piece->stream == 2 ? "err" : "out");
	put(showing, stream, out, piece->bytes, piece->size);
	if (piece->ends_line)
		put(showing, stream, out, "\n", 1);
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
	struct showing showing = { 0 };
	int rc = take_words(verb_of_name("logs"), argc, argv, &(struct bounds){ 1, 1, 1 }, &words);

	if (rc == 0)
		rc = read_query(&words, &query);
	if (rc)
		return rc;
	showing.has_times = words.chosen[TIMESTAMPS].count > 0;
	showing.is_raw = words.chosen[RAW].count > 0;
	if (immure_jail_open(words.argv[0], &jail, &err) < 0 || immure_jail_logs(jail, &query, see, &showing, &err) < 0)
		rc = complain(&err);
	for (int stream = 1; stream <= 2; stream++)
		screen_end(&showing.screens[stream], place_of(&showing, stream));
	immure_jail_close(jail);
	return rc;
}
