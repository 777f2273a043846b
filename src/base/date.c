/* SPDX-License-Identifier: Apache-2.0 */
/* Year by year and month by month: a few dozen additions, and nothing to get wrong. */
#include "base/date.h"

#include <errno.h>
#include <stdbool.h>

enum { FIRST_YEAR = 1970, LAST_YEAR = 9999, DAY_SECONDS = 86400 };

static bool is_leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_of_year(unsigned year)
{
	return is_leap(year) ? 366 : 365;
}

static unsigned days_of_month(unsigned year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
}

void date_from_seconds(int64_t seconds, struct date *date)
{
	uint64_t days = seconds < 0 ? 0 : (uint64_t)seconds / DAY_SECONDS;
	const unsigned rest = seconds < 0 ? 0 : (unsigned)((uint64_t)seconds % DAY_SECONDS);

	*date = (struct date){ .year = FIRST_YEAR, .month = 1, .hour = rest / 3600, .minute = rest / 60 % 60, .second = rest % 60 };
	for (; date->year < LAST_YEAR && days >= days_of_year(date->year); date->year++)
		days -= days_of_year(date->year);
	for (; date->month < 12 && days >= days_of_month(date->year, date->month); date->month++)
		days -= days_of_month(date->year, date->month);
	date->day = (unsigned)(days < 31 ? days : 30) + 1;
}

int64_t date_to_seconds(const struct date *date)
{
	int64_t days = 0;

	if (date->year < FIRST_YEAR || date->year > LAST_YEAR || date->month < 1 || date->month > 12 || date->day < 1 ||
	    date->day > days_of_month(date->year, date->month) || date->hour > 23 || date->minute > 59 || date->second > 59)
		return -EINVAL;
	for (unsigned year = FIRST_YEAR; year < date->year; year++)
		days += days_of_year(year);
	for (unsigned month = 1; month < date->month; month++)
		days += days_of_month(date->year, month);
	days += date->day - 1;
	return days * DAY_SECONDS + date->hour * 3600 + date->minute * 60 + date->second;
}
