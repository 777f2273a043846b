/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree that is built in order: one mount after the other, over an empty writable root or over what is mounted on "/"
 * first. Sources are opened by init before anything is changed, so each leads where it does on the host. As long as only
 * immure's own directories lead to a place, it is used as it stands; where a folder of the host's lies in between, init
 * makes what is missing, and the kernel resolves links as inside (openat2(2), RESOLVE_IN_ROOT), so none leads out.
 * What the self-check will look for is what still lies on top at the end.
 */
#include "feature/ordered.h"

#include <string.h>
#include <sys/statvfs.h>

#include "base/path.h"
#include "feature/mounts.h"
#include "feature/order.h"

enum { DEV_PLACES = 32 };

static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty" };
static const struct { const char *name, *target; } device_links[] = {
	{ "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" }, { "fd", "/proc/self/fd" },
	{ "core", "/proc/kcore" }, { "ptmx", "pts/ptmx" },
};
/* What host root could write in /proc and change the machine by it; but /proc/sys, which a namespace of root's own has a right to. */
static const char *const proc_guards[] = { "sysrq-trigger", "irq", "bus" };

static void add_bind(struct order *order, const char *target)
{
	const struct mount *mount = order->mount;
	const struct host_path *entry = host_look(order->host, mount->source);
	uint64_t attributes = MOUNT_ATTR_NOSUID;

	if (entry->kind == PATH_MISSING)
		return; /* it is optional */
	attributes |= mount->kind == MOUNT_RW_DEV ? 0 : MOUNT_ATTR_NODEV;
	attributes |= mount->kind == MOUNT_RO ? MOUNT_ATTR_RDONLY : 0;
	order_put(order, order_source(order, mount->source, target, attributes), target,
	    entry->kind == PATH_DIRECTORY ? KNOWN_FOREIGN : KNOWN_FILE, attributes);
}

static void add_tmpfs(struct order *order, const char *target)
{
	const struct mount *mount = order->mount;
	const char *options = plan_format(order->plan, "mode=%o", mount->has_mode ? mount->mode : 0755);

	if (mount->size_bytes != NUMBER_NONE)
		options = plan_format(order->plan, "%s,size=%llu", options, (unsigned long long)mount->size_bytes);
	if (mount->inodes != NUMBER_NONE)
		options = plan_format(order->plan, "%s,nr_inodes=%llu", options, (unsigned long long)mount->inodes);
	order_new(order, "tmpfs", options, target, ORDER_SAFE);
}

static void add_directory(struct order *order, const char *target)
{
	struct step step = order_step(order, OP_PLACE, target);

	step.number = order->mount->has_mode ? order->mount->mode : 0755;
	if (order_is_free(order, target)) {
		step.op = OP_DIRECTORY;
		order_make(order, step, KNOWN_DIRECTORY);
	} else if (!places_know(&order->places, target) || places_above(&order->places, target)->kind == KNOWN_FILE) {
		order_make_unknown(order, step);
	}
}

static void add_file(struct order *order, const char *target)
{
	struct step step = order_step(order, OP_FILL, target);

	step.number = order->mount->has_mode ? order->mount->mode : 0666;
	step.data = order->mount->bytes;
	step.size = order->mount->content_size;
	if (order_is_free(order, target)) {
		step.op = OP_FILE;
		order_make(order, step, KNOWN_FILE);
		return;
	}
	order_make_unknown(order, step);
}

static void add_data(struct order *order, const char *target)
{
	const struct mount *mount = order->mount;
	const bool is_read_only = mount->kind == MOUNT_DATA_RO;
	struct step step = order_step(order, OP_FILE_COVER, target);

	step.number = mount->has_mode ? mount->mode : 0600;
	step.data = mount->bytes;
	step.size = mount->content_size;
	step.how = order->is_owned ? STEP_OWNED : 0;
	step.slot = plan_slot(order->plan);
	step.flags = ORDER_SAFE | (is_read_only ? MOUNT_ATTR_RDONLY : 0);
	step.text = is_read_only ? plan_format(order->plan, "size=%zu,nr_inodes=4,mode=700", step.size + 65536) : "nr_inodes=4,mode=700";
	plan_add(order->plan, step);
	order_put(order, step.slot, target, KNOWN_FILE, step.flags);
}

static void add_symlink(struct order *order, const char *target)
{
	struct step step = order_step(order, OP_LINK, target);

	step.text = order->mount->source;
	if (order_is_free(order, target)) {
		step.op = OP_SYMLINK;
		order_make(order, step, KNOWN_LINK);
		return;
	}
	order_make_unknown(order, step);
}

