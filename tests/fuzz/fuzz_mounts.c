/* SPDX-License-Identifier: Apache-2.0 */
/* Any value of --ro, --tmpfs, --file and their kin is refused with words, or says the same when it is printed and read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "feature/feature.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char *const keys[] = { "ro", "rw", "tmpfs", "file", "dir", "symlink", "mask", "overlay", "rw-dev", "data", "data-ro",
	"new-proc", "new-dev", "mqueue", "seal", "chmod", "layers", "layers-ro", "ro-try", "rw-dev-try" };

static void must(bool is_so)
{
	if (!is_so)
		abort();
}

static bool same(const char *left, const char *right)
{
	return left == right || (left && right && strcmp(left, right) == 0);
}

static void must_be_same(const struct mount *left, const struct mount *right)
{
	/* printed short where both are one */
	const char *left_target = left->target ? left->target : left->source, *right_target = right->target ? right->target : right->source;

	must(left->kind == right->kind && left->content == right->content && left->descriptor == right->descriptor);
	must(left->mode == right->mode && left->size_bytes == right->size_bytes && left->inodes == right->inodes);
	must(same(left_target, right_target));
	must(left->has_mode == right->has_mode && left->is_optional == right->is_optional && left->lower_count == right->lower_count);
	for (unsigned i = 0; i < left->lower_count; i++)
		must(same(left->lowers[i], right->lowers[i]));
	must(same(left->upper, right->upper) && same(left->work, right->work));
	must(left->content == CONTENT_DESCRIPTOR || same(left->source, right->source));
	must(!left->next && !right->next);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct origin origin = { .layer = LAYER_COMMAND, .source = "fuzz" };
	struct spec first = { 0 }, second = { 0 };
	struct error err = { 0 };
	const struct field *field = size ? find_field(keys[bytes[0] % ARRAY_SIZE(keys)]) : NULL;
	const char *text = field ? arena_copy_bytes(&first.arena, bytes + 1, size - 1) : NULL;

	if (text && field_set(field, &first, text, &origin, &err) == 0) {
		const char *printed = field_print(field, &first, &first.arena);

		must(field_set(field, &second, printed, &origin, &err) == 0);
		must_be_same(first.mounts, second.mounts);
	} else if (text) {
		must(err.errnum && err.frames && err.frame[0][0] && !first.mounts);
	}
	arena_free(&first.arena);
	arena_free(&second.arena);
	return 0;
}
