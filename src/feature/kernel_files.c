/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc, /sys and /dev. The program's ids never map to host root, so files of /proc that only root
 * may open need no mask; masks are for what anybody could read. proc(5)
 */
#include <errno.h>

#include "feature/root.h"

static const char *const proc_modes[] = { "new", "bind", "none", NULL };
static const char *const sys_modes[] = { "none", "ro", NULL };
static const char *const dev_modes[] = { "minimal", "none", NULL };

static const struct field fields[] = {
	{ .key = "proc", .type = FIELD_ENUM, FIELD(proc), .choices = proc_modes, .fallback = "new", .since = "0.1",
	  .help = "/proc: new for the PID namespace, bind (the host's, read-only), or none" },
	{ .key = "sys", .type = FIELD_ENUM, FIELD(sys), .choices = sys_modes, .fallback = "none", .since = "0.1",
	  .help = "/sys: none, or ro (masked and read-only; wants a network namespace of its own)" },
	{ .key = "dev", .type = FIELD_ENUM, FIELD(dev), .choices = dev_modes, .fallback = "minimal", .since = "0.1",
	  .help = "/dev: minimal (null, zero, full, random, urandom, tty, pts, shm), or none" },
	{ 0 },
};

static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty" };
static const struct { const char *path, *target; } links[] = {
	{ "/dev/fd", "/proc/self/fd" }, { "/dev/stdin", "/proc/self/fd/0" }, { "/dev/stdout", "/proc/self/fd/1" },
	{ "/dev/stderr", "/proc/self/fd/2" }, { "/dev/ptmx", "pts/ptmx" },
};

/* Readable by anybody, and about the machine or its other users; then what only host root could open or write. */
static const struct { const char *path; bool is_for_host_root, is_read_only; } guarded[] = {
	{ "/proc/keys", false, false }, { "/proc/key-users", false, false }, { "/proc/latency_stats", false, false },
	{ "/proc/sys", false, true },
	{ "/proc/kcore", true, false }, { "/proc/kallsyms", true, false }, { "/proc/timer_list", true, false },
	{ "/proc/sched_debug", true, false }, { "/proc/scsi", true, false }, { "/proc/acpi", true, false },
	{ "/proc/slabinfo", true, false }, { "/proc/vmallocinfo", true, false }, { "/proc/kpagecount", true, false },
	{ "/proc/kpageflags", true, false }, { "/proc/kpagecgroup", true, false }, { "/proc/kmsg", true, false },
	{ "/proc/sysrq-trigger", true, true }, { "/proc/irq", true, true }, { "/proc/bus", true, true }, { "/proc/fs", true, true },
};

/* Of a fresh /sys what tells about the machine below the system: firmware, power, the kernel's own insides. */
static const char *const hidden_in_sys[] = {
	"/sys/firmware", "/sys/kernel/debug", "/sys/kernel/tracing", "/sys/kernel/security", "/sys/kernel/vmcoreinfo",
	"/sys/kernel/notes", "/sys/fs/pstore", "/sys/fs/bpf", "/sys/fs/cgroup", "/sys/power", "/sys/devices/virtual/powercap",
	"/sys/class/powercap",
};

static bool is_asked(const struct origin *origin)
{
	return origin->layer != LAYER_DEFAULT;
}

static void add_guards(struct plan *plan, const struct spec *spec, const struct origin *origin)
{
	const bool is_all_read_only = spec->proc == PROC_BIND;

	for (size_t i = 0; i < ARRAY_SIZE(guarded); i++) {
		if (guarded[i].is_for_host_root && !spec->allow_host_root)
			continue;
		if (guarded[i].is_read_only && is_all_read_only)
			continue;
		tree_add(plan->tree, (struct tree_item){ .target = guarded[i].path, .is_optional = true,
			.kind = guarded[i].is_read_only ? TREE_READ_ONLY : TREE_MASK, .origin = origin,
			.why = guarded[i].is_read_only ? "not to be written" : "tells about the machine" });
	}
}

/* The pod's, as PATH in its own tree. Copies of it are one file system. Returns the slot. */
static int borrow(struct plan *plan, const struct spec *spec, const char *path)
{
	struct step step = { .op = OP_BORROW_MOUNT, .side = LAUNCHER, .phase = PHASE_OPEN, .slot = plan_slot(plan), .subject = path,
			     .number = (uint64_t)plan->parent_world, .why = "it is shared by the pod" };
	struct step open = { .op = OP_OPEN, .side = LAUNCHER, .phase = PHASE_OPEN, .slot = plan_slot(plan),
			     .subject = plan_copy(plan, spec->pod_mounts), .why = "the pod's mount namespace" };

	step.more = (uint64_t)open.slot;
	plan_add(plan, open);
	plan_add(plan, step);
	return step.slot;
}

