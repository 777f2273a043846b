/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON, and finding what was written. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/* U+0080 to U+009F: some are the beginning of a sequence, to a terminal that is shown them. ECMA-48 */
static bool is_control(const unsigned char *at)
{
	return at[0] < ' ' || at[0] == 0x7f || (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0);
}

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
		else if (is_control((const unsigned char *)text))
			text_add(out, "\\u%04x", length == 2 ? (unsigned char)text[1] : (unsigned char)*text);
		else if (length)
			text_add_bytes(out, text, length);
		else
			text_add(out, "\xef\xbf\xbd");
		text += length ? length : 1;
	}
	text_add(out, "\"");
}

const char *json_find(const char *object, const char *key)
{
	const size_t length = strlen(key);

	for (const char *at = strchr(object, '"'); at; at = strchr(at + 1, '"')) {
		const char *value = at + 1 + length;

		/* A quote inside a string has a backslash before it: there the key's closing quote does not follow the key at once. */
		if (strncmp(at + 1, key, length) == 0 && value[0] == '"' && value[1] == ':')
			return value + 2 + (value[2] == ' ');
	}
	return NULL;
}

bool json_find_number(const char *object, const char *key, uint64_t *number)
{
	const char *value = json_find(object, key);

	if (!value || *value < '0' || *value > '9')
		return false;
	*number = strtoull(value, NULL, 10);
	return true;
}

const char *json_take_string(const char *at, struct text *out)
{
	if (*at != '"')
		return NULL;
	for (at++; *at && *at != '"'; at++) {
		char digits[5] = "", byte = *at;

		if (byte == '\\' && at[1] == 'u' && strlen(at) >= 6) {
			memcpy(digits, at + 2, 4);
			byte = (char)strtoul(digits, NULL, 16); /* json_add_string writes only control characters so, the first set and the second */
			if ((unsigned char)byte >= 0x80)
				text_add_bytes(out, "\xc2", 1);
			at += 5;
		} else if (byte == '\\' && at[1]) {
			byte = *++at;
		}
		text_add_bytes(out, &byte, 1);
	}
	return *at == '"' ? at + 1 : NULL;
}

bool json_find_string(const char *object, const char *key, struct text *out)
{
	const char *value = json_find(object, key);

	return value && json_take_string(value, out) != NULL;
}
