/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces: each new, the caller's, or joined; who is born into what. namespaces(7), clone(2) */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>

#include "base/text.h"
#include "feature/capability.h"
#include "feature/feature.h"
#include "host/cgroups.h"

#define NEWTIME 0x00000080 /* CLONE_NEWTIME, which shares its bit with CSIGNAL: unshare and clone3 only */

static const struct field fields[] = {
	{ .key = "userns", .type = FIELD_NAMESPACE, FIELD(userns), .fallback = "new", .since = "0.1",
	  .help = "user namespace; with host there is none, and root is needed (enclaves, minimal kernels)" },
	{ .key = "pidns", .type = FIELD_NAMESPACE, FIELD(pidns), .fallback = "new", .since = "0.1",
	  .help = "PID namespace: the program sees only its own processes",
	  .detail = "Without one of its own the filter denies calls that bound or slow down other processes (prlimit, setpriority, "
		    "ioprio_set, sched_set...), threads of its own among them; --seccomp-allow CALL opens each." },
	{ .key = "mountns", .type = FIELD_NAMESPACE, FIELD(mountns), .fallback = "new", .since = "0.1",
	  .help = "mount namespace: the jail's own tree",
	  .detail = "With host the filter denies sockets of AF_UNIX (--seccomp-allow socket opens them), since Landlock does not keep the "
		    "program from services that listen at a path. Nor does it keep it from changing modes, times and attributes of files that "
		    "belong to its id, shown or not: an ordinary user's program has the user's." },
	{ .key = "net", .type = FIELD_NAMESPACE, FIELD(net), .metavar = "loopback|none|host|join:JAIL|PID|PATH", .fallback = "loopback", .since = "0.1",
	  .help = "network: loopback (own, only lo), none (own, nothing up), host, or join:JAIL|PID|PATH" },
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
		    "mount family); Landlock goes on refusing every mount, so a sandbox inside also wants --landlock off. A program that "
		    "could raise the limit again (--cap-add sys_resource, --leave capabilities) is kept in a nested user namespace "
		    "instead, so that its capabilities do not count for the jail's other namespaces." },
	{ .key = "assert-no-userns", .type = FIELD_FLAG, FIELD(asserts_no_userns), .since = "0.1",
	  .help = "try to make a user namespace just before the program begins, and fail if that works" },
	{ .key = "userns-parent", .type = FIELD_PATH, FIELD(userns_parent), .example = "/proc/1234/ns/user", .since = "0.1",
	  .help = "make the new user namespace below this one, with one of its ids (as a caller without privileges) or with all of them" },
	{ .key = "pidns-parent", .type = FIELD_PATH, FIELD(pidns_parent), .example = "/proc/1234/ns/pid", .since = "0.1",
	  .help = "make the new PID namespace below this one" },
	{ .key = "inner-userns", .type = FIELD_PATH, FIELD(inner_userns), .example = "/proc/1234/ns/user", .since = "0.1",
	  .help = "enter this user namespace when all is set up; --user and --group are taken there" },
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

static bool is_path(const char *target)
{
	return target[0] == '/';
}

static bool is_pid(const char *target)
{
	uint64_t number;

	return number_parse(target, INT32_MAX, &number) == 0 && number > 0;
}

struct namespace_choice *spec_joins_jail(struct spec *spec)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct namespace_choice *choice = (void *)((char *)spec + kinds[i].offset);

		if (choice->mode == NAMESPACE_JOIN && !is_path(choice->target) && !is_pid(choice->target))
			return choice;
	}
	return NULL;
}

/* What is the name of a jail has become a PID before, where there are jails. */
static int check_join(const struct namespace_choice *choice, const char *name, struct error *err)
{
	if (choice->mode != NAMESPACE_JOIN || is_path(choice->target) || is_pid(choice->target))
		return 0;
	return error_mistake(err, "join:%s: the %s namespace is joined by join:PID or join:/PATH", choice->target, name);
}

