/* SPDX-License-Identifier: Apache-2.0 */
/* Flags of the mount family that the headers of some libc or distribution lack. mount_setattr(2), linux/mount.h */
#ifndef IMMURE_SYS_MOUNT_FLAGS_H
#define IMMURE_SYS_MOUNT_FLAGS_H

#include <linux/mount.h>

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef MS_PRIVATE
#define MS_PRIVATE (1 << 18)
#endif
#ifndef MS_SLAVE
#define MS_SLAVE (1 << 19)
#endif
#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif

#endif
