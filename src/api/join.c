/* SPDX-License-Identifier: Apache-2.0 */
/* Names of jails that stay where namespaces are joined: join:NAME becomes the PID of a process of that jail. */
#include <errno.h>
#include <stdlib.h>

#include "api/jail.h"
#include "feature/feature.h"
#include "jails/census.h"
#include "sys/process.h"

static int take_pid(void *argument, const struct immure_jail_info *info)
{
	*(int64_t *)argument = info->pid;
	return 0;
}

/* A user without privilege may not look at the jail's init, which is closed to all of that user's processes, but at the program. */
static int find_program(pid_t *pid, struct error *err)
{
	struct processes processes;
	int rc = processes_look(&processes);

	if (rc == 0)
		*pid = census_first_child(&processes, *pid);
	processes_free(&processes);
	return rc < 0 ? error_set(err, -rc, "looking for processes") : 0;
}

static int find_jail(const char *name, pid_t *pid, struct error *err)
{
	int64_t init = -1;
	int rc = see_jails(name, take_pid, &init, err);

	*pid = (pid_t)init;
	if (rc == 0 && init > 0 && sys_effective_user() != 0)
		rc = find_program(pid, err);
	return rc == 0 && *pid <= 0 ? error_mistake(err, "the jail %s does not run", name) : rc;
}

int find_joined(struct spec *spec, struct error *err)
{
	struct namespace_choice *choice;

	while ((choice = spec_joins_jail(spec))) {
		pid_t pid;
		int rc = find_jail(choice->target, &pid, err);

		if (rc < 0)
			return error_while(err, "join:%s", choice->target);
		choice->target = arena_format(&spec->arena, "%d", (int)pid);
		if (!choice->target)
			return error_set(err, ENOMEM, "joining namespaces");
	}
	return 0;
}