/* What only a PID namespace of the jail's own, or one that is shared on purpose, makes possible. */
static int check_pids(const struct spec *spec, const struct host *host, struct error *err)
{
	if (spec->pidns.mode == NAMESPACE_JOIN && spec->lifetime == LIFETIME_LAUNCHER &&
	    (host->landlock_abi < 6 || spec->landlock == LANDLOCK_OFF)) {
		error_mistake(err, "--pidns join: at the end only Landlock's scopes (ABI 6, Linux 6.12) tell this jail's processes from others");
		error_remedy(err, "E-PIDNS-JOIN", "use a PID namespace of its own");
		return -EINVAL;
	}
	if (spec->is_ordered || spec->borrows_proc || spec->pidns.mode == NAMESPACE_NEW || spec->mountns.mode != NAMESPACE_NEW || spec->proc != PROC_NEW ||
	    spec->userns.mode != NAMESPACE_NEW || host->has_no_namespaces)
		return 0;
	error_mistake(err, "a new /proc needs a PID namespace of the jail's own");
	error_remedy(err, "E-PROC-PIDNS", "with --pidns %s say --proc bind, or --proc none", spec->pidns.mode == NAMESPACE_HOST ? "host" : "join");
	return -EINVAL;
}

/* Two walls keep user namespaces from being nested: the sysctl and the filter. One may be missing, not both. */
static int check_nesting(const struct spec *spec, const struct host *host, struct error *err)
{
	const bool is_filtered = strcmp(spec->seccomp, "off") != 0 && !spec->seccomp_allow && host->has_seccomp;

	if (!host->has_fixed_sysctls || host->has_no_namespaces || spec->userns.mode != NAMESPACE_NEW || spec->may_nest || is_filtered)
		return 0;
	error_mistake(err, "/proc/sys is read-only here (a container?), so only the filter could forbid nested user namespaces");
	error_remedy(err, "E-NESTED-USERNS", "use a shipped filter as it is, or permit them with --nested-userns");
	return -EPERM;
}

/* Without a tree of its own the jail sees the host's, and Landlock is all that keeps files from it. */
static int check_tree(const struct spec *spec, const struct host *host, struct error *err)
{
	if (spec->mountns.mode != NAMESPACE_HOST || spec->landlock == LANDLOCK_OFF || host->landlock_abi || spec_may_lack(spec, "landlock"))
		return 0;
	error_mistake(err, "--mountns host: without Landlock, which this kernel does not have, nothing would keep the host's files from the program");
	error_remedy(err, "E-LANDLOCK-NONE", "a kernel with Landlock (5.13, and landlock in its lsm= list), or namespaces");
	return -EINVAL;
}

static int check_paths(const struct spec *spec, const struct host *host, struct error *err)
{
	if (spec->pidns_parent && (spec->pidns.mode != NAMESPACE_NEW || host->has_no_namespaces))
		return error_mistake(err, "--pidns-parent: there is no new PID namespace that could be made below it");
	if (spec->pidns_parent && !is_path(spec->pidns_parent))
		return error_mistake(err, "--pidns-parent %s: it wants the path of a namespace file", spec->pidns_parent);
	if (spec->userns_parent && (spec->userns.mode != NAMESPACE_NEW || host->has_no_namespaces))
		return error_mistake(err, "--userns-parent: there is no new user namespace that could be made below it");
	if (spec->userns_parent && !is_path(spec->userns_parent))
		return error_mistake(err, "--userns-parent %s: it wants the path of a namespace file", spec->userns_parent);
	if (spec->inner_userns && (spec->userns.mode == NAMESPACE_HOST || host->has_no_namespaces))
		return error_mistake(err, "--inner-userns: it is entered from another user namespace, and there is none");
	if (spec->inner_userns && !is_path(spec->inner_userns))
		return error_mistake(err, "--inner-userns %s: it wants the path of a namespace file", spec->inner_userns);
	return 0;
}

static int check(const struct spec *spec, const struct host *host, struct error *err)
{
	const bool may_without = HOST_HAS_CAP(host, 21 /* CAP_SYS_ADMIN */);
	const size_t length = spec->host_name ? strlen(spec->host_name) : 0;

	if (length > 64)
		return error_mistake(err, "hostname: \"%s\" is longer than 64 bytes", spec->host_name);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (check_join(choice_of(spec, i), kinds[i].name, err) < 0)
			return -EINVAL;
	for (size_t i = 1; i < ARRAY_SIZE(kinds); i++) {
		if (spec->userns.mode != NAMESPACE_HOST || choice_of(spec, i)->mode == NAMESPACE_HOST || may_without ||
		    host->has_no_namespaces)
			continue;
		error_mistake(err, "a new %s namespace without a user namespace needs root (CAP_SYS_ADMIN)", kinds[i].name);
		error_remedy(err, "E-NAMESPACE-ROOT", "leave out --userns host, or run as root");
		return -EINVAL;
	}
	if (check_nesting(spec, host, err) < 0 || check_tree(spec, host, err) < 0)
		return -EPERM;
	if (check_paths(spec, host, err) < 0)
		return -EINVAL;
	return check_pids(spec, host, err);
}

