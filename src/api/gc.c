/* SPDX-License-Identifier: Apache-2.0 */
/* The exported part about cleaning up after dead runs. */
#include "api/api.h"
#include "host/probe.h"
#include "run/state.h"
#include "sys/environment.h"

int immure_gc(struct immure_error *out)
{
	struct gc_count count = { 0 };
	struct error err = { 0 };
	struct host host = { 0 };
	int rc;

	host.runtime = sys_variable("XDG_RUNTIME_DIR");
	rc = host_probe_basic(&host, &err);

	if (rc == 0) {
		rc = gc(host.state_folder, &count);
		if (rc < 0)
			error_set(&err, -rc, "looking through %s", host.state_folder);
	}
	if (rc == 0 && count.stuck) {
		rc = error_set(&err, count.stuck_errno, "removing %s", count.first_stuck);
		error_remedy(&err, "E-GC-STUCK", "see what is in it (cgroup.procs), end that, and run immure gc again");
	}
	arena_free(&host.arena);
	return tell(out, &err, rc < 0 ? rc : (int)count.undone, 125);
}
