/* SPDX-License-Identifier: Apache-2.0 */
/* Frames are kept from the inside out and printed from the outside in. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void add_frame(struct error *err, const char *format, va_list args)
{
	if (err->frames == ERROR_FRAMES)
		return;
	vsnprintf(err->frame[err->frames], ERROR_TEXT, format, args);
	text_make_printable(err->frame[err->frames]);
	err->frames++;
}

static void begin(struct error *err, int errnum, bool is_mistake)
{
	err->errnum = errnum;
	err->is_mistake = is_mistake;
	err->frames = 0;
	err->id = NULL;
	err->remedy[0] = '\0';
}

int error_set(struct error *err, int errnum, const char *format, ...)
{
	va_list args;

	if (!err)
		return -errnum;
	begin(err, errnum, false);
	va_start(args, format);
	add_frame(err, format, args);
	va_end(args);
	return -errnum;
}

int error_mistake(struct error *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return -EINVAL;
	begin(err, EINVAL, true);
	va_start(args, format);
	add_frame(err, format, args);
	va_end(args);
	return -EINVAL;
}

int error_while(struct error *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return -EINVAL;
	va_start(args, format);
	add_frame(err, format, args);
	va_end(args);
	return -err->errnum;
}

void error_remedy(struct error *err, const char *id, const char *format, ...)
{
	va_list args;

	if (!err || err->remedy[0])
		return;
	err->id = id;
	va_start(args, format);
	vsnprintf(err->remedy, sizeof(err->remedy), format, args);
	va_end(args);
	text_make_printable(err->remedy);
}

static size_t append(char *buffer, size_t size, size_t used, const char *before, const char *text)
{
	int length = snprintf(buffer + used, size - used, "%s%s", before, text);

	used += length > 0 ? (size_t)length : 0;
	return used < size ? used : size - 1;
}

/* EBADE is the self-check's; not every libc has words for it. */
static const char *words_for(int errnum)
{
	return errnum == EBADE ? "something else is in force" : strerror(errnum);
}

size_t error_print(const struct error *err, char *buffer, size_t size)
{
	size_t used = 0;

	buffer[0] = '\0';
	for (int i = err->frames - 1; i >= 0; i--)
		used = append(buffer, size, used, used ? ": " : "", err->frame[i]);
	if (!err->is_mistake && err->errnum)
		used = append(buffer, size, used, used ? ": " : "", words_for(err->errnum));
	if (err->remedy[0])
		used = append(buffer, size, used, "\n  try: ", err->remedy);
	if (err->id) {
		used = append(buffer, size, used, "  [", err->id);
		used = append(buffer, size, used, "]", "");
	}
	return used;
}