static bool is_joined(const struct spec *spec, size_t kind)
{
	return choice_of(spec, kind)->mode == NAMESPACE_JOIN;
}

/* Opened for the self-check, and, where the target is a path, for joining as well. */
static int open_namespace(struct plan *plan, const struct spec *spec, size_t kind)
{
	const char *target = choice_of(spec, kind)->target;
	struct step step = { .op = OP_OPEN, .side = LAUNCHER, .phase = PHASE_OPEN, .slot = plan_slot(plan),
			     .origin = spec_origin(spec, kinds[kind].offset) };
	struct step check = { .op = OP_CHECK_JOINED, .side = INIT, .phase = PHASE_SELF, .slot = step.slot, .origin = step.origin,
			      .flags = kinds[kind].flag };

	step.subject = is_path(target) ? plan_copy(plan, target) : plan_format(plan, "/proc/%s/ns/%s", target, kinds[kind].name);
	check.subject = step.subject;
	plan_add(plan, step);
	plan_add(plan, check);
	return step.slot;
}

static void add_join(struct plan *plan, const struct spec *spec, size_t kind, uint64_t flags, int slot)
{
	const char *target = choice_of(spec, kind)->target;

	plan_add(plan, (struct step){ .op = OP_JOIN_NAMESPACE, .side = LAUNCHER, .phase = PHASE_JOIN, .slot = slot, .flags = flags,
		.subject = is_path(target) ? plan_copy(plan, target) : plan_format(plan, "process %s", target),
		.origin = spec_origin(spec, kinds[kind].offset), .why = "by a helper, before init is born in it" });
}

/* All namespaces that are joined from the process that the choice of KIND names: one call, which keeps the right order. setns(2) */
static void join_process(struct plan *plan, const struct spec *spec, size_t kind)
{
	const char *target = choice_of(spec, kind)->target;
	const int slot = plan_slot(plan);
	uint64_t flags = 0, number = 0;

	for (size_t other = 0; other < ARRAY_SIZE(kinds); other++) {
		if (!is_joined(spec, other) || strcmp(choice_of(spec, other)->target, target) != 0)
			continue;
		if (other < kind)
			return; /* with that one */
		flags |= kinds[other].flag;
		open_namespace(plan, spec, other);
	}
	number_parse(target, INT32_MAX, &number);
	plan_add(plan, (struct step){ .op = OP_OPEN_PROCESS, .side = LAUNCHER, .phase = PHASE_OPEN, .slot = slot, .number = number,
		.subject = plan_copy(plan, target), .origin = spec_origin(spec, kinds[kind].offset) });
	add_join(plan, spec, kind, flags, slot);
}

/* What is made then lands in a new one below it. Returns its slot. */
static int join_parent(struct plan *plan, const char *target, uint64_t flag, const struct origin *origin)
{
	const int slot = plan_slot(plan);
	const char *path = plan_copy(plan, target);

	plan_add(plan, (struct step){ .op = OP_OPEN, .side = LAUNCHER, .phase = PHASE_OPEN, .slot = slot, .subject = path, .origin = origin });
	plan_add(plan, (struct step){ .op = OP_JOIN_NAMESPACE, .side = LAUNCHER, .phase = PHASE_JOIN, .slot = slot, .flags = flag,
		.subject = path, .origin = origin, .why = "by a helper: the new one is made below it" });
	return slot;
}

/* The helper may have left the host's /proc when it has to write there. */
static void open_process(struct plan *plan, const struct spec *spec)
{
	struct step step = { .op = OP_OPEN, .side = LAUNCHER, .phase = PHASE_JOIN, .slot = plan_slot(plan), .subject = "/proc/self",
			     .number = O_PATH | O_DIRECTORY | O_CLOEXEC, .origin = SPEC_ORIGIN(spec, userns_parent) };

	plan->process = step.slot;
	step.why = "id maps are written there";
	plan_add(plan, step);
	if (spec->mountns.mode != NAMESPACE_JOIN)
		return;
	plan->sysctls = step.slot = plan_slot(plan);
	step.subject = "/proc/sys/user";
	step.why = "in another tree it may be missing, or read-only";
	plan_add(plan, step);
}

