/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc, /sys and /dev. The program's ids never map to host root, so files of /proc that only root
 * may open need no mask; masks are for what anybody could read. proc(5)
 */
#include "feature/feature.h"

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

static void add_proc(struct plan *plan, const struct spec *spec)
{
	const struct origin *origin = SPEC_ORIGIN(spec, proc);

	if (spec->proc == PROC_NONE)
		return;
	tree_add(plan->tree, (struct tree_item){ .kind = spec->proc == PROC_NEW ? TREE_PROC : TREE_BIND, .target = "/proc",
		.source = "/proc", .is_writable = spec->proc == PROC_NEW, .origin = origin, .descriptor = -1 });
	if (spec->proc != PROC_NEW)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(guarded); i++)
		if (!guarded[i].is_for_host_root || spec->allow_host_root)
			tree_add(plan->tree, (struct tree_item){ .target = guarded[i].path, .is_optional = true,
				.kind = guarded[i].is_read_only ? TREE_READ_ONLY : TREE_MASK, .origin = origin, .descriptor = -1,
				.why = guarded[i].is_read_only ? "not to be written" : "tells about the machine" });
}

static void add_dev(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const struct origin *origin = SPEC_ORIGIN(spec, dev);

	if (spec->dev == DEV_NONE)
		return;
	if (!tree_find(plan->tree, "/") || tree_find(plan->tree, "/")->kind != TREE_SCRATCH)
		tree_add(plan->tree, (struct tree_item){ .kind = TREE_TMPFS, .target = "/dev", .mode = 0755, .origin = origin,
			.text = "size=64k,nr_inodes=64,mode=755", .descriptor = -1 });
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (host_look(host, devices[i])->kind == PATH_OTHER)
			tree_add(plan->tree, (struct tree_item){ .kind = TREE_BIND, .target = devices[i], .source = devices[i],
				.is_file = true, .is_writable = true, .may_hold_devices = true, .origin = origin, .descriptor = -1 });
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		tree_add(plan->tree, (struct tree_item){ .kind = TREE_SYMLINK, .target = links[i].path, .source = links[i].target,
			.origin = origin, .descriptor = -1 });
	tree_add(plan->tree, (struct tree_item){ .kind = TREE_DEVPTS, .target = "/dev/pts", .is_writable = true,
		.may_hold_devices = true, .origin = origin, .descriptor = -1,
		.text = "newinstance,ptmxmode=0666,mode=620,max=64" });
	tree_add(plan->tree, (struct tree_item){ .kind = TREE_SCRATCH, .target = "/dev/shm", .is_writable = true, .mode = 01777,
		.origin = origin, .descriptor = -1, .why = "private, thrown away at the end" });
}

static void plan_kernel_files(struct plan *plan, const struct spec *spec, const struct host *host)
{
	add_proc(plan, spec);
	if (spec->sys == SYS_RO)
		tree_add(plan->tree, (struct tree_item){ .kind = TREE_SYSFS, .target = "/sys", .origin = SPEC_ORIGIN(spec, sys),
							 .descriptor = -1 });
	add_dev(plan, spec, host);
}

const struct feature feature_kernel_files = {
	.name = "kernel files", .title = "/proc, /sys and /dev", .fields = fields, .plan = plan_kernel_files,
};
