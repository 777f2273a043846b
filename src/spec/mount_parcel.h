/* SPDX-License-Identifier: Apache-2.0 */
/* Origins and mounts as bytes, with every member. */
#ifndef IMMURE_SPEC_MOUNT_PARCEL_H
#define IMMURE_SPEC_MOUNT_PARCEL_H

#include "base/parcel.h"
#include "spec/spec.h"

void parcel_add_origin(struct text *out, const struct origin *origin);
/* Its source lies in the parcel's own bytes. */
struct origin parcel_take_origin(struct parcel *from);

void parcel_add_mount(struct text *out, const struct mount *mount);
/* In ARENA, but for texts and contents, which stay in the parcel's own bytes. NULL: the parcel is bad, or no memory. */
struct mount *parcel_take_mount(struct parcel *from, struct arena *arena);

#endif
