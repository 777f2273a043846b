/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A jail that root starts has ids of its own, which own nothing on the host. So a folder given to it
 * is mounted with its ids mapped (mount_setattr(2), MOUNT_ATTR_IDMAP):
 *
 *   --rw            the folder's owner is the jail's user; other owners stay strangers. Never host root:
 *                   a set-user-id file of root's, left there by the jail, would be an escape.
 *   --ro            the same where the jail's user could not read it otherwise
 *   --root DIR      the numbers on disk are the numbers inside; 0 only where nothing can be written
 *   overlays        every number has its place inside, and the folder's owner is the jail's user: nothing
 *                   is ever written below
 *
 * Without leased ids (rootless, explicit maps) nothing is mapped: the caller's files are the user's.
 */
#include "feature/owner.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "feature/capability.h"

/* Kernel ids that no jail has: strangers' files get owners from here, so that they are somebody's, and never the jail's. */
enum { IDS = 65536, STRANGERS = 0xfffe0000u, NOGROUP = 65534 };

static void add_row(struct mount_id_row *rows, unsigned *count, uint32_t from, uint32_t to, bool is_leased, uint32_t outside)
{
	if (from <= to)
		rows[(*count)++] = (struct mount_id_row){ from, outside, to - from + 1, is_leased };
}

/* ID is MINE inside; all others from FIRST are strangers. */
static unsigned map_one(struct mount_id_row *rows, uint32_t id, uint32_t mine, uint32_t first)
{
	unsigned count = 0;

	add_row(rows, &count, id, id, true, mine);
	if (id >= IDS) {
		add_row(rows, &count, first, IDS - 1, false, STRANGERS + first);
		return count;
	}
	if (id > first)
		add_row(rows, &count, first, id - 1, false, STRANGERS + first);
	add_row(rows, &count, id + 1 > first ? id + 1 : first, IDS - 1, false, STRANGERS + id + 1);
	return count;
}

/* All keep their numbers, except that ID and MINE change places. */
static unsigned map_all(struct mount_id_row *rows, uint32_t id, uint32_t mine)
{
	const uint32_t low = id < mine ? id : mine, high = id < mine ? mine : id;
	unsigned count = 0;

	if (id == mine || id >= IDS || mine >= IDS) {
		add_row(rows, &count, 0, IDS - 1, true, 0);
		return count;
	}
	if (low)
		add_row(rows, &count, 0, low - 1, true, 0);
	add_row(rows, &count, low, low, true, high);
	add_row(rows, &count, low + 1, high - 1, true, low + 1);
	add_row(rows, &count, high, high, true, low);
	add_row(rows, &count, high + 1, IDS - 1, true, high + 1);
	return count;
}

/* The slot of the user namespace with this map; one serves all mounts that want the same. */
static int map_slot(struct plan *plan, const struct tree_item *item, const struct mount_ids *ids, const char *words)
{
	struct step step = { .op = OP_ID_USERNS, .side = LAUNCHER, .phase = PHASE_OPEN, .origin = item->origin, .subject = words };
	struct mount_ids *copy;

	for (int i = 0; i < plan->count; i++)
		if (plan->steps[i].op == OP_ID_USERNS && memcmp(plan->steps[i].data, ids, sizeof(*ids)) == 0)
			return plan->steps[i].slot;
	copy = arena_alloc(plan->arena, sizeof(*copy));
	plan->is_short |= !copy;
	if (!copy)
		return 0;
	memcpy(copy, ids, sizeof(*copy));
	step.data = copy;
	step.slot = plan_slot(plan);
	plan_add(plan, step);
	return step.slot;
}

static void refuse_root_owner(struct plan *plan, const struct tree_item *item)
{
	char where[ORIGIN_TEXT];

	if (plan->is_refused)
		return;
	plan->is_refused = true;
	error_mistake(plan->err, "%s: \"%s\" belongs to the host's root, as whom no jail may write",
		      item->origin ? origin_print(item->origin, where) : "default", item->source);
	error_remedy(plan->err, "E-OWNER-ROOT", "chown it to an ordinary user, or use --overlay (writes are thrown away), or copy it");
}

static bool is_readable_by_all(const struct host_path *entry)
{
	return entry->kind == PATH_DIRECTORY ? (entry->mode & 05) == 05 : (entry->mode & 04) != 0;
}

static void map_owner(struct plan *plan, struct tree_item *item, const struct host_path *entry, bool has_mount_right)
{
	struct mount_ids ids = { 0 };

	if (entry->kind == PATH_OTHER || (!item->is_writable && is_readable_by_all(entry)))
		return;
	if (entry->uid == 0 && (item->is_writable || has_mount_right)) {
		refuse_root_owner(plan, item);
		return;
	}
	ids.uid_count = map_one(ids.uids, entry->uid, plan->uid, 1);
	/* Group 0 is a stranger; but what the jail's user makes needs a group. */
	ids.gid_count = map_one(ids.gids, entry->gid ? entry->gid : NOGROUP, plan->gid, 0);
	item->ids = map_slot(plan, item, &ids, plan_format(plan, "the owner %u:%u is the jail's user", entry->uid, entry->gid));
}

static void map_root(struct plan *plan, struct tree_item *item, bool has_mount_right)
{
	const bool has_zero = item->kind == TREE_OVERLAY || (!item->is_writable && !has_mount_right);
	struct mount_ids ids = { .uid_count = 1, .gid_count = 1 };

	ids.uids[0] = (struct mount_id_row){ !has_zero, !has_zero, IDS - !has_zero, true };
	ids.gids[0] = ids.uids[0];
	item->ids = map_slot(plan, item, &ids, has_zero ? "all numbers are as on disk" : "all numbers but 0 are as on disk");
}

static void map_layer(struct plan *plan, struct tree_item *item, const struct host_path *entry)
{
	struct mount_ids ids = { 0 };

	ids.uid_count = map_all(ids.uids, entry->uid, plan->uid);
	ids.gid_count = map_all(ids.gids, entry->gid, plan->gid);
	item->ids = map_slot(plan, item, &ids, plan_format(plan, "the owner %u:%u is the jail's user, others as on disk", entry->uid, entry->gid));
}

void owner_map(struct plan *plan, const struct spec *spec, const struct host *host, struct tree_item *item, bool is_root)
{
	/* With it the jail could make a read-only mount writable. */
	const bool has_mount_right = capabilities_possible(spec, host) >> CAP_SYS_ADMIN & 1;
	const struct host_path *entry = host_look(host, item->source);

	if (!plan->has_leased_ids || !plan->has_mountns || spec->allow_host_root || spec_leaves(spec, "owners"))
		return;
	if (is_root)
		map_root(plan, item, has_mount_right);
	else if (item->kind == TREE_OVERLAY)
		map_layer(plan, item, entry);
	else
		map_owner(plan, item, entry, has_mount_right);
}
