/* SPDX-License-Identifier: Apache-2.0 */
/* What can be said of a jail's processes from outside, by /proc: for jails whose cgroups do not count it. */
#ifndef IMMURE_JAILS_CENSUS_H
#define IMMURE_JAILS_CENSUS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/text.h"

/* Of all that descend from a process, and that itself. */
struct census {
	uint64_t processes;
	uint64_t memory_bytes; /* anonymous memory: what is theirs alone, or shared between them since they forked */
	uint64_t cpu_ns;       /* of those that live, and of those that they have waited for */
};

struct process;

/* All processes that there are now; one look serves many jails. */
struct processes {
	struct process *list;
	size_t count, room;
};
int processes_look(struct processes *processes) MUST_CHECK;
void processes_free(struct processes *processes);
/* False: there is none. */
bool census_take(const struct processes *processes, pid_t root, bool with_root, struct census *census);

/* The oldest child of PARENT: it had the lowest number, unless the numbers went round; 0: it has none. */
pid_t census_first_child(const struct processes *processes, pid_t parent);

/* Ports on which somebody listens in the network that PID is in, as "80,443", each once, in order. */
void census_ports(pid_t pid, struct text *out);

#endif
