/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock, derived from the same tree as the mounts: a second wall that stays when a mount is
 * wrong, and the only one where there are no namespaces. landlock(7)
 */
#include <errno.h>
#include <linux/landlock.h>
#include <string.h>

#include "feature/feature.h"

static const char *const modes[] = { "auto", "off", NULL };

static const struct field fields[] = {
	{ .key = "landlock", .type = FIELD_ENUM, FIELD(landlock), .choices = modes, .fallback = "auto", .since = "0.1",
	  .help = "auto: whatever this kernel's Landlock can enforce; off: nothing" },
	{ .key = "tcp-bind", .type = FIELD_PORTS, FIELD(tcp_bind), .example = "8080", .since = "0.1",
	  .help = "with a shared network: the only TCP ports that may be listened on; may be repeated" },
	{ .key = "tcp-connect", .type = FIELD_PORTS, FIELD(tcp_connect), .example = "443", .since = "0.1",
	  .help = "with a shared network: the only TCP ports that may be connected to; may be repeated" },
	{ 0 },
};

/* landlock(7); the headers of a distribution may be older than its kernel. */
enum {
	KERNEL_FILE_RIGHTS = LANDLOCK_ACCESS_FS_WRITE_FILE | 1 << 14 | 1 << 15, /* of /proc and /dev/pts: nothing is made there */
	NEVER = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK,
	FILE_RIGHTS = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE,
	RIGHTS_ABI_1 = (1 << 13) - 1, RIGHT_REFER = 1 << 13, RIGHT_TRUNCATE = 1 << 14, RIGHT_IOCTL_DEV = 1 << 15,
	RIGHTS_READ = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	BIND_TCP = 1, CONNECT_TCP = 2, SCOPE_ABSTRACT_SOCKETS = 1, SCOPE_SIGNALS = 2,
};

static uint64_t rights_of(int abi)
{
	uint64_t rights = RIGHTS_ABI_1;

	rights |= abi >= 2 ? RIGHT_REFER : 0;
	rights |= abi >= 3 ? RIGHT_TRUNCATE : 0;
	rights |= abi >= 5 ? RIGHT_IOCTL_DEV : 0;
	return rights;
}

static bool wants_ports(const struct spec *spec)
{
	return spec->tcp_bind || spec->tcp_connect;
}

static int check(const struct spec *spec, const struct host *host, struct error *err)
{
	const bool is_needed = host->has_no_namespaces || spec_requires(spec, "landlock");

	if (is_needed && (spec->landlock == LANDLOCK_OFF || !host->landlock_abi)) {
		error_mistake(err, "without namespaces Landlock is the only wall around files, and it is %s",
			      host->landlock_abi ? "switched off" : "not in this kernel");
		error_remedy(err, "E-LANDLOCK-NONE", "a kernel with Landlock (5.13, and landlock in its lsm= list), or namespaces");
		return -EINVAL;
	}
	if (spec->is_ordered && spec_requires(spec, "landlock")) {
		error_mistake(err, "--require landlock: it governs no files of a tree that is built in order");
		error_remedy(err, "E-ORDERED-ALONE", "leave out --ordered, or the requirement");
		return -EINVAL;
	}
	if (wants_ports(spec) && host->landlock_abi < 4 && !spec_may_lack(spec, "ports")) {
		error_mistake(err, "--tcp-bind and --tcp-connect need Landlock ABI 4 (Linux 6.7); this kernel has %d", host->landlock_abi);
		error_remedy(err, "E-LANDLOCK-PORTS", "use a network namespace of its own, or --may-lack ports");
		return -EINVAL;
	}
	return 0;
}

/*
 * Whether an item has a rule. Below a mount namespace the whole new root is readable, and what is writable has a
 * rule of its own. Rules only add: what is read-only or masked within something writable is so by its mount alone.
 * Where others' processes are in /proc it has none: whoever has their id may make them the next to be killed for want of
 * memory. proc(5), /proc/PID/oom_score_adj
 *
 * Without one the rules are all there is, and they speak of the host's own tree: the system directories, what was
 * shown, the device nodes. No /tmp or /run, where others' files lie, and no /proc, which is everybody's (--rw /tmp
 * and --proc bind ask for them); what immure would make (accounts, homes) is not there.
 */
static bool has_rights(const struct plan *plan, const struct spec *spec, const struct tree_item *item)
{
	if (!plan->has_mountns)
		return item->kind == TREE_BIND;
	if (item->kind == TREE_PROC && !plan->owns_pids && !spec->may_nest)
		return false;
	return item->is_writable && item->kind != TREE_SYMLINK && item->kind != TREE_FILE;
}

