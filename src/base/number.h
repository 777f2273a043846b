/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as people write them: strict, complete, in range, or refused. */
#ifndef IMMURE_BASE_NUMBER_H
#define IMMURE_BASE_NUMBER_H

#include <stdint.h>

/* "no limit", written "none" */
#define NUMBER_NONE UINT64_MAX

/* Each reads the whole of TEXT. 0, or -EINVAL (not such a number), -ERANGE (too large). */
int number_parse(const char *text, uint64_t most, uint64_t *number);
int number_parse_octal(const char *text, unsigned *mode);          /* 0..07777 */
int number_parse_size(const char *text, uint64_t *bytes);          /* 64M, 1.5GiB, 4096, none; K = 1024 */
int number_parse_duration(const char *text, uint64_t *nanoseconds); /* 10s, 1.5s, 250ms, 2m, 1h, none; a bare number is seconds */
int number_parse_share(const char *text, uint64_t *thousandths);   /* 0.5 -> 500, 2 -> 2000, none */

/* The shortest text that reads back as the same value; BUFFER has at least NUMBER_TEXT bytes. */
enum { NUMBER_TEXT = 32 };
const char *number_print_size(uint64_t bytes, char *buffer);
const char *number_print_duration(uint64_t nanoseconds, char *buffer);
const char *number_print_share(uint64_t thousandths, char *buffer);

#endif
