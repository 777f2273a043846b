/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any command line of bubblewrap is understood or refused with words, and what was understood immure plans or refuses with words.
 * The first byte chooses the caller; words are ended by NUL; after a byte 0xff comes what every --args holds.
 */
#include "machine.h"

#include <sys/mman.h>
#include <unistd.h>

#include "compat/bwrap.h"

enum { MOST_WORDS = 64, DATA = 100 };

/* --args reads and closes its descriptor, which must never be one of the fuzzer's own. */
static void hold_data(const uint8_t *bytes, size_t size)
{
	const int descriptor = memfd_create("data", 0);

	must(descriptor >= 0 && write(descriptor, bytes, size) == (ssize_t)size && lseek(descriptor, 0, SEEK_SET) == 0 &&
	     dup2(descriptor, DATA) == DATA, "there is a file for --args");
	close(descriptor);
}

static int split(char *text, size_t size, char *words[])
{
	static char data[] = "100";
	int count = 0;

	for (size_t at = 0; at < size && count < MOST_WORDS; at += strlen(text + at) + 1, count++)
		words[count] = count && strcmp(words[count - 1], "--args") == 0 ? data : text + at;
	words[count] = NULL;
	return count;
}

static void tell_and_plan(struct bwrap *bwrap)
{
	struct immure_spec *spec = new_spec();
	struct immure_error err = { 0 };

	if (bwrap_tell(bwrap, spec, &err) == 0)
		plan(spec);
	else
		must(err.errnum && err.text[0], "a refusal has words");
	immure_spec_free(spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct bwrap_caller callers[] = {
		{ .uid = 1000, .gid = 1000, .last_capability = 40, .has_userns = true, .has_cgroupns = true },
		{ .capabilities = UINT64_MAX >> 23, .last_capability = 40, .has_userns = true, .has_cgroupns = true },
		{ .last_capability = 37 },
		{ .last_capability = 40, .has_userns = true, .has_cgroupns = true, .is_hardened = true },
	};
	const uint8_t *data = size ? memchr(bytes + 1, 0xff, size - 1) : NULL;
	const size_t words_size = data ? (size_t)(data - bytes - 1) : size ? size - 1 : 0;
	char *text = calloc(1, words_size + 1), *words[MOST_WORDS + 1];
	FILE *nothing = fopen("/dev/null", "w");
	struct bwrap bwrap;
	int count, used;

	must(text && nothing, "there is memory");
	if (words_size)
		memcpy(text, bytes + 1, words_size);
	hold_data(data ? data + 1 : bytes, data ? size - words_size - 2 : 0);
	count = split(text, words_size, words);
	bwrap_init(&bwrap, &callers[size ? bytes[0] % 4 : 0], "bwrap");
	bwrap.output = bwrap.complaints = nothing;
	used = bwrap_read(&bwrap, count, words);
	must(used <= count, "no more words are read than there are");
	if (used >= 0 && !bwrap.is_answered)
		used = bwrap_check(&bwrap);
	if (used >= 0 && !bwrap.is_answered)
		tell_and_plan(&bwrap);
	must(used >= 0 || bwrap.error[0], "a refusal has words");
	bwrap_free(&bwrap);
	close(DATA);
	fclose(nothing);
	free(text);
	return 0;
}