/* STEP acts on what is there; whether its place is known, or has to be found. */
static void act(struct order *order, struct step step)
{
	if (places_know(&order->places, step.subject))
		places_lead(&order->places, &step);
	plan_add(order->plan, step);
}

static void add_chmod(struct order *order, const char *target)
{
	struct step step = order_step(order, OP_CHMOD, target);

	step.number = order->mount->mode;
	act(order, step);
}

static void add_seal(struct order *order, const char *target)
{
	struct step step = order_step(order, OP_SEAL, target);

	step.flags = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV; /* devices are of no use there any more: bubblewrap(1) */
	for (size_t i = 0; i < order->row_count; i++)
		if (strcmp(order->rows[i].path, target) == 0 && places_know(&order->places, target))
			order->rows[i].set |= ST_RDONLY | ST_NOSUID | ST_NODEV;
	act(order, step);
}

static const char *below(struct order *order, const char *target, const char *name)
{
	return plan_format(order->plan, "%s/%s", order_is_root(target) ? "" : target, name);
}

/* Of a PID namespace without a number of its own the host's is shown. */
static void add_proc(struct order *order, const char *target)
{
	const bool is_of_host_root = order->host->uid == 0 && !order->plan->has_leased_ids;
	const uint64_t attributes = ORDER_SAFE | MOUNT_ATTR_NOEXEC;
	const struct known_place *known;

	if (order->plan->has_pidns)
		order_new(order, "proc", NULL, target, attributes);
	else
		order_put(order, order_source(order, "/proc", target, attributes), target, KNOWN_FOREIGN, attributes);
	known = places_above(&order->places, target);
	for (size_t i = 0; is_of_host_root && i < ARRAY_SIZE(proc_guards); i++) {
		struct step step = order_step(order, OP_BIND_INSIDE, below(order, target, proc_guards[i]));

		step.flags = attributes | MOUNT_ATTR_RDONLY;
		step.how = STEP_OPTIONAL | STEP_DIRECT | (known->within == SLOT_ROOT ? 0 : STEP_WITHIN); /* procfs has no link there */
		step.within = known->within;
		step.skip = known->skip;
		step.why = "host root could write there";
		plan_add(order->plan, step);
		order_expect(order, step.subject, step.flags, true, true);
	}
}

static void add_device(struct order *order, const char *source, const char *target)
{
	const uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;

	order_put(order, order_source(order, source, target, attributes), target, KNOWN_FILE, attributes);
}

static void add_device_entries(struct order *order, const char *target)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (host_look(order->host, devices[i])->kind != PATH_MISSING)
			add_device(order, devices[i], below(order, target, path_last(devices[i])));
	for (size_t i = 0; i < ARRAY_SIZE(device_links); i++) {
		struct step step = order_step(order, OP_SYMLINK, below(order, target, device_links[i].name));

		step.text = device_links[i].target;
		order_make(order, step, KNOWN_LINK);
	}
}

