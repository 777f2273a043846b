/* SPDX-License-Identifier: Apache-2.0 */
/* The exported part about cleaning up after dead runs. */
#include <errno.h>

#include "api/api.h"
#include "host/probe.h"
#include "jails/state.h"
#include "run/state.h"
#include "sys/environment.h"
#include "sys/file.h"

/* Of jails that stay. That there never was one is no failure, and makes no folder. */
static int collect_jails(const char *folder, struct gc_count *count, struct error *err)
{
	auto_arena struct arena arena = { 0 };
	const char *pods = arena_format(&arena, "%s/pods", folder);
	auto_state struct state state = { -1, -1 };
	int rc;

	if (!pods)
		return error_set(err, ENOMEM, "looking through %s", folder);
	if (!sys_exists(pods))
		return 0;
	rc = state_open(&state, folder, err);
	if (rc < 0)
		return rc;
	rc = state_collect(&state);
	if (rc < 0)
		return error_set(err, -rc, "looking through %s", pods);
	count->undone += (unsigned)rc;
	return 0;
}

int immure_gc(struct immure_error *out)
{
	struct gc_count count = { 0 };
	struct error err = { 0 };
	struct host host = { 0 };
	int rc;

	host.caller.runtime = sys_variable("XDG_RUNTIME_DIR");
	rc = host_probe_basic(&host, &err);

	if (rc == 0) {
		rc = gc(host.state_folder, &count);
		if (rc < 0)
			error_set(&err, -rc, "looking through %s", host.state_folder);
	}
	if (rc == 0)
		rc = collect_jails(host.state_folder, &count, &err);
	if (rc == 0 && count.stuck) {
		rc = error_set(&err, count.stuck_errno, "removing %s", count.first_stuck);
		error_remedy(&err, "E-GC-STUCK", "see what is in it (cgroup.procs), end that, and run immure gc again");
	}
	arena_free(&host.arena);
	return tell(out, &err, rc < 0 ? rc : (int)count.undone, 125);
}
