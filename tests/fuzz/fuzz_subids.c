/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever /etc/subuid says: a range within the ids that exist, without root, or none. */
#include <stdint.h>
#include <stdlib.h>

#include "host/subids.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct sub_range range = subids_find((const char *)bytes, size, "user", 1000);

	if (range.count && (range.first == 0 || range.count > UINT32_MAX - range.first))
		abort();
	return 0;
}