/* Before Linux 6.11 only a /proc tells what namespaces one is in, and another tree may be without. ioctl_pidfd(2) */
static void open_proc(struct plan *plan, const struct spec *spec, const struct host *host)
{
	if (spec->mountns.mode != NAMESPACE_JOIN || host_kernel_is(host, 6, 11))
		return;
	plan->proc = plan_slot(plan);
	plan_add(plan, (struct step){ .op = OP_OPEN, .side = LAUNCHER, .phase = PHASE_OPEN, .slot = plan->proc, .subject = "/proc",
		.number = O_PATH | O_DIRECTORY | O_CLOEXEC, .origin = SPEC_ORIGIN(spec, mountns), .why = "its own namespaces are read there; another tree may have none" });
}

/* Who is root here may join all others before the user namespace, and some of them only then; others have the right only after it. */
static void plan_joins(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const bool is_user_last = HOST_HAS_CAP(host, 21 /* CAP_SYS_ADMIN */);

	if (spec->userns_parent)
		open_process(plan, spec);
	open_proc(plan, spec, host);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const size_t kind = (i + is_user_last) % ARRAY_SIZE(kinds);

		if (kinds[kind].flag == CLONE_NEWPID && spec->pidns_parent)
			join_parent(plan, spec->pidns_parent, CLONE_NEWPID, SPEC_ORIGIN(spec, pidns_parent));
		if (kinds[kind].flag == CLONE_NEWUSER && spec->userns_parent)
			plan->parent_world = join_parent(plan, spec->userns_parent, CLONE_NEWUSER, SPEC_ORIGIN(spec, userns_parent));
		if (!is_joined(spec, kind))
			continue;
		plan->shared_worlds |= kinds[kind].flag & ~(uint64_t)CLONE_NEWUSER;
		if (is_path(choice_of(spec, kind)->target) || !host_kernel_is(host, 5, 8))
			add_join(plan, spec, kind, kinds[kind].flag, open_namespace(plan, spec, kind));
		else
			join_process(plan, spec, kind);
	}
}

/* The cgroup namespace takes its root where its maker stands: where there is a group, it is made after init has been moved. cgroup_namespaces(7) */
static void unshare_cgroup(struct plan *plan, const struct spec *spec)
{
	plan_add(plan, (struct step){ .op = OP_UNSHARE, .side = INIT, .phase = PHASE_SELF, .flags = CLONE_NEWCGROUP,
				      .slot = SLOT_NONE, .origin = SPEC_ORIGIN(spec, cgroupns),
				      .why = "its root is the group in which init stands now" });
}

/*
 * Offsets freeze when the first process enters, so: make, set, and only then enter. Init enters by itself: a payload born
 * by vfork would be refused by kernels before 6.3, and stay outside in some. time_namespaces(7)
 */
static void enter_clocks(struct plan *plan, const struct spec *spec)
{
	struct step step = { .op = OP_OPEN, .side = INIT, .phase = PHASE_NAMES, .slot = plan_slot(plan), .flags = NEWTIME,
			     .origin = SPEC_ORIGIN(spec, timens), .subject = "/proc/self/ns/time_for_children" };

	plan_add(plan, step);
	step.op = OP_JOIN_NAMESPACE;
	step.subject = "its new time namespace";
	step.why = "the offsets are frozen from now on";
	plan_add(plan, step);
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
				      .why = "entered once its offsets are set" });
	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++)
		if (clocks[i].offset)
			plan_add(plan, (struct step){ .op = OP_WRITE, .side = INIT, .phase = PHASE_NAMES, .slot = SLOT_NONE,
				.origin = spec_origin(spec, clocks[i].member), .subject = "/proc/self/timens_offsets",
				.text = plan_format(plan, "%s %llu %llu\n", clocks[i].clock,
						    (unsigned long long)(clocks[i].offset / 1000000000),
						    (unsigned long long)(clocks[i].offset % 1000000000)) });
	enter_clocks(plan, spec);
}

/*
 * Making a network namespace takes the kernel about as long as all that init does until the program is born, so where there is another
 * processor it is made there meanwhile. Not where others are told of it, or hold it, or where a file system shows what is in it.
 * Decision 0006
 */
