/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that go through every row. */
#ifndef TEST_SAMPLE_H
#define TEST_SAMPLE_H

#include "feature/feature.h"

/* A value of each type that is not the default, so that losing it is seen. */
static inline const char *sample(const struct field *field)
{
	static const char *const by_type[FIELD_TYPES] = {
		[FIELD_FLAG] = "yes", [FIELD_COUNT] = "77", [FIELD_SIZE] = "3M", [FIELD_DURATION] = "1500ms", [FIELD_SHARE] = "0.25",
		[FIELD_OCTAL] = "0027", [FIELD_NAME] = "it's: #\"odd\\", [FIELD_PATH] = "/a b", [FIELD_STRINGS] = "A=1, 2: {x}",
		[FIELD_WORDS] = "3", [FIELD_ID_MAPS] = "0:100000:65536", [FIELD_RLIMITS] = "stack=4096:8192", [FIELD_PORTS] = "443",
		[FIELD_NAMESPACE] = "join:/proc/1/ns/x",
	};
	static const char *const by_mount[] = {
		[MOUNT_RO] = "/a\\:b:/c", [MOUNT_RW] = ".", [MOUNT_TMPFS] = "/t:size=1M,inodes=5,mode=0700",
		[MOUNT_FILE] = "/f\\=g=two\nlines = ü", [MOUNT_DIR] = "/d:mode=0700", [MOUNT_SYMLINK] = "/l=target",
		[MOUNT_MASK] = "/m:n", [MOUNT_OVERLAY] = "/o:/p", [MOUNT_RW_DEV] = "/dev/x:/dev/y", [MOUNT_DATA] = "/d=text",
		[MOUNT_DATA_RO] = "/d=@a b", [MOUNT_NEW_PROC] = "/p:q", [MOUNT_NEW_DEV] = "/d=e", [MOUNT_MQUEUE] = "/q", [MOUNT_SEAL] = "/",
		[MOUNT_CHMOD] = "/c\\:d:mode=0700", [MOUNT_LAYERS] = "/l:lower=/a\\,b,lower=/c:d,upper=/u,work=/w",
		[MOUNT_LAYERS_RO] = "/l:lower=/a,lower=/b",
	};

	if (field->type == FIELD_ENUM)
		return field->choices[1];
	if (field->type == FIELD_WORDS && field->choices)
		return field->choices[1];
	return field->type == FIELD_MOUNTS ? by_mount[field->kind] : by_type[field->type];
}

#endif
