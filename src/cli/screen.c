/* SPDX-License-Identifier: Apache-2.0 */
/* Text that is safe on a terminal: what begins like a colour or a character of UTF-8 is held until it is one, or is none. */
#include "cli/screen.h"

#include <string.h>

enum { ESCAPE = 0x1b, DELETE = 0x7f };

enum judgement { IS_NONE, IS_BEGUN, IS_WHOLE };

/* ESC [ NUMBERS m: ECMA-48, SGR. */
static enum judgement judge_colour(const struct screen *screen)
{
	const unsigned char *at = screen->held;

	if (screen->count > 1 && at[1] != '[')
		return IS_NONE;
	for (unsigned i = 2; i < screen->count; i++) {
		if (at[i] == 'm')
			return IS_WHOLE;
		if (!strchr("0123456789;:", at[i]))
			return IS_NONE;
	}
	return screen->count < SCREEN_HELD ? IS_BEGUN : IS_NONE;
}

/* RFC 3629, but for the second set of control characters, U+0080 to U+009F, some of which are sequences in one. */
static enum judgement judge_character(const struct screen *screen)
{
	const unsigned char *at = screen->held, first = at[0];
	const unsigned length = first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (!length)
		return IS_NONE;
	for (unsigned i = 1; i < screen->count; i++)
		if ((at[i] & 0xc0) != 0x80)
			return IS_NONE;
	if (screen->count > 1 && ((first == 0xc2 && at[1] < 0xa0) || (first == 0xe0 && at[1] < 0xa0) || (first == 0xed && at[1] > 0x9f) ||
				  (first == 0xf0 && at[1] < 0x90) || (first == 0xf4 && at[1] > 0x8f)))
		return IS_NONE;
	return screen->count == length ? IS_WHOLE : IS_BEGUN;
}

/* At the end of a line, as terminals have it, it does no harm; elsewhere what follows would cover what was there. */
static enum judgement judge_return(const struct screen *screen)
{
	return screen->count == 1 ? IS_BEGUN : screen->held[1] == '\n' ? IS_WHOLE : IS_NONE;
}

static enum judgement judge(const struct screen *screen)
{
	const unsigned char first = screen->held[0];

	if (first == ESCAPE)
		return judge_colour(screen);
	if (first == '\r')
		return judge_return(screen);
	if (first >= 0x80)
		return judge_character(screen);
	return (first >= ' ' && first != DELETE) || first == '\t' || first == '\n' ? IS_WHOLE : IS_NONE;
}

static void show(unsigned char byte, FILE *out)
{
	if (byte < ' ' || byte == DELETE)
		fprintf(out, "^%c", byte ^ 0x40);
	else
		fprintf(out, "\\x%02x", byte);
}

static void take(struct screen *screen, FILE *out, unsigned char byte);

/* The first byte begins nothing: what was behind it is taken anew. */
static void refuse(struct screen *screen, FILE *out)
{
	const struct screen before = *screen;

	screen->count = 0;
	show(before.held[0], out);
	for (unsigned i = 1; i < before.count; i++)
		take(screen, out, before.held[i]);
}

static void take(struct screen *screen, FILE *out, unsigned char byte)
{
	enum judgement found;

	screen->held[screen->count++] = byte;
	found = judge(screen);
	if (found == IS_NONE)
		refuse(screen, out);
	if (found != IS_WHOLE)
		return;
	screen->has_colours |= screen->held[0] == ESCAPE;
	fwrite(screen->held, 1, screen->count, out);
	screen->count = 0;
}

void screen_write(struct screen *screen, FILE *out, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		take(screen, out, (unsigned char)bytes[i]);
}

void screen_end(struct screen *screen, FILE *out)
{
	while (screen->count)
		refuse(screen, out);
	if (screen->has_colours)
		fputs("\033[0m", out);
}