static bool is_network_made_beside(const struct spec *spec, const struct host *host)
{
	return host->processors > 1 && spec->net.mode == NAMESPACE_NEW && spec->userns.mode == NAMESPACE_NEW && !spec->userns_parent &&
	       spec->pidns.mode == NAMESPACE_NEW && spec->mountns.mode == NAMESPACE_NEW && spec->sys == SYS_NONE && !spec->is_kept &&
	       !spec->is_holder && !spec->info_fd && !spec->status_fd;
}

/* Begun when the id maps are there, whose root owns it; entered while init has its capabilities still. */
static void make_network_beside(struct plan *plan, const struct spec *spec)
{
	struct step step = { .op = OP_NETWORK_BEGIN, .side = INIT, .phase = PHASE_NAMES, .slot = plan_slot(plan), .origin = SPEC_ORIGIN(spec, net),
			     .why = "on another processor, while the tree is built" };

	plan_add(plan, step);
	step.op = OP_NETWORK_ENTER;
	step.phase = PHASE_READY;
	step.why = NULL;
	plan_add(plan, step);
	step.op = OP_LOOPBACK;
	step.slot = SLOT_NONE;
	step.why = "it is; but in another network than the jail's own init may not";
	plan_add(plan, step);
}

static void plan_names(struct plan *plan, const struct spec *spec, const struct host *host)
{
	if ((plan->clone_flags & CLONE_NEWUTS) && spec->host_name && !spec_leaves(spec, "hostname"))
		plan_add(plan, (struct step){ .op = OP_HOST_NAME, .side = INIT, .phase = PHASE_NAMES, .slot = SLOT_NONE,
			.subject = spec->host_name, .origin = SPEC_ORIGIN(spec, host_name) });
	if ((plan->clone_flags & CLONE_NEWNET) && spec->net.mode == NAMESPACE_NEW)
		plan_add(plan, (struct step){ .op = OP_LOOPBACK, .side = INIT, .phase = PHASE_NAMES, .slot = SLOT_NONE,
			.origin = SPEC_ORIGIN(spec, net) });
	if (is_network_made_beside(spec, host))
		make_network_beside(plan, spec);
}

/* What members do in the pod's network they do without its user namespace's capabilities, of which one would be needed. ip-sysctl.rst */
static void open_ports(struct plan *plan, const struct spec *spec, const struct host *host)
{
	if (spec->is_holder && (plan->clone_flags & CLONE_NEWNET) && !host->has_fixed_sysctls)
		plan_add(plan, (struct step){ .op = OP_WRITE, .side = INIT, .phase = PHASE_NAMES, .slot = SLOT_NONE, .how = STEP_OPTIONAL,
			.subject = "/proc/sys/net/ipv4/ip_unprivileged_port_start", .text = "0", .origin = SPEC_ORIGIN(spec, net),
			.why = "no capability of a member's counts in the pod's network, and ports below 1024 would want one" });
}

/* CAP_SYS_RESOURCE is what writes /proc/sys/user; who has it in a nested one cannot write the outer one's. ucount.c, set_permissions() */
static bool could_raise_limit(const struct spec *spec, const struct host *host)
{
	return capabilities_possible(spec, host) & 1ULL << CAP_SYS_RESOURCE;
}

static void plan_nesting(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const bool is_nested = could_raise_limit(spec, host);
	const struct origin *origin = SPEC_ORIGIN(spec, may_nest);
	int slot;

	if (spec->userns.mode != NAMESPACE_NEW || spec->may_nest || host->has_fixed_sysctls || plan->sysctls)
		return; /* the last: the helper sees to it. ids.c */
	plan_add(plan, (struct step){ .op = OP_WRITE, .side = INIT, .phase = PHASE_NAMES, .slot = SLOT_NONE,
		.subject = "/proc/sys/user/max_user_namespaces", .text = is_nested ? "1" : "0", .origin = origin,
		.why = is_nested ? "none inside this one but one of immure's" : "no user namespaces inside this one" });
	if (!is_nested)
		return;
	slot = plan_slot(plan);
	plan_add(plan, (struct step){ .op = OP_OPEN, .side = INIT, .phase = PHASE_NAMES, .slot = slot, .subject = "/proc/self",
		.number = O_PATH | O_DIRECTORY | O_CLOEXEC, .origin = origin, .why = "its id maps will be written there" });
	plan_add(plan, (struct step){ .op = OP_NEST, .side = INIT, .phase = PHASE_READY, .slot = slot, .origin = origin,
		.why = "the program could raise the limit of its own one" });
}

