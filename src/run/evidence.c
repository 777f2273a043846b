/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in force, for --result. Init does not reap the program before this has been read, so even one
 * that ended at once shows its credentials. The namespaces of a dead process cannot be read; then those
 * of init are, which has the same.
 */
#include "run/evidence.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/watch.h"
#include "sys/file.h"

enum { PROC_PATH = 96 };

static ssize_t read_of(pid_t pid, const char *name, char *buffer, size_t size)
{
	char path[PROC_PATH];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	length = pid ? sys_read_file(path, buffer, size) : -ESRCH;
	if (length < 0)
		buffer[0] = '\0';
	return length;
}

/* Init's first child; proc_pid_children(5). */
static pid_t find_program(pid_t init)
{
	char name[32], children[256];

	snprintf(name, sizeof(name), "task/%d/children", (int)init);
	return read_of(init, name, children, sizeof(children)) > 0 ? (pid_t)strtol(children, NULL, 10) : 0;
}

static void look_at_namespace(struct evidence *evidence, int at)
{
	const pid_t holders[] = { evidence->program, evidence->init };

	for (size_t i = 0; i < ARRAY_SIZE(holders) && !evidence->namespaces[at].inode; i++) {
		struct sys_identity identity;
		char path[PROC_PATH];

		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)holders[i], namespace_names[at]);
		if (!holders[i] || sys_identity(path, &identity) < 0)
			continue;
		evidence->namespaces[at].inode = identity.inode;
		snprintf(path, sizeof(path), "/proc/self/ns/%s", namespace_names[at]);
		evidence->namespaces[at].is_own = sys_identity(path, &identity) == 0 &&
						  identity.inode != evidence->namespaces[at].inode;
	}
}

/* The text after "KEY:", at its first word; NULL: there is no such line. */
static const char *value_of(const char *status, const char *key)
{
	const char *line = strstr(status, key);

	return line ? line + strlen(key) + strspn(line + strlen(key), "\t ") : NULL;
}

static int number_of(const char *status, const char *key)
{
	const char *value = value_of(status, key);

	return value ? (int)strtol(value, NULL, 10) : -1;
}

static void read_ids(const char *status, const char *key, uint32_t ids[4])
{
	const char *value = value_of(status, key);
	char *end;

	for (int i = 0; value && i < 4; i++, value = end)
		ids[i] = (uint32_t)strtoul(value, &end, 10);
}

static void look_at_status(struct evidence *evidence)
{
	static const char *const sets[] = { "\nCapInh:", "\nCapPrm:", "\nCapEff:", "\nCapBnd:", "\nCapAmb:" };
	char status[4096];
	const char *groups;

	if (read_of(evidence->program, "status", status, sizeof(status)) <= 0)
		return;
	evidence->has_status = true;
	read_ids(status, "\nUid:", evidence->uid);
	read_ids(status, "\nGid:", evidence->gid);
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		const char *value = value_of(status, sets[i]);

		evidence->capabilities[i] = value ? strtoull(value, NULL, 16) : UINT64_MAX;
	}
	evidence->no_new_privileges = number_of(status, "\nNoNewPrivs:");
	evidence->seccomp = number_of(status, "\nSeccomp:");
	evidence->seccomp_filters = number_of(status, "\nSeccomp_filters:");
	groups = value_of(status, "\nGroups:");
	if (groups)
		snprintf(evidence->groups, sizeof(evidence->groups), "%.*s", (int)strcspn(groups, "\n"), groups);
}

static int start(struct watch *watch, void *state, const struct step *step)
{
	(void)state;
	(void)step;
	watch->result->evidence = calloc(1, sizeof(*watch->result->evidence));
	return watch->result->evidence ? 0 : -ENOMEM;
}

static void started(struct watch *watch, void *state)
{
	struct evidence *evidence = watch->result->evidence;

	(void)state;
	evidence->init = watch->run->init;
	evidence->program = watch->run->plan->has_no_init ? evidence->init : find_program(evidence->init);
	for (int i = 0; i < NAMESPACES; i++)
		look_at_namespace(evidence, i);
	look_at_status(evidence);
	read_of(evidence->init, "uid_map", evidence->uid_map, sizeof(evidence->uid_map));
	read_of(evidence->init, "gid_map", evidence->gid_map, sizeof(evidence->gid_map));
	read_of(evidence->init, "cgroup", evidence->cgroup, sizeof(evidence->cgroup));
	watch_signal(watch, 0); /* init may go on */
}

const struct source source_evidence = { .name = "evidence", .op = OP_EVIDENCE, .start = start, .started = started };
