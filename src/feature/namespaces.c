/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces: each new, the caller's, or joined; who is born into what. namespaces(7), clone(2) */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/text.h"
#include "feature/feature.h"

#define NEWTIME 0x00000080 /* CLONE_NEWTIME, which shares its bit with CSIGNAL: unshare and clone3 only */

static const struct field fields[] = {
	{ .key = "userns", .type = FIELD_NAMESPACE, FIELD(userns), .fallback = "new", .since = "0.1",
	  .help = "user namespace; with host there is none, and root is needed (enclaves, minimal kernels)" },
	{ .key = "pidns", .type = FIELD_NAMESPACE, FIELD(pidns), .fallback = "new", .since = "0.1",
	  .help = "PID namespace: the program sees only its own processes" },
	{ .key = "mountns", .type = FIELD_NAMESPACE, FIELD(mountns), .fallback = "new", .since = "0.1",
	  .help = "mount namespace: the jail's own tree" },
	{ .key = "net", .type = FIELD_NAMESPACE, FIELD(net), .metavar = "loopback|none|host|join:PATH|PID", .fallback = "loopback", .since = "0.1",
	  .help = "network: loopback (own, only lo), none (own, nothing up), host, or join:PATH|PID" },
	{ .key = "utsns", .type = FIELD_NAMESPACE, FIELD(utsns), .fallback = "new", .since = "0.1",
	  .help = "UTS namespace: own host name" },
	{ .key = "ipcns", .type = FIELD_NAMESPACE, FIELD(ipcns), .fallback = "new", .since = "0.1",
	  .help = "IPC namespace: own System V and POSIX message queues" },
	{ .key = "cgroupns", .type = FIELD_NAMESPACE, FIELD(cgroupns), .fallback = "new", .since = "0.1",
	  .help = "cgroup namespace: the jail's group looks like the root" },
	{ .key = "timens", .type = FIELD_NAMESPACE, FIELD(timens), .fallback = "host", .since = "0.1",
	  .help = "time namespace: needed only to shift clocks" },
	{ .key = "hostname", .type = FIELD_NAME, FIELD(host_name), .fallback = "jail", .example = "web1", .since = "0.1",
	  .help = "host name inside" },
	{ .key = "monotonic-offset", .type = FIELD_DURATION, FIELD(monotonic_offset_ns), .fallback = "0", .example = "1h", .since = "0.1",
	  .help = "added to CLOCK_MONOTONIC inside; makes a time namespace" },
	{ .key = "boottime-offset", .type = FIELD_DURATION, FIELD(boottime_offset_ns), .fallback = "0", .example = "1h", .since = "0.1",
	  .help = "added to CLOCK_BOOTTIME inside; makes a time namespace" },
	{ .key = "nested-userns", .type = FIELD_FLAG, FIELD(may_nest), .since = "0.1",
	  .help = "let programs inside make user namespaces of their own",
	  .detail = "Each new user namespace opens kernel code to the program that it otherwise could not reach; "
		    "many kernel exploits begin there. The seccomp profile is opened for it (clone, unshare, setns, the "
		    "mount family); Landlock goes on refusing every mount, so a sandbox inside also wants --landlock off." },
	{ 0 },
};

/* One row each; the order is that of joining: the user namespace first, for it gives the right to the others. */
static const struct {
	size_t offset;
	uint64_t flag;
	const char *name;
} kinds[] = {
	{ offsetof(struct spec, userns), CLONE_NEWUSER, "user" },
	{ offsetof(struct spec, pidns), CLONE_NEWPID, "pid" },
	{ offsetof(struct spec, mountns), CLONE_NEWNS, "mnt" },
	{ offsetof(struct spec, net), CLONE_NEWNET, "net" },
	{ offsetof(struct spec, utsns), CLONE_NEWUTS, "uts" },
	{ offsetof(struct spec, ipcns), CLONE_NEWIPC, "ipc" },
	{ offsetof(struct spec, cgroupns), CLONE_NEWCGROUP, "cgroup" },
	{ offsetof(struct spec, timens), NEWTIME, "time" },
};

static const struct namespace_choice *choice_of(const struct spec *spec, size_t kind)
{
	return (const void *)((const char *)spec + kinds[kind].offset);
}

static int check(const struct spec *spec, const struct host *host, struct error *err)
{
	const bool may_without = HOST_HAS_CAP(host, 21 /* CAP_SYS_ADMIN */);
	const size_t length = spec->host_name ? strlen(spec->host_name) : 0;

	if (length > 64)
		return error_mistake(err, "hostname: \"%s\" is longer than 64 bytes", spec->host_name);
	for (size_t i = 1; i < ARRAY_SIZE(kinds); i++) {
		if (spec->userns.mode != NAMESPACE_HOST || choice_of(spec, i)->mode == NAMESPACE_HOST || may_without ||
		    host->has_no_namespaces)
			continue;
		error_mistake(err, "a new %s namespace without a user namespace needs root (CAP_SYS_ADMIN)", kinds[i].name);
		error_remedy(err, "E-NAMESPACE-ROOT", "leave out --userns host, or run as root");
		return -EINVAL;
	}
	return 0;
}

static void join(struct plan *plan, const struct spec *spec, size_t kind)
{
	const struct namespace_choice *choice = choice_of(spec, kind);
	const bool is_path = choice->target[0] == '/';
	const int slot = plan_slot(plan);
	struct step step = { .op = OP_OPEN, .side = LAUNCHER, .phase = PHASE_OPEN, .slot = slot,
			     .origin = spec_origin(spec, kinds[kind].offset), .flags = kinds[kind].flag };

	step.subject = is_path ? plan_copy(plan, choice->target)
			       : plan_format(plan, "/proc/%s/ns/%s", choice->target, kinds[kind].name);
	plan_add(plan, step);
	step.op = OP_JOIN_NAMESPACE;
	step.side = INIT;
	step.phase = PHASE_SELF;
	plan_add(plan, step);
}