/* The last of what init does as the jail's maker. */
static void plan_inner_userns(struct plan *plan, const struct spec *spec)
{
	const struct origin *origin = SPEC_ORIGIN(spec, inner_userns);
	const int slot = spec->inner_userns ? plan_slot(plan) : SLOT_NONE;
	const char *path = spec->inner_userns ? plan_copy(plan, spec->inner_userns) : NULL;

	if (!path)
		return;
	plan_add(plan, (struct step){ .op = OP_OPEN, .side = LAUNCHER, .phase = PHASE_OPEN, .slot = slot, .subject = path, .origin = origin });
	plan_add(plan, (struct step){ .op = OP_JOIN_NAMESPACE, .side = INIT, .phase = PHASE_READY, .slot = slot, .flags = CLONE_NEWUSER,
		.subject = path, .origin = origin });
}

static void choose(struct plan *plan, const struct spec *spec, const struct host *host)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const enum namespace_mode mode = choice_of(spec, i)->mode;

		if ((mode == NAMESPACE_NEW || mode == NAMESPACE_BARE) && kinds[i].flag != NEWTIME &&
		    (kinds[i].flag != CLONE_NEWCGROUP || !cgroups_are_asked(spec, host)))
			plan->clone_flags |= kinds[i].flag;
	}
	if (is_network_made_beside(spec, host))
		plan->clone_flags &= ~(uint64_t)CLONE_NEWNET;
	if (spec->userns_parent) /* by the helper, before */
		plan->clone_flags &= ~(uint64_t)CLONE_NEWUSER;
	plan->has_userns = spec->userns.mode != NAMESPACE_HOST;
	plan->has_pidns = spec->pidns.mode != NAMESPACE_HOST;
	plan->has_mountns = spec->mountns.mode == NAMESPACE_NEW;
	plan->joins_mountns = spec->mountns.mode == NAMESPACE_JOIN;
	plan->owns_pids = spec->pidns.mode == NAMESPACE_NEW;
	/* Nothing of its own /proc/self is written by itself then, which would want it to be dumpable. */
	plan->is_born_hidden = spec->pidns.mode == NAMESPACE_JOIN && spec->is_kept && spec->timens.mode != NAMESPACE_NEW &&
			       (spec->userns_parent || plan->opens_as_launcher);
}

/*
 * Without a PID namespace of its own nothing ends with init, so init ends it: by kill(-1), which the fence keeps within the
 * jail and which no fork can outrun; without Landlock's scopes by the list of its children. And it must outlive the launcher.
 */
static void plan_fence(struct plan *plan, const struct host *host)
{
	enum { SCOPE_SIGNALS = 2 };
	const bool can_fence = host->landlock_abi >= 6;

	plan_add(plan, (struct step){ .op = OP_ADOPT, .side = INIT, .phase = PHASE_SELF, .slot = SLOT_CHILDREN, .number = can_fence,
		.why = "no PID namespace ends them" });
	if (can_fence)
		plan_add(plan, (struct step){ .op = OP_FENCE, .side = INIT, .phase = PHASE_READY, .slot = SLOT_NONE,
			.flags = SCOPE_SIGNALS, .why = "what init kills in the end is the jail and nothing else" });
	plan_add(plan, (struct step){ .op = OP_DIE_WITH_LAUNCHER, .side = PAYLOAD, .phase = PHASE_PRIVILEGE, .slot = SLOT_NONE,
		.subject = "init" });
}

/* What is set up dies with the launcher, whatever it may do as a jail: nothing is ever left half done. */
static void plan_end(struct plan *plan, const struct spec *spec, const struct host *host)
{
	struct step die = { .op = OP_DIE_WITH_LAUNCHER, .side = INIT, .phase = PHASE_SELF, .slot = SLOT_NONE, .subject = "the launcher" };
	struct step outlive = { .op = OP_OUTLIVE, .side = INIT, .phase = PHASE_READY, .slot = SLOT_NONE,
				.origin = SPEC_ORIGIN(spec, lifetime) };

	if (!plan->owns_pids && !plan->outlives) {
		plan_fence(plan, host);
		return;
	}
	plan_add(plan, die);
	if (plan->outlives && !plan->has_no_init) {
		plan_add(plan, outlive);
		return;
	}
	die.why = "again: the change of ids made the kernel forget it";
	die.phase = PHASE_READY;
	plan_add(plan, die);
	if (!plan->has_no_init)
		return;
	die.side = outlive.side = PAYLOAD;
	die.phase = outlive.phase = PHASE_PRIVILEGE;
	plan_add(plan, plan->outlives && (plan->owns_pids || !spec->dies_with_parent) ? outlive : die);
}

