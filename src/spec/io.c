/* SPDX-License-Identifier: Apache-2.0 */
/* The small language of --io-max. */
#include "spec/io.h"

#include <errno.h>
#include <string.h>

#include "base/number.h"

const char *const io_rate_names[IO_RATES] = { "rbps", "wbps", "riops", "wiops" };

static int refuse(const char *text, struct error *err)
{
	return error_mistake(err, "\"%s\" is not DEVICE:rbps=SIZE,wbps=SIZE,riops=N,wiops=N (one of them at least)", text);
}

static int read_rate(struct io_limit *limit, char *word, struct error *err)
{
	char *value = strchr(word, '=');

	if (!value)
		return error_mistake(err, "\"%s\" is not rbps=, wbps=, riops= or wiops=", word);
	*value++ = '\0';
	for (int i = 0; i < IO_RATES; i++) {
		int rc;

		if (strcmp(word, io_rate_names[i]) != 0)
			continue;
		rc = i < IO_READ_CALLS ? number_parse_size(value, &limit->rates[i]) : number_parse(value, UINT32_MAX, &limit->rates[i]);
		if (rc < 0 || !limit->rates[i])
			return error_mistake(err, "\"%s\" is no rate from 1 for %s", value, word);
		return 0;
	}
	return error_mistake(err, "\"%s\" is not rbps, wbps, riops or wiops", word);
}

int io_limit_read(struct arena *arena, const char *text, struct io_limit *limit, struct error *err)
{
	char *copy = arena_copy(arena, text);
	char *colon = copy ? strrchr(copy, ':') : NULL;

	if (!copy)
		return error_set(err, ENOMEM, "reading %s", text);
	if (!colon || colon == copy || !colon[1])
		return refuse(text, err);
	*colon = '\0';
	*limit = (struct io_limit){ .device = copy };
	for (int i = 0; i < IO_RATES; i++)
		limit->rates[i] = NUMBER_NONE;
	for (char *word = colon + 1; word; ) {
		char *comma = strchr(word, ',');
		int rc;

		if (comma)
			*comma++ = '\0';
		rc = read_rate(limit, word, err);
		if (rc < 0)
			return rc;
		word = comma;
	}
	return 0;
}

static bool read_part(const char **at, char end, unsigned *number)
{
	const char *start = *at;
	unsigned long value = 0;

	for (; **at >= '0' && **at <= '9' && value < 1ul << 20; (*at)++)
		value = value * 10 + (unsigned long)(**at - '0');
	if (*at == start || **at != end || value >= 1ul << 20)
		return false;
	*number = (unsigned)value;
	*at += end != '\0';
	return true;
}

bool io_device_numbers(const char *text, unsigned *major, unsigned *minor)
{
	return read_part(&text, ':', major) && read_part(&text, '\0', minor);
}
