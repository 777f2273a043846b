/* SPDX-License-Identifier: Apache-2.0 */
/* What a jail uses now, by its cgroups. */
#ifndef IMMURE_JAILS_USAGE_H
#define IMMURE_JAILS_USAGE_H

#include "jails/member.h"

/* Adds members of a JSON object: ,"pids":3,"memory_bytes":...,"cpu_ns":...; only those that a group counts. */
void usage_print(const struct member *member, struct text *out);

#endif
