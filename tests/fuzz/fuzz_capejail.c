/* SPDX-License-Identifier: Apache-2.0 */
/* Any words of immure-capejail are planned, or refused with words; -h may ask for neither. They are ended by NUL. */
#include "machine.h"

#include "compat/capejail.h"

enum { MOST_WORDS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct capejail jail = { .spec = new_spec() };
	char *copy = calloc(1, size + 1), *words[MOST_WORDS + 1];
	struct immure_error err = { 0 };
	int count = 0, used;

	must(copy != NULL, "there is memory");
	if (size)
		memcpy(copy, bytes, size);
	for (size_t at = 0; at < size && count < MOST_WORDS; at += strlen(copy + at) + 1)
		words[count++] = copy + at;
	words[count] = NULL;
	used = capejail_read(&jail, count, words, &err);
	must(used <= count, "no more words are read than there are");
	if (used >= 0 && !jail.wants_help && capejail_settle(&jail, &err) == 0)
		plan(jail.spec);
	else if (!jail.wants_help)
		must(err.exit_code == 125 && err.text[0], "a refusal has words");
	free(copy);
	immure_spec_free(jail.spec);
	return 0;
}
