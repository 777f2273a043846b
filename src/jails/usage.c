/* SPDX-License-Identifier: Apache-2.0 */
/* What a jail uses now, by its cgroups. */
#include "jails/usage.h"

#include "run/group.h"

/* One number: the file and the key in each version of cgroups, and by how much it is multiplied. */
static const struct row {
	const char *name;
	enum controller controller;
	struct {
		const char *file, *key;
		unsigned factor;
	} by_version[2];
} rows[] = {
	{ "pids", CONTROLLER_PIDS, { { "pids.current", NULL, 1 }, { "pids.current", NULL, 1 } } },
	{ "memory_bytes", CONTROLLER_MEMORY, { { "memory.usage_in_bytes", NULL, 1 }, { "memory.current", NULL, 1 } } },
	{ "memory_limit_bytes", CONTROLLER_MEMORY, { { "memory.limit_in_bytes", NULL, 1 }, { "memory.max", NULL, 1 } } },
	{ "pids_limit", CONTROLLER_PIDS, { { "pids.max", NULL, 1 }, { "pids.max", NULL, 1 } } },
	{ "cpu_ns", CONTROLLER_CPUACCT, { { "cpuacct.usage", NULL, 1 }, { "cpu.stat", "usage_usec", 1000 } } },
};

void usage_print(const struct member *member, struct text *out)
{
	const struct step *step = member->kept.plan ? plan_find(member->kept.plan, OP_CGROUP_WATCH) : NULL;
	const struct group_slots *groups = step ? step->data : NULL;

	for (size_t i = 0; groups && i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		const int slot = groups->slot[row->controller], version = groups->version[row->controller];
		const int group = slot == SLOT_NONE || version < 1 || version > 2 ? -1 : member->kept.run.slots[slot];
		uint64_t number = NUMBER_NONE;

		if (group >= 0)
			number = group_number(group, row->by_version[version - 1].file, row->by_version[version - 1].key);
		if (number != NUMBER_NONE)
			text_add(out, ", \"%s\": %llu", row->name, (unsigned long long)number * row->by_version[version - 1].factor);
	}
}
