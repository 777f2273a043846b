/* SPDX-License-Identifier: Apache-2.0 */
/* Another user in a jail that is there: whom its map knows, and never the host's root. user_namespaces(7) */
#include "feature/enter_user.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "feature/identity.h"

enum { HOST_ID, LEASED_IDS = 65536, ROWS_TOLD = 4 };

/* The host ids behind the jail's, as far as its plan tells. */
struct map {
	const struct id_row *rows; /* NULL: not known here */
	size_t count;
	bool is_leased;            /* outside counts from the first leased id */
};

/* Without a user namespace supplementary groups are the host's even where ids are leased. */
static struct map find_map(const struct plan *jail, const char *kind)
{
	const char *name = *kind == 'u' ? "uid_map" : "gid_map";
	static const struct id_row leased = { 0, 0, LEASED_IDS }, all = { 0, 0, UINT32_MAX };
	const struct step *own = plan_find(jail, OP_OWN_USERNS), *become = plan_find(jail, OP_UID);

	if (!jail->has_userns && become && become->slot == SLOT_IDS && strcmp(kind, "group") != 0)
		return (struct map){ &leased, 1, true };
	if (!jail->has_userns)
		return (struct map){ &all, 1, false };
	if (own && own->data)
		return (struct map){ (const struct id_row *)own->data + (strcmp(name, "gid_map") == 0), 1, false };
	for (int i = 0; i < jail->count; i++) {
		const struct step *step = &jail->steps[i];

		if ((step->op == OP_ID_MAP || step->op == OP_SUBID_MAP || step->op == OP_OWN_ID_MAP) && strcmp(step->subject, name) == 0)
			return (struct map){ step->data, step->size, step->slot == SLOT_IDS };
	}
	return (struct map){ 0 };
}

static const struct id_row *row_of(const struct map *map, uint32_t id)
{
	for (size_t i = 0; i < map->count; i++)
		if (id >= map->rows[i].inside && id - map->rows[i].inside < map->rows[i].count)
			return &map->rows[i];
	return NULL;
}

static const char *print_map(struct plan *plan, const struct map *map)
{
	const char *list = "";

	for (size_t i = 0; i < map->count && i < ROWS_TOLD; i++) {
		const struct id_row *row = &map->rows[i];

		list = row->count == 1 ? plan_format(plan, "%s%s%u", list, i ? ", " : "", row->inside)
				       : plan_format(plan, "%s%s%u-%u", list, i ? ", " : "", row->inside, row->inside + row->count - 1);
	}
	return map->count > ROWS_TOLD ? plan_format(plan, "%s, ...", list) : list;
}

/* All ids of a user namespace that lies in another, without a map that is known: the kernel refuses those that are not there. */
static bool is_of_pod(const struct plan *jail)
{
	return plan_has(jail, OP_NEST);
}

static int check_id(struct plan *plan, const struct plan *jail, const char *kind, uint32_t id, struct error *err)
{
	const struct map map = find_map(jail, kind);
	const struct id_row *row = row_of(&map, id);

	if (!map.rows && is_of_pod(jail))
		return 0;
	if (!map.rows) {
		error_mistake(err, "whose ids are behind those of the jail is not known: its program's stay");
		error_remedy(err, "E-ID-UNMAPPED", "leave out --user and --groups");
		return -EINVAL;
	}
	if (!row) {
		error_mistake(err, "%s %u is not in the jail's map, which holds %s", kind, id, print_map(plan, &map));
		error_remedy(err, "E-ID-UNMAPPED", "choose one of these, or start the jail with --ids range (root) or --ids subid");
		return -EINVAL;
	}
	if (map.is_leased || id - row->inside + row->outside != HOST_ID)
		return 0;
	error_mistake(err, "%s %u of the jail has the host's root id behind it", kind, id);
	error_remedy(err, "E-HOST-ROOT", "choose another id");
	return -EINVAL;
}

/* Leaving a uid takes capabilities away; where nothing else does, its root has more than the program. capabilities(7) */
static int check_privileges(const struct plan *jail, uint32_t uid, struct error *err)
{
	if (uid || !jail->uid || plan_has(jail, OP_CAPABILITIES))
		return 0;
	error_mistake(err, "the jail's root would have capabilities that its program does not have");
	error_remedy(err, "E-ENTER-CAPABILITIES", "start the jail without --leave capabilities, or choose another user");
	return -EPERM;
}

static int refuse_kept(struct error *err)
{
	error_mistake(err, "the jail's program has the ids of who started it, and there are no others inside");
	error_remedy(err, "E-IDS-KEPT", "leave out --user");
	return -EPERM;
}

static int check_groups(struct plan *plan, const struct enter *enter, struct error *err)
{
	size_t count;
	const uint32_t *groups;
	int rc = check_group_names(enter->spec, enter->host, err);

	if (rc == 0 && enter->spec->groups && !plan_has(enter->jail, OP_GROUPS)) {
		error_mistake(err, "the jail's program cannot set supplementary groups, and nobody else in it");
		error_remedy(err, "E-GROUPS-SINGLE", "start the jail with --ids subid, or as root");
		return -EPERM;
	}
	groups = rc == 0 ? group_numbers(plan, enter->spec, enter->host, &count) : NULL;
	for (size_t i = 0; rc == 0 && groups && i < count; i++)
		rc = check_id(plan, enter->jail, "group", groups[i], err);
	return rc;
}

/* The home that immure made is its program's, and closed to others. */
static const char *home_of(const struct plan *plan, const struct enter *enter)
{
	if (enter->host->found_home)
		return enter->host->found_home;
	return plan->uid == enter->jail->uid ? enter->jail->home : "/";
}

int enter_as_user(struct plan *plan, const struct enter *enter, struct error *err)
{
	const struct plan *jail = enter->jail;
	int rc = 0;

	if (enter->is_other_user) {
		rc = find_ids(enter->spec, enter->host, &plan->uid, &plan->gid, err);
		plan->home = home_of(plan, enter);
	}
	if (rc == 0 && ((plan->uid != jail->uid && !plan_has(jail, OP_UID)) || (plan->gid != jail->gid && !plan_has(jail, OP_GID))))
		rc = refuse_kept(err);
	if (rc == 0 && plan->uid != jail->uid)
		rc = check_id(plan, jail, "uid", plan->uid, err);
	if (rc == 0 && plan->gid != jail->gid)
		rc = check_id(plan, jail, "gid", plan->gid, err);
	if (rc == 0)
		rc = check_privileges(jail, plan->uid, err);
	if (rc == 0 && enter->has_other_groups)
		rc = check_groups(plan, enter, err);
	/* Init of such a program must be able to end it. */
	if (plan->uid != jail->uid && (plan->has_root_inside || !plan->has_userns))
		plan->init_capabilities = 1ULL << CAP_KILL;
	return rc;
}

struct step step_of_user(struct plan *plan, const struct enter *enter, struct step step)
{
	if (!enter->is_other_user && !enter->has_other_groups)
		return step;
	if (step.op == OP_UID || step.op == OP_CHECK_IDENTITY)
		step.number = plan->uid;
	if (step.op == OP_GID)
		step.number = plan->gid;
	if (step.op == OP_CHECK_IDENTITY)
		step.more = plan->gid;
	if (enter->has_other_groups && (step.op == OP_GROUPS || (step.op == OP_CHECK_IDENTITY && step.data)))
		step.data = group_numbers(plan, enter->spec, enter->host, &step.size);
	if (step.op == OP_CHECK_IDENTITY)
		step.text = identity_words(plan, &step);
	return step;
}
