/* SPDX-License-Identifier: Apache-2.0 */
/* Text that grows by doubling. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool make_room(struct text *text, size_t more)
{
	size_t size = text->size ? text->size : 256;
	char *bytes;

	while (size - text->used <= more)
		size *= 2;
	if (size == text->size)
		return true;
	bytes = realloc(text->bytes, size);
	if (!bytes) {
		text->is_short = true;
		return false;
	}
	text->bytes = bytes;
	text->size = size;
	return true;
}

void text_add_bytes(struct text *text, const char *bytes, size_t size)
{
	if (!make_room(text, size) || !text->bytes)
		return;
	memcpy(text->bytes + text->used, bytes, size);
	text->used += size;
	text->bytes[text->used] = '\0';
}

void text_add(struct text *text, const char *format, ...)
{
	va_list args, again;
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, args);
	if (length >= 0 && make_room(text, (size_t)length)) {
		vsnprintf(text->bytes + text->used, (size_t)length + 1, format, again);
		text->used += (size_t)length;
	}
	va_end(again);
	va_end(args);
}

/* C1, the second set of control characters, has two bytes in UTF-8: 0xc2 and the character. */
void text_make_printable(char *text)
{
	for (unsigned char *byte = (unsigned char *)text; *byte; byte++) {
		if (*byte < ' ' || *byte == 0x7f)
			*byte = '?';
		else if (byte[0] == 0xc2 && byte[1] >= 0x80 && byte[1] < 0xa0)
			byte[0] = byte[1] = '?';
	}
}

void text_end_line(struct text *text, size_t start)
{
	if (text->bytes)
		text_make_printable(text->bytes + start);
	text_add_bytes(text, "\n", 1);
}

void text_free(struct text *text)
{
	free(text->bytes);
	*text = (struct text){ 0 };
}

bool text_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_same(const char *left, const char *right)
{
	if (!left || !right)
		return left == right;
	return strcmp(left, right) == 0;
}

/* Levenshtein's distance with one row of memory. */
unsigned text_distance(const char *left, const char *right)
{
	size_t rows = strnlen(left, 64), columns = strnlen(right, 64);
	unsigned row[65];

	for (size_t j = 0; j <= columns; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= rows; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= columns; j++) {
			unsigned best = diagonal + (left[i - 1] != right[j - 1]);

			diagonal = row[j];
			best = row[j] + 1 < best ? row[j] + 1 : best;
			row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
		}
	}
	return row[columns];
}