static void add_dev(struct order *order, const char *target)
{
	struct step shm = order_step(order, OP_DIRECTORY, below(order, target, "shm"));

	order_new(order, "tmpfs", "mode=755", target, ORDER_SAFE);
	add_device_entries(order, target);
	shm.number = 0755;
	order_make(order, shm, KNOWN_DIRECTORY);
	order_new(order, "devpts", "newinstance,ptmxmode=0666,mode=620", below(order, target, "pts"), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (order->host->caller.stdout_path)
		add_device(order, order->host->caller.stdout_path, below(order, target, "console"));
}

static void add_layers(struct order *order, const char *target)
{
	const struct mount *mount = order->mount;
	const bool is_writable = mount->kind == MOUNT_LAYERS;
	struct layer_paths *paths = arena_alloc(order->plan->arena, sizeof(*paths));
	struct step step = order_step(order, OP_LAYERS, target);

	order->plan->is_short |= !paths;
	if (!paths)
		return;
	*paths = (struct layer_paths){ mount->lowers, mount->lower_count, is_writable, mount->upper, mount->work };
	step.data = paths;
	step.size = mount->lower_count;
	step.slot = order_slot(order, target);
	step.flags = ORDER_SAFE | (is_writable ? 0 : MOUNT_ATTR_RDONLY);
	step.how = order->is_owned ? STEP_OWNED : 0;
	plan_add(order->plan, step);
	order_put(order, step.slot, target, KNOWN_FOREIGN, step.flags);
}

static void add_queues(struct order *order, const char *target)
{
	order_new(order, "mqueue", NULL, target, ORDER_SAFE | MOUNT_ATTR_NOEXEC);
}

static void (*const add[MOUNT_KINDS])(struct order *order, const char *target) = {
	[MOUNT_RO] = add_bind, [MOUNT_RW] = add_bind, [MOUNT_RW_DEV] = add_bind, [MOUNT_TMPFS] = add_tmpfs, [MOUNT_DIR] = add_directory,
	[MOUNT_FILE] = add_file, [MOUNT_DATA] = add_data, [MOUNT_DATA_RO] = add_data, [MOUNT_SYMLINK] = add_symlink,
	[MOUNT_CHMOD] = add_chmod, [MOUNT_SEAL] = add_seal, [MOUNT_NEW_PROC] = add_proc, [MOUNT_NEW_DEV] = add_dev,
	[MOUNT_MQUEUE] = add_queues, [MOUNT_LAYERS] = add_layers, [MOUNT_LAYERS_RO] = add_layers,
};

/* What group and others get nothing of is no place for them either. */
static unsigned parent_mode_of(const struct mount *mount)
{
	unsigned mode = 0755;

	if (mount->has_mode && mount->kind != MOUNT_CHMOD) {
		mode &= mount->mode & 0070 ? ~0u : ~0050u;
		mode &= mount->mode & 0007 ? ~0u : ~0005u;
	}
	return mode;
}

static bool makes_root(const struct order *order, const struct mount *mount, const char *target)
{
	const bool is_bind = mount_is_of_host(mount);

	if (!order_is_root(target) || (!is_bind && mount->kind != MOUNT_TMPFS && mount->kind != MOUNT_LAYERS && mount->kind != MOUNT_LAYERS_RO))
		return false;
	return !is_bind || host_look(order->host, mount->source)->kind == PATH_DIRECTORY;
}

/* The empty root, unless the first mount is going to be it. */
static void add_root(struct order *order)
{
	const struct mount *first = order->spec->mounts;
	const char *target;

	while (first && mount_is_of_host(first) && host_look(order->host, first->source)->kind == PATH_MISSING)
		first = first->next;
	target = first ? path_clean(order->plan->arena, "/", first->target) : NULL;
	if (target && makes_root(order, first, target))
		return;
	order_new(order, "tmpfs", "mode=755", "/", ORDER_SAFE);
}

static int room_for(const struct spec *spec, bool is_for_rows)
{
	int room = 2;

	for (const struct mount *mount = spec->mounts; mount; mount = mount->next) {
		room += mount->kind == MOUNT_NEW_DEV || mount->kind == MOUNT_NEW_PROC ? DEV_PLACES : 1;
		for (const char *at = is_for_rows ? NULL : strchr(mount->target, '/'); at; at = strchr(at + 1, '/'))
			room++;
	}
	return room;
}

static void add_all(struct order *order)
{
	add_root(order);
	for (const struct mount *mount = order->spec->mounts; mount; mount = mount->next) {
		const char *target = path_clean(order->plan->arena, "/", mount->target);

		order->mount = mount;
		order->parent_mode = parent_mode_of(mount);
		order->plan->is_short |= !target;
		if (target && add[mount->kind])
			add[mount->kind](order, target);
	}
}

/* The jail's own pseudo-terminals, for who gives it one. */
static void note_terminals(struct order *order)
{
	for (int i = 0; i < order->places.count; i++)
		if (strcmp(order->places.list[i].path, "/dev/pts") == 0)
			for (int step = 0; step < order->plan->count; step++)
				if (order->plan->steps[step].slot == order->places.list[i].within && order->plan->steps[step].op == OP_NEW_MOUNT)
					tree_add(order->plan->tree, (struct tree_item){ .kind = TREE_DEVPTS, .target = "/dev/pts" });
}

static void plan_ordered(struct plan *plan, const struct spec *spec, const struct host *host)
{
	struct order order = { .plan = plan, .spec = spec, .host = host, .parent_mode = 0755 };
	const bool is_other = plan->uid != 0 || plan->gid != 0;

	if (!spec->is_ordered)
		return;
	order.is_owned = plan->has_userns ? plan->has_root_inside && is_other : plan->has_leased_ids || is_other;
	order.rows = arena_alloc(plan->arena, (size_t)room_for(spec, true) * sizeof(*order.rows));
	plan->is_short |= !order.rows || !places_begin(&order.places, plan->arena, room_for(spec, false));
	if (plan->is_short)
		return;
	mounts_begin(plan, spec);
	add_all(&order);
	mounts_end(plan, host);
	note_terminals(&order);
	plan->mounts = order.rows;
	plan->mount_count = order.row_count;
}

const struct feature feature_ordered = {
	.name = "ordered", .title = "A tree in order", .fields = ordered_fields, .check = ordered_check, .plan = plan_ordered,
};
