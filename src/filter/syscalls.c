/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups in the generated tables. */
#include "filter/syscalls.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "filter/table.h"

static int find_number(const struct call_table *table, const char *name)
{
	unsigned low = 0, high = table->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		int order = strcmp(name, table->names + table->calls[middle].name);

		if (order == 0)
			return table->calls[middle].number;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return SYSCALL_NONE;
}

static const char *find_name(const struct call_table *table, int number)
{
	if (number < 0 || number >= SYSCALL_MOST || !table->index[number])
		return NULL;
	return table->names + table->calls[table->index[number] - 1].name;
}

int syscall_number(const char *name)
{
	return find_number(&syscalls_native, name);
}

int syscall_foreign_number(const char *name)
{
	return find_number(&syscalls_foreign, name);
}

const char *syscall_name(int number)
{
	return find_name(&syscalls_native, number);
}

const char *syscall_foreign_name(int number)
{
	return find_name(&syscalls_foreign, number);
}

int syscall_newest(void)
{
	return syscalls_native.newest;
}

int syscall_foreign_newest(void)
{
	return syscalls_foreign.newest;
}

uint32_t syscall_arch(void)
{
	return syscalls_native.arch;
}

uint32_t syscall_foreign_arch(void)
{
	return syscalls_foreign.arch;
}

const char *syscall_nearest(const char *name)
{
	const struct call_table *table = &syscalls_native;
	const char *nearest = NULL;
	unsigned least = 3; /* two edits away is still a slip of the finger */

	for (unsigned i = 0; i < table->count; i++) {
		const char *candidate = table->names + table->calls[i].name;
		unsigned distance = text_distance(name, candidate);

		if (distance < least) {
			least = distance;
			nearest = candidate;
		}
	}
	return nearest;
}
