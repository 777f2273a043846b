/* SPDX-License-Identifier: Apache-2.0 */
/* How things come to their places in a tree that is built in order. */
#include "feature/order.h"

#include <string.h>

#include "base/path.h"
#include "feature/mounts.h"
#include "feature/owner.h"

enum { RIGHTS = MOUNT_ATTR_RDONLY | ORDER_SAFE | MOUNT_ATTR_NOEXEC };

struct step order_step(const struct order *order, enum op op, const char *subject)
{
	return (struct step){ .op = op, .side = INIT, .phase = PHASE_ROOT, .origin = order->mount ? &order->mount->origin : NULL,
			      .subject = subject, .slot = SLOT_NONE, .more = order->parent_mode };
}

bool order_is_root(const char *target)
{
	return !target[1];
}

/* What lay below TARGET is out of sight. */
static void drop_rows(struct order *order, const char *target)
{
	size_t kept = 0;

	for (size_t i = 0; i < order->row_count; i++)
		if (!path_is_under(order->rows[i].path, target))
			order->rows[kept++] = order->rows[i];
	order->row_count = kept;
}

void order_expect(struct order *order, const char *target, uint64_t attributes, bool is_certain, bool is_optional)
{
	const unsigned long set = (unsigned long)(attributes & RIGHTS); /* the same numbers as ST_*; statvfs(3) */

	drop_rows(order, target);
	for (size_t i = 0; !is_certain && i < order->row_count; i++) {
		if (order_is_root(order->rows[i].path))
			continue;
		order->rows[i].set &= set;
		order->rows[i].is_optional = true;
	}
	order->rows[order->row_count++] = (struct mount_expectation){ .path = target, .set = set, .is_optional = is_optional || !is_certain };
}

/* The directories between the known one that is ABOVE and TARGET. */
static void make_parents(struct order *order, const char *above, const char *target)
{
	const size_t known = order_is_root(above) ? 0 : strlen(above);
	char *path = arena_copy(order->plan->arena, target);

	order->plan->is_short |= !path;
	for (char *slash = path ? strchr(path + known + 1, '/') : NULL; slash; slash = strchr(slash + 1, '/')) {
		struct step step;

		*slash = '\0';
		step = order_step(order, OP_DIRECTORY, plan_copy(order->plan, path));
		step.number = order->parent_mode;
		step.how = order->is_owned ? STEP_OWNED : 0;
		step.why = "leads to what follows";
		places_lead(&order->places, &step);
		plan_add(order->plan, step);
		places_add(&order->places, step.subject, KNOWN_DIRECTORY);
		*slash = '/';
	}
}

void order_make(struct order *order, struct step step, enum known_kind kind)
{
	make_parents(order, places_above(&order->places, step.subject)->path, step.subject);
	step.how |= order->is_owned ? STEP_OWNED : 0;
	places_lead(&order->places, &step);
	plan_add(order->plan, step);
	places_add(&order->places, step.subject, kind);
}

bool order_is_free(const struct order *order, const char *target)
{
	return places_know(&order->places, target) && strcmp(places_above(&order->places, target)->path, target) != 0;
}

/* Makes the place of a mount where it is known to be missing. */
static void make_place(struct order *order, const char *target, bool is_file)
{
	struct step step = order_step(order, is_file ? OP_FILE : OP_DIRECTORY, target);

	step.number = is_file ? 0444 : 0755;
	if (order_is_free(order, target))
		order_make(order, step, is_file ? KNOWN_FILE : KNOWN_DIRECTORY);
}

static void put_on_root(struct order *order, int slot, enum known_kind kind, uint64_t attributes)
{
	struct step step = order_step(order, slot == SLOT_ROOT ? OP_ATTACH : OP_TOP, "/");

	step.slot = slot;
	plan_add(order->plan, step);
	places_cover(&order->places, "/", kind, SLOT_ROOT);
	order_expect(order, "/", attributes, true, false);
}

void order_put(struct order *order, int slot, const char *target, enum known_kind kind, uint64_t attributes)
{
	const bool is_known = places_know(&order->places, target);
	struct step step = order_step(order, is_known ? OP_ATTACH : OP_PUT, target);

	if (order_is_root(target)) {
		put_on_root(order, slot, kind, attributes);
		return;
	}
	step.slot = slot;
	if (is_known) {
		make_place(order, target, kind == KNOWN_FILE);
		places_lead(&order->places, &step);
	} else {
		step.number = kind == KNOWN_FILE ? 0444 : 0755;
		step.how = (kind == KNOWN_FILE ? STEP_OF_FILE : 0) | (order->is_owned ? STEP_OWNED : 0);
		places_forget(&order->places);
	}
	plan_add(order->plan, step);
	places_cover(&order->places, target, kind, slot);
	order_expect(order, target, attributes, is_known, false);
}

void order_make_unknown(struct order *order, struct step step)
{
	step.how = order->is_owned ? STEP_OWNED : 0;
	plan_add(order->plan, step);
	places_forget(&order->places);
}

int order_slot(struct order *order, const char *target)
{
	return order_is_root(target) && !order->places.count ? SLOT_ROOT : plan_slot(order->plan);
}

/* With leased ids init is a stranger to the caller's files, and may not map ids; the launcher can do both. */
int order_source(struct order *order, const char *source, const char *target, uint64_t attributes)
{
	const bool by_launcher = order->plan->has_leased_ids && order->plan->opens_as_launcher;
	struct step step = order_step(order, OP_SOURCE, source);
	struct tree_item item = { .kind = TREE_BIND, .source = source, .target = target, .origin = step.origin,
				  .is_writable = !(attributes & MOUNT_ATTR_RDONLY) };
	struct file_identity *identity;

	if (mount_is_of_host(order->mount))
		owner_map(order->plan, order->spec, order->host, &item, false);
	step.slot = order_slot(order, target);
	step.flags = attributes | (item.ids ? MOUNT_ATTR_IDMAP : 0);
	step.number = (uint64_t)item.ids;
	if (order->mount->descriptor >= 0) {
		identity = arena_alloc(order->plan->arena, sizeof(*identity));
		order->plan->is_short |= !identity;
		if (identity)
			*identity = (struct file_identity){ order->mount->device, order->mount->inode };
		step.data = identity;
	}
	mounts_add_source(order->plan, step, by_launcher);
	return step.slot;
}

int order_new(struct order *order, const char *type, const char *options, const char *target, uint64_t attributes)
{
	struct step step = order_step(order, OP_NEW_MOUNT, type);

	step.slot = order_slot(order, target);
	step.text = options;
	step.flags = attributes;
	step.how = order->is_owned && strcmp(type, "tmpfs") == 0 ? STEP_OWNED : 0;
	plan_add(order->plan, step);
	order_put(order, step.slot, target, strcmp(type, "tmpfs") == 0 ? KNOWN_DIRECTORY : KNOWN_FOREIGN, attributes);
	return step.slot;
}
