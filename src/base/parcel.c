/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and strings as bytes. The order of bytes is the machine's: parcels do not leave it. */
#include "base/parcel.h"

#include <string.h>

enum { NUMBER_BYTES = sizeof(uint64_t) };

static const uint64_t no_bytes = UINT64_MAX; /* the length of NULL */

void parcel_add_number(struct text *out, uint64_t number)
{
	char bytes[NUMBER_BYTES];

	memcpy(bytes, &number, sizeof(bytes));
	text_add_bytes(out, bytes, sizeof(bytes));
}

void parcel_add_bytes(struct text *out, const void *bytes, size_t size)
{
	parcel_add_number(out, bytes ? size : no_bytes);
	if (!bytes)
		return;
	text_add_bytes(out, bytes, size);
	text_add_bytes(out, "", 1);
}

void parcel_add_text(struct text *out, const char *text)
{
	parcel_add_bytes(out, text, text ? strlen(text) : 0);
}

static size_t left(const struct parcel *from)
{
	return from->is_bad ? 0 : (size_t)(from->end - from->at);
}

uint64_t parcel_take_number(struct parcel *from, uint64_t most)
{
	uint64_t number = 0;

	if (left(from) < NUMBER_BYTES) {
		from->is_bad = true;
		return 0;
	}
	memcpy(&number, from->at, NUMBER_BYTES);
	from->at += NUMBER_BYTES;
	from->is_bad |= number > most;
	return from->is_bad ? 0 : number;
}

size_t parcel_take_count(struct parcel *from)
{
	uint64_t count = parcel_take_number(from, UINT64_MAX);

	from->is_bad |= count > left(from) / NUMBER_BYTES;
	return from->is_bad ? 0 : (size_t)count;
}

const char *parcel_take_bytes(struct parcel *from, size_t *size)
{
	const uint64_t wanted = parcel_take_number(from, UINT64_MAX);
	const char *bytes = from->at;

	*size = 0;
	if (from->is_bad || wanted == no_bytes)
		return NULL;
	if (wanted >= left(from) || bytes[wanted]) {
		from->is_bad = true;
		return NULL;
	}
	from->at += wanted + 1;
	*size = (size_t)wanted;
	return bytes;
}

const char *parcel_take_text(struct parcel *from)
{
	size_t size;
	const char *text = parcel_take_bytes(from, &size);

	if (text && strlen(text) != size)
		from->is_bad = true;
	return from->is_bad ? NULL : text;
}

const char *parcel_take_word(struct parcel *from)
{
	const char *word = parcel_take_text(from);

	from->is_bad |= !word;
	return word ? word : "";
}
