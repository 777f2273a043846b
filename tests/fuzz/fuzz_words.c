/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes handed over as a spec are planned as such, or refused with words; and what was read is written the same again. */
#include "machine.h"

#include "api/api.h"
#include "feature/words.h"
#include "filter/filter.h"

static void must_write_the_same(const struct spec *spec)
{
	struct text first = { 0 }, second = { 0 };
	struct spec again = { 0 };

	must(spec_write_words(spec, &first, NULL) == 0, "what was read can be written");
	must(spec_read_words(&again, first.bytes, first.used, NULL) == 0, "and read again");
	must(spec_write_words(&again, &second, NULL) == 0, "and written again");
	must(first.used == second.used && memcmp(first.bytes, second.bytes, first.used) == 0, "it stays the same");
	arena_free(&again.arena);
	text_free(&first);
	text_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct immure_spec *spec = calloc(1, sizeof(*spec));
	struct immure_error refusal;
	struct error err = { 0 };

	must(spec != NULL, "there is memory");
	if (spec_read_words(&spec->spec, bytes, size, &err) < 0) {
		must(err.errnum && err.frames && !spec->spec.arena.chunks, "a refusal has words and leaves nothing");
	} else {
		must_write_the_same(&spec->spec);
		if (spec->spec.custom_profile)
			must(profile_explain(spec->spec.custom_profile, 41, NULL) != NULL, "a denial has words");
		must(immure_spec_host(spec, FUZZ_HOST, &refusal) == 0, "the facts of " FUZZ_HOST " are readable");
		spec->is_resolved = true;
		plan(spec);
	}
	immure_spec_free(spec);
	return 0;
}