static uint64_t rights_to(const struct tree_item *item, uint64_t all)
{
	if (!item->is_writable)
		return RIGHTS_READ & (item->is_file ? (uint64_t)FILE_RIGHTS : all);
	if (item->kind == TREE_PROC || item->kind == TREE_DEVPTS)
		return (RIGHTS_READ | KERNEL_FILE_RIGHTS) & all;
	if (item->is_file)
		return all & (FILE_RIGHTS | RIGHT_TRUNCATE | RIGHT_IOCTL_DEV);
	return all & ~(uint64_t)NEVER;
}

static void add_path(struct landlock_rules *rules, struct landlock_path *room, const char *path, uint64_t access)
{
	room[rules->path_count++] = (struct landlock_path){ path, access };
}

static void add_paths(const struct plan *plan, const struct spec *spec, struct landlock_rules *rules, struct landlock_path *room)
{
	if (plan->has_mountns)
		add_path(rules, room, "/", RIGHTS_READ);
	if (plan->joins_mountns) { /* its mounts are the wall around files; scopes and ports are what is left for this one */
		add_path(rules, room, "/", rules->files);
		return;
	}
	for (int i = 0; i < plan->tree->count; i++) {
		const struct tree_item *item = &plan->tree->items[i];

		if (has_rights(plan, spec, item))
			add_path(rules, room, plan->has_mountns ? item->target : item->source, rights_to(item, rules->files));
	}
}

static const uint16_t *port_numbers(struct plan *plan, const struct port_item *ports, unsigned *count)
{
	uint16_t *numbers;

	*count = 0;
	for (const struct port_item *item = ports; item; item = item->next)
		(*count)++;
	numbers = arena_alloc(plan->arena, (*count + 1) * sizeof(*numbers));
	plan->is_short |= !numbers;
	*count = 0;
	for (const struct port_item *item = ports; numbers && item; item = item->next)
		numbers[(*count)++] = item->port;
	return numbers;
}

static uint64_t scopes_of(const struct spec *spec, const struct host *host)
{
	return spec->landlock != LANDLOCK_OFF && host->landlock_abi >= 6 ? SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS : 0;
}

/* A namespace that is shared, and no scope in its place. */
static void note_open_roads(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const char *why = host->landlock_abi >= 6 ? "Landlock is off" : "this kernel has no Landlock with scopes (Linux 6.12)";

	if (scopes_of(spec, host))
		return;
	if (spec->net.mode == NAMESPACE_HOST || host->has_no_namespaces)
		plan_note(plan, "the program may connect to abstract sockets of the host: the network is the host's, and %s", why);
	if (!plan->has_pidns && !plan_find(plan, OP_FENCE))
		plan_note(plan, "the program may signal whatever has its id on the host: there is no PID namespace, and %s", why);
}

static void plan_landlock(struct plan *plan, const struct spec *spec, const struct host *host)
{
	struct landlock_rules *rules = arena_alloc(plan->arena, sizeof(*rules));
	struct landlock_path *room = arena_alloc(plan->arena, (TREE_ITEMS + 1) * sizeof(*room));

	if (wants_ports(spec) && host->landlock_abi < 4)
		plan_lacks(plan, "ports");
	note_open_roads(plan, spec, host);
	if (spec->landlock == LANDLOCK_OFF || !host->landlock_abi)
		return;
	plan->is_short |= !rules || !room;
	if (!rules || !room)
		return;
	rules->files = spec->is_ordered ? 0 : rights_of(host->landlock_abi);
	rules->ports = wants_ports(spec) && host->landlock_abi >= 4 ? BIND_TCP | CONNECT_TCP : 0;
	rules->scopes = scopes_of(spec, host);
	rules->paths = room;
	if (spec->is_ordered)
		plan_note(plan, "Landlock governs no files: the tree is built in order, and what covers what is the kernel's to know");
	else
		add_paths(plan, spec, rules, room);
	if (!rules->files && !rules->ports && !rules->scopes)
		return; /* the kernel refuses a ruleset of nothing */
	rules->bind_ports = port_numbers(plan, spec->tcp_bind, &rules->bind_count);
	rules->connect_ports = port_numbers(plan, spec->tcp_connect, &rules->connect_count);
	plan_add(plan, (struct step){ .op = OP_LANDLOCK, .side = PAYLOAD, .phase = PHASE_PRIVILEGE, .slot = SLOT_NONE,
		.origin = SPEC_ORIGIN(spec, landlock), .data = rules, .number = (uint64_t)host->landlock_abi });
}

const struct feature feature_landlock = {
	.name = "landlock", .title = "Landlock", .fields = fields, .check = check, .plan = plan_landlock,
};
