/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal numbers with an optional fraction and a unit, in integers throughout: no rounding surprises. */
#include "base/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first, so that printing finds the shortest exact form; aliases follow their unit. */
static const struct unit size_units[] = {
	{ "T", 1ULL << 40 }, { "G", 1ULL << 30 }, { "M", 1ULL << 20 }, { "K", 1ULL << 10 }, { "", 1 },
	{ "TiB", 1ULL << 40 }, { "GiB", 1ULL << 30 }, { "MiB", 1ULL << 20 }, { "KiB", 1ULL << 10 },
	{ "TB", 1ULL << 40 }, { "GB", 1ULL << 30 }, { "MB", 1ULL << 20 }, { "KB", 1ULL << 10 },
	{ "t", 1ULL << 40 }, { "g", 1ULL << 30 }, { "m", 1ULL << 20 }, { "k", 1ULL << 10 },
	{ "B", 1 }, { NULL, 0 },
};
static const struct unit duration_units[] = {
	{ "h", 3600000000000ULL }, { "m", 60000000000ULL }, { "s", 1000000000ULL }, { "ms", 1000000ULL },
	{ "us", 1000ULL }, { "ns", 1 }, { "", 1000000000ULL }, { "min", 60000000000ULL },
	{ "d", 86400000000000ULL }, { NULL, 0 },
};
static const struct unit share_units[] = { { "", 1000 }, { NULL, 0 } };

static int read_digits(const char **at, uint64_t *number)
{
	if (**at < '0' || **at > '9')
		return -EINVAL;
	for (*number = 0; **at >= '0' && **at <= '9'; (*at)++) {
		unsigned digit = (unsigned)(**at - '0');

		if (*number > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		*number = *number * 10 + digit;
	}
	return 0;
}

int number_parse(const char *text, uint64_t most, uint64_t *number)
{
	uint64_t value;
	int rc = read_digits(&text, &value);

	if (rc < 0)
		return rc;
	if (*text)
		return -EINVAL;
	if (value > most)
		return -ERANGE;
	*number = value;
	return 0;
}

int number_parse_octal(const char *text, unsigned *mode)
{
	unsigned value = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '7')
			return -EINVAL;
		value = value * 8 + (unsigned)(*text - '0');
		if (value > 07777)
			return -ERANGE;
	}
	*mode = value;
	return 0;
}

static const struct unit *find_unit(const struct unit *units, const char *name)
{
	for (; units->name; units++)
		if (strcmp(units->name, name) == 0)
			return units;
	return NULL;
}

/* Digits of a fraction, worth FACTOR / 10^n each; what is below one unit must be zero. */
static int read_fraction(const char *digits, size_t count, uint64_t factor, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < count; i++) {
		if (factor % 10 && digits[i] != '0' && factor < 10)
			return -EINVAL;
		factor /= 10;
		*value += factor * (uint64_t)(digits[i] - '0');
	}
	return 0;
}

static int parse_with_unit(const char *text, const struct unit *units, uint64_t *number)
{
	const struct unit *unit;
	const char *fraction = NULL;
	uint64_t whole, part = 0;
	size_t digits = 0;
	int rc;

	if (strcmp(text, "none") == 0) {
		*number = NUMBER_NONE;
		return 0;
	}
	rc = read_digits(&text, &whole);
	if (rc < 0)
		return rc;
	if (*text == '.') {
		fraction = text + 1;
		digits = strspn(fraction, "0123456789");
		text = fraction + digits;
	}
	unit = find_unit(units, text);
	if (!unit || (fraction && !digits))
		return -EINVAL;
	if (fraction && read_fraction(fraction, digits, unit->factor, &part) < 0)
		return -EINVAL;
	if (whole > (UINT64_MAX - 1 - part) / unit->factor)
		return -ERANGE;
	*number = whole * unit->factor + part;
	return 0;
}

int number_parse_size(const char *text, uint64_t *bytes)
{
	return parse_with_unit(text, size_units, bytes);
}

int number_parse_duration(const char *text, uint64_t *nanoseconds)
{
	return parse_with_unit(text, duration_units, nanoseconds);
}

int number_parse_share(const char *text, uint64_t *thousandths)
{
	return parse_with_unit(text, share_units, thousandths);
}

static const char *print_with_unit(uint64_t value, const struct unit *units, char *buffer)
{
	if (value == NUMBER_NONE)
		return "none";
	while (units[1].name && *units->name && units->factor > 1 && (value == 0 || value % units->factor))
		units++;
	snprintf(buffer, NUMBER_TEXT, "%" PRIu64 "%s", value / units->factor, units->name);
	return buffer;
}

const char *number_print_size(uint64_t bytes, char *buffer)
{
	return print_with_unit(bytes, size_units, buffer);
}

const char *number_print_duration(uint64_t nanoseconds, char *buffer)
{
	return nanoseconds ? print_with_unit(nanoseconds, duration_units, buffer) : "0s";
}

const char *number_print_share(uint64_t thousandths, char *buffer)
{
	int width = 3;
	uint64_t part = thousandths % 1000;

	if (thousandths == NUMBER_NONE)
		return "none";
	if (!part) {
		snprintf(buffer, NUMBER_TEXT, "%" PRIu64, thousandths / 1000);
		return buffer;
	}
	for (; part % 10 == 0; part /= 10)
		width--;
	snprintf(buffer, NUMBER_TEXT, "%" PRIu64 ".%0*" PRIu64, thousandths / 1000, width, part);
	return buffer;
}
