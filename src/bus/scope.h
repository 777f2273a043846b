/* SPDX-License-Identifier: Apache-2.0 */
/* Asking systemd, over D-Bus. For the full library only. */
#ifndef IMMURE_BUS_SCOPE_H
#define IMMURE_BUS_SCOPE_H

#include "plan/plan.h"

/* Asks for a transient scope that holds PIDS and is handed down to the caller. 0: systemd took the order, which it then
 * carries out; or -errno, -ENOTSUP: there is no libsystemd, here or where this was built. org.freedesktop.systemd1(5) */
int bus_start_scope(const struct scope *scope);

#endif
