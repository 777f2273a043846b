/* SPDX-License-Identifier: Apache-2.0 */
/* Any policy file is planned, or refused with its place; and each setting prints as something that may be set again. */
#include "machine.h"

#include "api/api.h"
#include "feature/feature.h"
#include "load/policy.h"

static void must_read_back(struct spec *spec)
{
	static const struct origin origin = { .layer = LAYER_COMMAND, .source = "again" };

	for (const struct feature *const *f = features; *f; f++) {
		for (const struct field *row = (*f)->fields; row && row->key; row++) {
			const char *printed = field_print(row, spec, &spec->arena);

			if (*printed && !field_is_list(row))
				must(field_set(row, spec, printed, &origin, NULL) == 0, printed);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct immure_spec *spec = new_spec();
	struct error err = { 0 };

	if (policy_load_text(&spec->spec, "fuzz.yaml", (const char *)bytes, size, &err) == 0) {
		must_read_back(&spec->spec);
		plan(spec);
	} else {
		must(err.errnum && err.frames && err.frame[0][0], "a refusal has words");
	}
	immure_spec_free(spec);
	return 0;
}