static bool is_own(const struct spec *spec, size_t kind)
{
	const bool has_clocks = spec->monotonic_offset_ns || spec->boottime_offset_ns;

	return choice_of(spec, kind)->mode != NAMESPACE_HOST || (kinds[kind].flag == NEWTIME && has_clocks);
}

static unsigned kind_of(uint64_t flag)
{
	unsigned kind = 0;

	while (kind + 1 < NAMESPACES && namespace_flags[kind] != flag)
		kind++;
	return kind;
}

/*
 * Who keeps the jail holds its namespaces by descriptor, to let others in. Init gives them, for nobody else can open those of an
 * undumpable process; and its root, once that is the jail's.
 */
static void give_worlds(struct plan *plan, const struct spec *spec)
{
	struct step give = { .op = OP_GIVE_NAMESPACES, .side = INIT, .phase = PHASE_ROOT, .slot = SLOT_NONE, .why = "its keeper holds them" };

	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		if (!is_own(spec, kind))
			continue;
		give.flags |= kinds[kind].flag;
		plan->worlds[kind_of(kinds[kind].flag)] = plan_slot(plan);
	}
	if (give.flags)
		plan_add(plan, give);
	if (plan_has(plan, OP_NEST) || spec->inner_userns) {
		give.flags = CLONE_NEWUSER;
		give.phase = PHASE_READY;
		give.number = NAMESPACES;
		plan->worlds[NAMESPACES] = plan_slot(plan);
		plan_add(plan, give);
	}
	if (plan->has_mountns)
		plan_add(plan, (struct step){ .op = OP_GIVE_ROOT, .side = INIT, .phase = PHASE_READY, .slot = SLOT_NONE });
}

static void plan_namespaces(struct plan *plan, const struct spec *spec, const struct host *host)
{
	if (host->has_no_namespaces) {
		plan_lacks(plan, "namespaces");
	} else {
		plan->opens_as_launcher = HOST_HAS_CAP(host, 21 /* CAP_SYS_ADMIN */);
		choose(plan, spec, host);
		plan_joins(plan, spec, host);
		if (spec->cgroupns.mode == NAMESPACE_NEW && !(plan->clone_flags & CLONE_NEWCGROUP))
			unshare_cgroup(plan, spec);
		plan_clocks(plan, spec);
		plan_names(plan, spec, host);
		open_ports(plan, spec, host);
		plan_nesting(plan, spec, host);
		plan_inner_userns(plan, spec);
	}
	if (spec->asserts_no_userns)
		plan_add(plan, (struct step){ .op = OP_ASSERT_NO_USERNS, .side = PAYLOAD, .phase = PHASE_CHECK, .slot = SLOT_NONE,
			.origin = SPEC_ORIGIN(spec, asserts_no_userns) });
	plan->opens_as_launcher = HOST_HAS_CAP(host, 21 /* CAP_SYS_ADMIN */);
	plan_add(plan, (struct step){ .op = OP_CLONE, .side = LAUNCHER, .phase = PHASE_BIRTH, .flags = plan->clone_flags,
				      .slot = SLOT_CGROUP, .why = "init is born" });
	if (spec->is_kept && !host->has_no_namespaces)
		give_worlds(plan, spec);
	plan_end(plan, spec, host);
	/* Not sooner: what is in /proc/self belongs to root for an undumpable process, id maps included. proc(5) */
	plan_add(plan, (struct step){ .op = OP_HIDE, .side = INIT, .phase = PHASE_READY, .slot = SLOT_NONE,
		.how = spec_leaves(spec, "dumpable") ? STEP_LEFT : 0, .why = spec_leaves(spec, "dumpable") ? "but the caller may still join it" : NULL });
}

const struct feature feature_namespaces = {
	.name = "namespaces", .title = "Namespaces", .fields = fields, .check = check, .plan = plan_namespaces,
};