static void add_proc(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const struct origin *origin = SPEC_ORIGIN(spec, proc);

	if (spec->proc == PROC_NONE)
		return;
	if (!is_asked(origin) && !root_has_place(plan, spec, host, "/proc", "programs that look at processes will fail"))
		return;
	tree_add(plan->tree, (struct tree_item){ .kind = spec->proc == PROC_NEW ? TREE_PROC : TREE_BIND, .target = "/proc",
		.source = "/proc", .is_writable = spec->proc == PROC_NEW, .is_noexec = true, .origin = origin,
		.borrowed = spec->borrows_proc && spec->proc == PROC_NEW ? borrow(plan, spec, "/proc") : 0,
		.why = spec->proc == PROC_BIND ? "the host's: its processes are seen by name" : NULL });
	add_guards(plan, spec, origin);
}

static void add_sys(struct plan *plan, const struct spec *spec)
{
	const struct origin *origin = SPEC_ORIGIN(spec, sys);

	if (spec->sys != SYS_RO)
		return;
	tree_add(plan->tree, (struct tree_item){ .kind = TREE_SYSFS, .target = "/sys", .origin = origin });
	for (size_t i = 0; i < ARRAY_SIZE(hidden_in_sys); i++)
		tree_add(plan->tree, (struct tree_item){ .kind = TREE_MASK, .target = hidden_in_sys[i], .is_optional = true,
			.origin = origin, .why = "tells about the machine" });
}

static void add_devices(struct plan *plan, const struct host *host, const struct origin *origin)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (host_look(host, devices[i])->kind == PATH_OTHER)
			tree_add(plan->tree, (struct tree_item){ .kind = TREE_BIND, .target = devices[i], .source = devices[i],
				.is_file = true, .is_writable = true, .may_hold_devices = true, .origin = origin });
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		tree_add(plan->tree, (struct tree_item){ .kind = TREE_SYMLINK, .target = links[i].path, .source = links[i].target,
			.origin = origin });
}

static void add_shared_memory(struct plan *plan, const struct spec *spec, const struct origin *origin)
{
	const bool is_own_root = !root_is_directory(spec);
	struct tree_item item = { .kind = TREE_SCRATCH, .target = "/dev/shm", .is_writable = true, .mode = 01777, .origin = origin,
		.text = is_own_root ? NULL : root_tmpfs_options(plan, spec, 4, 01777), .why = "private, thrown away at the end" };

	if (spec->borrows_shm) {
		item.kind = TREE_TMPFS;
		item.text = NULL;
		item.borrowed = borrow(plan, spec, "/dev/shm");
		item.why = "the pod's, with its System V and POSIX queues";
	}
	tree_add(plan->tree, item);
}

static void add_dev(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const struct origin *origin = SPEC_ORIGIN(spec, dev);
	const bool is_own_root = !root_is_directory(spec);

	if (spec->dev == DEV_NONE)
		return;
	if (!is_asked(origin) && !root_has_place(plan, spec, host, "/dev", "there is no /dev/null, no random numbers, no terminals"))
		return;
	if (!is_own_root)
		tree_add(plan->tree, (struct tree_item){ .kind = TREE_TMPFS, .target = "/dev", .mode = 0755, .origin = origin,
			.text = "size=64k,nr_inodes=64,mode=755" });
	add_devices(plan, host, origin);
	tree_add(plan->tree, (struct tree_item){ .kind = TREE_DEVPTS, .target = "/dev/pts", .is_writable = true,
		.may_hold_devices = true, .origin = origin, .text = "newinstance,ptmxmode=0666,mode=620,max=64" });
	add_shared_memory(plan, spec, origin);
}

/*
 * The host's /proc shows the host's processes. Where the jail's user is the caller, /proc/PID/root of the caller's
 * other processes would lead out: only Landlock, which forbids to look into processes outside, stands in between.
 */
static int check(const struct spec *spec, const struct host *host, struct error *err)
{
	const bool may_be_caller = host->uid != 0 || spec->allow_host_root;

	if (spec->is_ordered || spec->proc != PROC_BIND || !may_be_caller || host->has_no_namespaces)
		return 0;
	if (host->landlock_abi && spec->landlock != LANDLOCK_OFF)
		return 0;
	error_mistake(err, "--proc bind: the caller's other processes would be open to the program through /proc");
	error_remedy(err, "E-PROC-BIND", "it needs Landlock here; or use --proc none");
	return -EPERM;
}

static void plan_kernel_files(struct plan *plan, const struct spec *spec, const struct host *host)
{
	if (spec->is_ordered)
		return;
	add_proc(plan, spec, host);
	add_sys(plan, spec);
	add_dev(plan, spec, host);
}

const struct feature feature_kernel_files = {
	.name = "kernel files", .title = "/proc, /sys and /dev", .fields = fields, .check = check, .plan = plan_kernel_files,
};
