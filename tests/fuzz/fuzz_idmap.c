/* SPDX-License-Identifier: Apache-2.0 */
/* Any text for --uid-map is a map of existing ids, or an error with words. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "immure.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct immure_spec *spec = immure_spec_new();
	struct immure_error err = { 0 };
	char text[256];

	if (!spec || size >= sizeof(text)) {
		immure_spec_free(spec);
		return 0;
	}
	memcpy(text, bytes, size);
	text[size] = '\0';
	if (immure_spec_set(spec, "uid-map", text, "fuzz", &err) < 0 && !err.text[0])
		abort();
	immure_spec_free(spec);
	return 0;
}
