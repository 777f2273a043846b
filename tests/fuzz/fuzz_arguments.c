/* SPDX-License-Identifier: Apache-2.0 */
/* Any command line is planned, or refused with words. Words are ended by NUL, as in /proc/PID/cmdline. */
#include "machine.h"

enum { MOST_WORDS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct immure_spec *spec = new_spec();
	char *copy = calloc(1, size + 1), *words[MOST_WORDS + 1];
	struct immure_error err = { 0 };
	int count = 0, used;

	must(copy != NULL, "there is memory");
	if (size)
		memcpy(copy, bytes, size);
	for (size_t at = 0; at < size && count < MOST_WORDS; at += strlen(copy + at) + 1)
		words[count++] = copy + at;
	words[count] = NULL;
	used = immure_spec_arguments(spec, count, words, &err);
	must(used <= count, "no more words are read than there are");
	if (used >= 0)
		plan(spec);
	else
		must(err.errnum && err.text[0], "a refusal has words");
	free(copy);
	immure_spec_free(spec);
	return 0;
}
