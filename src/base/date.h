/* SPDX-License-Identifier: Apache-2.0 */
/* Dates of the Gregorian calendar in UTC, from seconds since 1970 and back; no leap seconds. Years 1970 to 9999. */
#ifndef IMMURE_BASE_DATE_H
#define IMMURE_BASE_DATE_H

#include <stdint.h>

struct date {
	unsigned year, month, day; /* from 1 */
	unsigned hour, minute, second;
};

void date_from_seconds(int64_t seconds, struct date *date);
/* -EINVAL: there is no such moment. */
int64_t date_to_seconds(const struct date *date);

#endif
