/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON. */
#include "base/json.h"

/* The length of the well-formed character at AT (RFC 3629); 0: it is none. */
static size_t character(const unsigned char *at)
{
	size_t length = at[0] < 0x80 ? 1 : at[0] >= 0xc2 && at[0] < 0xe0 ? 2 : (at[0] & 0xf0) == 0xe0 ? 3 : at[0] >= 0xf0 && at[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
	    (at[0] == 0xf4 && at[1] > 0x8f))
		return 0; /* too long, a surrogate, or beyond U+10FFFF */
	return length;
}

void json_add_string(struct text *out, const char *text)
{
	if (!text) {
		text_add(out, "null");
		return;
	}
	text_add(out, "\"");
	while (*text) {
		size_t length = character((const unsigned char *)text);

		if (*text == '"' || *text == '\\')
			text_add(out, "\\%c", *text);
		else if ((unsigned char)*text < ' ' || *text == 0x7f)
			text_add(out, "\\u%04x", (unsigned)*text);
		else if (length)
			text_add_bytes(out, text, length);
		else
			text_add(out, "\xef\xbf\xbd");
		text += length ? length : 1;
	}
	text_add(out, "\"");
}
