/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroup section of the facts: per controller, where a group for a jail can be made, or why it cannot. */
#ifndef IMMURE_HOST_CGROUPS_H
#define IMMURE_HOST_CGROUPS_H

#include "host/host.h"
#include "spec/spec.h"

/* Whether what SPEC asks for may need a group: the section is probed only then. */
bool cgroups_are_asked(const struct spec *spec, const struct host *host);

/* Whether some limit can only be had in a group that systemd makes. The section was probed. */
bool cgroups_may_want_scope(const struct host *host);

/* Whether a group in which a jail can be stopped costs it but a folder. The section was probed. */
bool cgroups_may_freeze(const struct host *host);

/* Fills the section from the kernel's files. Nothing is written or made. */
int host_probe_cgroups(struct host *host, const struct spec *spec, struct error *err) MUST_CHECK;

/* The half that only reads text: versions, mounts, and the caller's own place in each hierarchy, which is put into
 * "parent" and "path" as if it could be written. MOUNTINFO, MEMBERSHIP: /proc/self/mountinfo, /proc/self/cgroup; both are changed. */
int cgroups_read(struct host *host, char *mountinfo, char *membership, struct error *err) MUST_CHECK;

extern const char *const controller_names[CONTROLLERS];
/* The controller's name in the kernel's files: "io" is "blkio" in version 1. */
const char *controller_name(enum controller controller, int version);

#endif