/* The cgroup namespace takes its root where its maker stands, so it is made after init has been moved. cgroup_namespaces(7) */
static void unshare_cgroup(struct plan *plan, const struct spec *spec)
{
	plan_add(plan, (struct step){ .op = OP_UNSHARE, .side = INIT, .phase = PHASE_SELF, .flags = CLONE_NEWCGROUP,
				      .slot = SLOT_NONE, .origin = SPEC_ORIGIN(spec, cgroupns),
				      .why = "its root is the group in which init stands now" });
}

static void plan_clocks(struct plan *plan, const struct spec *spec)
{
	const struct { const char *clock; uint64_t offset; size_t member; } clocks[] = {
		{ "monotonic", spec->monotonic_offset_ns, offsetof(struct spec, monotonic_offset_ns) },
		{ "boottime", spec->boottime_offset_ns, offsetof(struct spec, boottime_offset_ns) },
	};

	if (spec->timens.mode != NAMESPACE_NEW && !spec->monotonic_offset_ns && !spec->boottime_offset_ns)
		return;
	plan_add(plan, (struct step){ .op = OP_UNSHARE, .side = INIT, .phase = PHASE_NAMES, .flags = NEWTIME, .slot = SLOT_NONE,
				      .origin = SPEC_ORIGIN(spec, timens),
				      .why = "for children: offsets freeze when the first one enters" });
	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++)
		if (clocks[i].offset)
			plan_add(plan, (struct step){ .op = OP_WRITE, .side = INIT, .phase = PHASE_NAMES, .slot = SLOT_NONE,
				.origin = spec_origin(spec, clocks[i].member), .subject = "/proc/self/timens_offsets",
				.text = plan_format(plan, "%s %llu %llu\n", clocks[i].clock,
						    (unsigned long long)(clocks[i].offset / 1000000000),
						    (unsigned long long)(clocks[i].offset % 1000000000)) });
}

static void plan_names(struct plan *plan, const struct spec *spec)
{
	if ((plan->clone_flags & CLONE_NEWUTS) && spec->host_name)
		plan_add(plan, (struct step){ .op = OP_HOST_NAME, .side = INIT, .phase = PHASE_NAMES, .slot = SLOT_NONE,
			.subject = spec->host_name, .origin = SPEC_ORIGIN(spec, host_name) });
	if ((plan->clone_flags & CLONE_NEWNET) && spec->net.mode == NAMESPACE_NEW)
		plan_add(plan, (struct step){ .op = OP_LOOPBACK, .side = INIT, .phase = PHASE_NAMES, .slot = SLOT_NONE,
			.origin = SPEC_ORIGIN(spec, net) });
	if (plan->has_userns && !spec->may_nest)
		plan_add(plan, (struct step){ .op = OP_WRITE, .side = INIT, .phase = PHASE_NAMES, .slot = SLOT_NONE,
			.subject = "/proc/sys/user/max_user_namespaces", .text = "0", .origin = SPEC_ORIGIN(spec, may_nest),
			.why = "no user namespaces inside this one" });
}

static void plan_namespaces(struct plan *plan, const struct spec *spec, const struct host *host)
{
	if (host->has_no_namespaces) {
		plan_lacks(plan, "namespaces");
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
			const enum namespace_mode mode = choice_of(spec, i)->mode;

			if (mode == NAMESPACE_JOIN)
				join(plan, spec, i);
			else if (mode != NAMESPACE_HOST && kinds[i].flag != CLONE_NEWCGROUP && kinds[i].flag != NEWTIME)
				plan->clone_flags |= kinds[i].flag;
		}
		plan->has_userns = spec->userns.mode != NAMESPACE_HOST;
		plan->has_pidns = spec->pidns.mode != NAMESPACE_HOST;
		plan->has_mountns = spec->mountns.mode == NAMESPACE_NEW;
		if (spec->cgroupns.mode == NAMESPACE_NEW)
			unshare_cgroup(plan, spec);
		plan_clocks(plan, spec);
		plan_names(plan, spec);
	}
	plan->opens_as_launcher = HOST_HAS_CAP(host, 21 /* CAP_SYS_ADMIN */);
	plan_add(plan, (struct step){ .op = OP_CLONE, .side = LAUNCHER, .phase = PHASE_BIRTH, .flags = plan->clone_flags,
				      .slot = SLOT_CGROUP, .why = "init is born" });
	plan_add(plan, (struct step){ .op = OP_DIE_WITH_LAUNCHER, .side = INIT, .phase = PHASE_SELF, .slot = SLOT_NONE });
	plan_add(plan, (struct step){ .op = OP_DIE_WITH_LAUNCHER, .side = INIT, .phase = PHASE_READY, .slot = SLOT_NONE,
				      .why = "again: the change of ids made the kernel forget it" });
	/* Not sooner: what is in /proc/self belongs to root for an undumpable process, id maps included. proc(5) */
	plan_add(plan, (struct step){ .op = OP_HIDE, .side = INIT, .phase = PHASE_READY, .slot = SLOT_NONE });
}

const struct feature feature_namespaces = {
	.name = "namespaces", .title = "Namespaces", .fields = fields, .check = check, .plan = plan_namespaces,
};
