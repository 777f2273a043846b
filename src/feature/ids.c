/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which host ids stand behind the jail's: a leased range of its own (root), the caller's one id, the
 * caller's sub-ids, or explicit maps. Host id 0 never stands behind anything unless an option that
 * says so in its name allows it. user_namespaces(7)
 */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "feature/capability.h"
#include "feature/identity.h"
#include "feature/root.h"

/* Above the ranges of systemd-nspawn (to 1879048191), below those that systemd gives to foreign images. */
enum { LEASE_FIRST = 1879048192, LEASE_SIZE = 65536, LEASE_RANGES = 4000 };
enum { JAIL_ID = 1000, NOBODY = 65534 };

static const char *const modes[] = { "auto", "single", "subid", "range", NULL };

static const struct field fields[] = {
	{ .key = "ids", .type = FIELD_ENUM, FIELD(ids), .choices = modes, .fallback = "auto", .since = "0.1",
	  .help = "host ids behind the jail's: single (the caller's), subid (/etc/subuid), range (one of its own; root)",
	  .detail = "auto takes a range when started by root, and single otherwise." },
	{ .key = "uid-map", .type = FIELD_ID_MAPS, FIELD(uid_maps), .example = "0:100000:65536", .since = "0.1",
	  .help = "map user ids explicitly; may be repeated" },
	{ .key = "gid-map", .type = FIELD_ID_MAPS, FIELD(gid_maps), .example = "0:100000:65536", .since = "0.1",
	  .help = "map group ids explicitly; may be repeated" },
	{ .key = "user", .letter = 'u', .type = FIELD_NAME, FIELD(user), .example = "worker", .since = "0.1",
	  .help = "who the program is inside: a name of the jail's passwd file, or a number (default: user, 1000)" },
	{ .key = "group", .letter = 'g', .type = FIELD_NAME, FIELD(group), .since = "0.1",
	  .help = "its group: a name of the jail's group file, a number, or @user (default: the user's own)",
	  .detail = "Of a user given by number nothing is looked up, unless @user asks for the group of that number's account; where "
		    "there is no account it is 65534, nobody's. --groups @user does the same for supplementary groups." },
	{ .key = "allow-host-root", .type = FIELD_FLAG, FIELD(allow_host_root), .since = "0.1",
	  .help = "let the program run with the host's root id behind it: this is not confinement",
	  .detail = "A process with host uid 0 can write much of /proc and change read-only binds even without any capability." },
	{ 0 },
};

static bool is_number(const char *text)
{
	return text && *text >= '0' && *text <= '9';
}

static int read_id(const struct origin *origin, const char *text, uint32_t *id, struct error *err)
{
	char where[ORIGIN_TEXT];
	uint64_t number;

	if (number_parse(text, UINT32_MAX - 1, &number) < 0)
		return error_mistake(err, "%s: \"%s\" is no id: that is a number from 0 to 4294967294", origin_print(origin, where), text);
	*id = (uint32_t)number;
	return 0;
}

/* The accounts that immure writes into a jail's own passwd and group files. */
static const struct { const char *user, *group; uint32_t id; } own_accounts[] = {
	{ "root", "root", 0 }, { "user", "user", JAIL_ID }, { "nobody", "nogroup", NOBODY },
};

static bool find_own(const char *name, bool is_group, uint32_t *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_accounts); i++)
		if (strcmp(is_group ? own_accounts[i].group : own_accounts[i].user, name) == 0)
			return *id = own_accounts[i].id, true;
	return false;
}

/* Neither root nor a user namespace: the caller's ids are all there is. */
static bool keeps_ids(const struct spec *spec, const struct host *host)
{
	return host->uid && (spec->userns.mode == NAMESPACE_HOST || host->has_no_namespaces);
}

static int find_uid(const struct spec *spec, const struct host *host, uint32_t *uid, struct error *err)
{
	char where[ORIGIN_TEXT];

	if (is_number(spec->user))
		return read_id(SPEC_ORIGIN(spec, user), spec->user, uid, err);
	if (host->has_found_uid)
		return *uid = host->found_uid, 0;
	if (!spec->user)
		return *uid = keeps_ids(spec, host) ? host->uid : JAIL_ID, 0;
	if (!spec->root && find_own(spec->user, false, uid))
		return 0;
	error_mistake(err, "%s: the jail's passwd file has no user \"%s\"", origin_print(SPEC_ORIGIN(spec, user), where), spec->user);
	error_remedy(err, "E-USER-UNKNOWN", "name a user of the jail's /etc/passwd, or give a number");
	return -EINVAL;
}

static int find_gid(const struct spec *spec, const struct host *host, uint32_t uid, uint32_t *gid, struct error *err)
{
	char where[ORIGIN_TEXT];

	if (is_number(spec->group))
		return read_id(SPEC_ORIGIN(spec, group), spec->group, gid, err);
	if (host->has_found_gid)
		return *gid = host->found_gid, 0;
	if (spec->group && strcmp(spec->group, "@user") == 0)
		return *gid = NOBODY, 0;
	if (spec->group && !spec->root && find_own(spec->group, true, gid))
		return 0;
	if (spec->group) {
		error_mistake(err, "%s: the jail's group file has no group \"%s\"", origin_print(SPEC_ORIGIN(spec, group), where), spec->group);
		error_remedy(err, "E-GROUP-UNKNOWN", "name a group of the jail's /etc/group, or give a number");
		return -EINVAL;
	}
	if (keeps_ids(spec, host))
		return *gid = host->gid, 0;
	/* Never the uid: the two are different lists of numbers. */
	return *gid = uid == 0 ? 0 : uid == NOBODY ? NOBODY : JAIL_ID, 0;
}

int find_ids(const struct spec *spec, const struct host *host, uint32_t *uid, uint32_t *gid, struct error *err)
{
	int rc = find_uid(spec, host, uid, err);

	return rc < 0 ? rc : find_gid(spec, host, *uid, gid, err);
}

static enum ids_mode mode_of(const struct spec *spec, const struct host *host)
{
	const bool may_map = HOST_HAS_CAP(host, CAP_SETUID) && HOST_HAS_CAP(host, CAP_SETGID);

	if (spec->ids != IDS_AUTO)
		return spec->ids;
	return may_map ? IDS_RANGE : IDS_SINGLE;
}

static bool maps_have(const struct id_map *maps, uint32_t inside)
{
	for (; maps; maps = maps->next)
		if (inside >= maps->inside && inside - maps->inside < maps->count)
			return true;
	return false;
}

static int refuse_unmapped(struct error *err, const char *what, uint32_t id, const char *range)
{
	error_mistake(err, "%s %u of the jail has no host id behind it: %s", what, id, range);
	error_remedy(err, "E-ID-UNMAPPED", "choose one that is mapped, with --user and --group, or map it");
	return -EINVAL;
}

/* The program's ids must be mapped, or nothing could become them. */
static int check_mapped(const struct spec *spec, const struct host *host, enum ids_mode mode, uint32_t uid, uint32_t gid,
			struct error *err)
{
	if (spec->uid_maps) {
		if (!maps_have(spec->uid_maps, uid))
			return refuse_unmapped(err, "uid", uid, "no --uid-map has it");
		return maps_have(spec->gid_maps, gid) ? 0 : refuse_unmapped(err, "gid", gid, "no --gid-map has it");
	}
	if (mode == IDS_RANGE && uid >= LEASE_SIZE)
		return refuse_unmapped(err, "uid", uid, "a range has ids 0 to 65535");
	if (mode == IDS_RANGE && gid >= LEASE_SIZE)
		return refuse_unmapped(err, "gid", gid, "a range has ids 0 to 65535");
	if (mode == IDS_SUBID && uid > host->sub_uid.count)
		return refuse_unmapped(err, "uid", uid, "the range of /etc/subuid is smaller");
	if (mode == IDS_SUBID && gid > host->sub_gid.count)
		return refuse_unmapped(err, "gid", gid, "the range of /etc/subgid is smaller");
	return 0;
}

/* Whether setgroups(2) will be possible: never with a map that an ordinary user wrote alone. user_namespaces(7) */
static int check_groups(const struct spec *spec, bool is_own, enum ids_mode mode, struct error *err)
{
	const bool is_alone = is_own && mode == IDS_SINGLE && !spec->uid_maps;

	if (!is_alone || (!spec->groups && !spec_requires(spec, "groups")))
		return 0;
	error_mistake(err, "with a single id the kernel forbids to set or drop supplementary groups");
	error_remedy(err, "E-GROUPS-SINGLE", "use --ids subid, or start as root");
	return -EPERM;
}

static bool maps_host_root(const struct id_map *maps)
{
	for (; maps; maps = maps->next)
		if (maps->outside == 0)
			return true;
	return false;
}

static int refuse_host_root(struct error *err, const char *why)
{
	error_mistake(err, "the program would have the host's root id behind it: %s", why);
	error_remedy(err, "E-HOST-ROOT", "choose another id, or say --allow-host-root and mean it");
	return -EINVAL;
}

/* user_namespaces(7), "Defining user and group ID mappings": since Linux 5.12 */
static int check_root_map(const struct spec *spec, const struct host *host, enum ids_mode mode, struct error *err)
{
	const bool maps_root = spec->uid_maps ? maps_host_root(spec->uid_maps) : mode == IDS_SINGLE && !host->uid;

	if (!maps_root || HOST_HAS_CAP(host, CAP_SETFCAP) || !host_kernel_is(host, 5, 12))
		return 0;
	error_mistake(err, "the host's root can only be mapped by who holds CAP_SETFCAP");
	error_remedy(err, "E-IDS-SETFCAP", "choose other ids, or start immure with that capability");
	return -EPERM;
}

/* Behind the ids of a user namespace that lies below another stand that one's. */
static int check_below(const struct spec *spec, const struct host *host, struct error *err)
{
	if (!spec->userns_parent)
		return 0;
	if (spec->uid_maps || spec->maps_fd) {
		error_mistake(err, "a user namespace below another has one of its ids, or all of them");
		error_remedy(err, "E-IDS-BELOW", "leave out --uid-map, --gid-map and --maps-fd");
		return -EINVAL;
	}
	if (spec->mountns.mode == NAMESPACE_JOIN && !spec->may_nest && (capabilities_possible(spec, host) >> CAP_SYS_RESOURCE & 1)) {
		error_mistake(err, "with the tree of others nothing would keep a program with CAP_SYS_RESOURCE from making user namespaces");
		error_remedy(err, "E-NESTED-USERNS", "leave the capability out, or permit them with --nested-userns");
		return -EINVAL;
	}
	return 0;
}

/* Whether this caller can have what the mode wants. */
static int check_mode(const struct spec *spec, const struct host *host, bool is_own, enum ids_mode mode, struct error *err)
{
	if (is_own && mode == IDS_RANGE && !spec->uid_maps && !spec->userns_parent && !HOST_HAS_CAP(host, CAP_SETUID)) {
		error_mistake(err, "--ids range needs root (CAP_SETUID)");
		error_remedy(err, "E-IDS-RANGE", "use --ids subid or --ids single");
		return -EINVAL;
	}
	if (is_own && mode == IDS_SUBID && (!host->sub_uid.count || !host->sub_gid.count)) {
		error_mistake(err, "--ids subid: no range for this user in /etc/subuid and /etc/subgid");
		error_remedy(err, "E-SUBID-NONE", "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER");
		return -EINVAL;
	}
	return 0;
}

static int check_host_root(const struct spec *spec, const struct host *host, bool is_own, enum ids_mode mode, uint32_t uid,
			   struct error *err)
{
	if (spec->allow_host_root)
		return is_own ? check_root_map(spec, host, mode, err) : 0;
	if (is_own && (maps_host_root(spec->uid_maps) || maps_host_root(spec->gid_maps)))
		return refuse_host_root(err, "a map names outside id 0");
	if (is_own && mode == IDS_SINGLE && !spec->uid_maps && (!host->uid || !host->gid))
		return refuse_host_root(err, "--ids single maps the caller, who is root");
	if (!is_own && (spec->userns.mode == NAMESPACE_HOST || host->has_no_namespaces) && uid == 0)
		return refuse_host_root(err, "there is no user namespace and the user is 0");
	return 0;
}

static int check(const struct spec *spec, const struct host *host, struct error *err)
{
	const bool is_own = spec->userns.mode == NAMESPACE_NEW && !host->has_no_namespaces && !spec->maps_fd;
	const enum ids_mode mode = mode_of(spec, host);
	uint32_t uid = 0, gid = 0;
	int rc = root_check(spec, host, err);

	if (rc == 0)
		rc = find_ids(spec, host, &uid, &gid, err);
	if (rc == 0 && !spec->uid_maps != !spec->gid_maps)
		rc = error_mistake(err, "uid-map and gid-map go together");
	if (rc == 0)
		rc = check_below(spec, host, err);
	if (rc == 0)
		rc = check_mode(spec, host, is_own, mode, err);
	if (rc < 0)
		return rc;
	if (keeps_ids(spec, host) && (uid != host->uid || gid != host->gid)) {
		error_mistake(err, "--user, --group: without root and without a user namespace the program keeps the caller's ids");
		error_remedy(err, "E-IDS-KEPT", "leave them out");
		return -EPERM;
	}
	rc = is_own ? check_mapped(spec, host, mode, uid, gid, err) : 0;
	if (rc == 0)
		rc = check_groups(spec, is_own, mode, err);
	return rc < 0 ? rc : check_host_root(spec, host, is_own, mode, uid, err);
}

static const struct id_row *one_row(struct plan *plan, uint32_t inside, uint32_t outside, uint32_t count)
{
	struct id_row *row = arena_alloc(plan->arena, sizeof(*row));

	plan->is_short |= !row;
	if (row)
		*row = (struct id_row){ inside, outside, count };
	return row;
}

/* Init, which writes its own map, formats nothing. */
static const char *own_text(struct plan *plan, const struct step *step, const struct id_row *row)
{
	return step->op == OP_OWN_ID_MAP && row ? plan_format(plan, "%u %u %u\n", row->inside, row->outside, row->count) : NULL;
}

static void add_maps(struct plan *plan, struct step step, const struct id_row *uids, size_t uid_rows,
		     const struct id_row *gids, size_t gid_rows)
{
	step.subject = "uid_map";
	step.text = own_text(plan, &step, uids);
	step.data = uids;
	step.size = uid_rows;
	plan_add(plan, step);
	step.subject = "gid_map";
	step.text = own_text(plan, &step, gids);
	step.data = gids;
	step.size = gid_rows;
	plan_add(plan, step);
}

/*
 * Whether the user namespace can belong to the first of the leased ids. What is used in it is counted as its owner's, up to that
 * user's limits, and root's are needed by the host and by other jails. But who is no owner needs capabilities to prepare it.
 */
static bool may_give_away(const struct host *host)
{
	static const unsigned needed[] = { CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_KILL, CAP_DAC_OVERRIDE, CAP_SYS_PTRACE, CAP_SETFCAP };
	bool has_all = host->uid == 0;

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		has_all &= HOST_HAS_CAP(host, needed[i]);
	return has_all;
}

static void plan_range(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const bool is_owner = may_give_away(host);
	const struct origin *origin = SPEC_ORIGIN(spec, ids);
	const struct id_row *row = one_row(plan, 0, 0, LEASE_SIZE);

	plan->has_leased_ids = plan->may_set_groups = plan->has_root_inside = true;
	plan_add(plan, (struct step){ .op = OP_LEASE_IDS, .side = LAUNCHER, .phase = PHASE_LEASE, .origin = origin,
		.subject = plan_format(plan, "%s/ids", host->state_folder), .number = LEASE_FIRST, .more = LEASE_RANGES,
		.flags = LEASE_SIZE, .slot = SLOT_IDS, .how = is_owner ? STEP_OWNED : 0,
		.why = is_owner ? "no other jail has these ids, and the kernel counts by them" : "no other jail has these ids" });
	add_maps(plan, (struct step){ .op = OP_ID_MAP, .side = LAUNCHER, .phase = PHASE_ADOPT, .origin = origin, .slot = SLOT_IDS },
		 row, 1, row, 1);
}

static const struct id_row *explicit_rows(struct plan *plan, const struct id_map *maps, size_t *count)
{
	struct id_row *rows;

	*count = 0;
	for (const struct id_map *map = maps; map; map = map->next)
		(*count)++;
	rows = arena_alloc(plan->arena, *count * sizeof(*rows) + 1);
	plan->is_short |= !rows;
	for (size_t i = 0; rows && maps; maps = maps->next)
		rows[i++] = (struct id_row){ maps->inside, maps->outside, maps->count };
	return rows;
}

static bool rows_have(const struct id_row *rows, size_t count, uint32_t inside)
{
	for (size_t i = 0; rows && i < count; i++)
		if (inside >= rows[i].inside && inside - rows[i].inside < rows[i].count)
			return true;
	return false;
}

static void plan_explicit(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const bool is_root = HOST_HAS_CAP(host, CAP_SETUID) && HOST_HAS_CAP(host, CAP_SETGID);
	size_t uid_rows, gid_rows;
	const struct id_row *uids = explicit_rows(plan, spec->uid_maps, &uid_rows);
	const struct id_row *gids = explicit_rows(plan, spec->gid_maps, &gid_rows);

	plan->may_set_groups = true;
	plan->has_root_inside = rows_have(uids, uid_rows, 0) && rows_have(gids, gid_rows, 0);
	add_maps(plan, (struct step){ .op = is_root ? OP_ID_MAP : OP_SUBID_MAP, .side = LAUNCHER, .phase = PHASE_ADOPT,
		.origin = SPEC_ORIGIN(spec, uid_maps), .slot = SLOT_NONE }, uids, uid_rows, gids, gid_rows);
}

/* The caller stands behind the program's own id; the sub-ids fill the numbers below and above it. */
static const struct id_row *sub_rows(struct plan *plan, uint32_t inside, uint32_t caller, struct sub_range range, size_t *count)
{
	const uint32_t below = inside < range.count ? inside : range.count;
	struct id_row *rows = arena_alloc(plan->arena, 3 * sizeof(*rows));

	*count = 0;
	plan->is_short |= !rows;
	if (!rows)
		return NULL;
	if (below)
		rows[(*count)++] = (struct id_row){ 0, range.first, below };
	rows[(*count)++] = (struct id_row){ inside, caller, 1 };
	if (range.count > below)
		rows[(*count)++] = (struct id_row){ inside + 1, range.first + below, range.count - below };
	return rows;
}

static void plan_subids(struct plan *plan, const struct spec *spec, const struct host *host)
{
	size_t uid_rows, gid_rows;
	const struct id_row *uids = sub_rows(plan, plan->uid, host->uid, host->sub_uid, &uid_rows);
	const struct id_row *gids = sub_rows(plan, plan->gid, host->gid, host->sub_gid, &gid_rows);

	plan->may_set_groups = plan->has_root_inside = true;
	add_maps(plan, (struct step){ .op = OP_SUBID_MAP, .side = LAUNCHER, .phase = PHASE_ADOPT,
		.origin = SPEC_ORIGIN(spec, ids), .slot = SLOT_NONE, .why = "by newuidmap(1), newgidmap(1)" },
		 uids, uid_rows, gids, gid_rows);
}

static void plan_single(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const struct id_row *uid = one_row(plan, plan->uid, host->uid, 1), *gid = one_row(plan, plan->gid, host->gid, 1);
	struct step step = { .op = OP_OWN_ID_MAP, .side = INIT, .phase = PHASE_SELF, .origin = SPEC_ORIGIN(spec, ids),
			     .slot = SLOT_NONE };

	if (host->has_other_groups && !spec_leaves(spec, "groups"))
		plan_lacks(plan, "groups");
	plan_add(plan, (struct step){ .op = OP_WRITE, .side = INIT, .phase = PHASE_SELF, .subject = "/proc/self/setgroups",
		.text = "deny", .slot = SLOT_NONE, .why = "the kernel wants it before an unprivileged gid map" });
	add_maps(plan, step, uid, 1, gid, 1);
}

/* In the tree of others /proc/sys cannot be written, so the helper forbids to nest another one, from outside that tree. */
static void forbid_nesting(struct plan *plan, const struct spec *spec, const struct host *host)
{
	if (plan->sysctls && !spec->may_nest && !host->has_fixed_sysctls)
		plan_add(plan, (struct step){ .op = OP_WRITE_BELOW, .side = LAUNCHER, .phase = PHASE_JOIN, .slot = plan->sysctls,
			.subject = "/proc/sys/user/max_user_namespaces", .text = "0", .origin = SPEC_ORIGIN(spec, may_nest),
			.why = "no user namespaces inside this one" });
}

/* Nobody outside may write the maps of one that lies deeper. So the helper that makes it does: with one id, or all that are there. */
static void plan_below(struct plan *plan, const struct spec *spec, const struct host *host)
{
	struct step step = { .op = OP_OWN_USERNS, .side = LAUNCHER, .phase = PHASE_JOIN, .slot = plan->process, .number = plan->uid,
			     .more = plan->gid, .origin = SPEC_ORIGIN(spec, ids), .why = "by the helper, before anybody sees init" };
	struct id_row *rows = arena_alloc(plan->arena, 2 * sizeof(*rows));

	plan->is_short |= !rows;
	if (!rows)
		return;
	rows[0] = (struct id_row){ plan->uid, host->uid, 1 };
	rows[1] = (struct id_row){ plan->gid, host->gid, 1 };
	step.data = rows;
	if (mode_of(spec, host) == IDS_SINGLE) {
		plan_add(plan, step);
		forbid_nesting(plan, spec, host);
		return;
	}
	plan->may_set_groups = plan->has_root_inside = true;
	if (!host->uid)
		plan_add(plan, (struct step){ .op = OP_BECOME_ROOT_INSIDE, .side = LAUNCHER, .phase = PHASE_JOIN, .slot = SLOT_NONE,
			.origin = step.origin, .why = "the helper, which has no id there" });
	step.op = OP_NEST;
	step.data = NULL;
	step.number = step.more = 0;
	plan_add(plan, step);
	forbid_nesting(plan, spec, host);
}

static void plan_host_ids(struct plan *plan, const struct spec *spec, const struct host *host)
{
	plan->init_capabilities = host->uid ? 0 : 1ULL << CAP_KILL;
	plan->may_set_groups = HOST_HAS_CAP(host, CAP_SETGID);
	if (host->uid || spec->user || spec->allow_host_root)
		return;
	/* Root without a user namespace: a host id that nobody else has. */
	plan->has_leased_ids = true;
	plan_add(plan, (struct step){ .op = OP_LEASE_IDS, .side = LAUNCHER, .phase = PHASE_LEASE, .origin = SPEC_ORIGIN(spec, userns),
		.subject = plan_format(plan, "%s/ids", host->state_folder), .number = LEASE_FIRST, .more = LEASE_RANGES,
		.flags = LEASE_SIZE, .slot = SLOT_IDS, .why = "no other jail has this id" });
}

/* Set-up needs an id that is mapped: the jail's root, or else the program's own. */
static void plan_set_up_id(struct plan *plan)
{
	const bool is_root = plan->has_root_inside;

	if (is_root && plan->uid)
		plan->init_capabilities = 1ULL << CAP_KILL;
	plan_add(plan, (struct step){ .op = OP_BECOME_ROOT_INSIDE, .side = INIT, .phase = PHASE_ROOT, .slot = SLOT_NONE,
		.number = is_root ? 0 : plan->uid, .more = is_root ? 0 : plan->gid, .why = "set-up needs an id that is mapped" });
}

static void plan_ids(struct plan *plan, const struct spec *spec, const struct host *host)
{
	if (find_ids(spec, host, &plan->uid, &plan->gid, NULL) < 0)
		return; /* check() has refused these */
	if (!plan->has_userns)
		plan_host_ids(plan, spec, host);
	else if (spec->userns.mode == NAMESPACE_JOIN)
		plan->may_set_groups = !host->joined_denies_groups;
	else if (spec->maps_fd)
		plan->may_set_groups = false; /* nobody knows */
	else if (spec->userns_parent)
		plan_below(plan, spec, host);
	else if (spec->uid_maps)
		plan_explicit(plan, spec, host);
	else if (mode_of(spec, host) == IDS_RANGE)
		plan_range(plan, spec, host);
	else if (mode_of(spec, host) == IDS_SUBID)
		plan_subids(plan, spec, host);
	else
		plan_single(plan, spec, host);
	if (plan->has_root_inside || (plan->has_userns && !spec_leaves(spec, "ids") && ((spec->userns.mode == NAMESPACE_JOIN && !spec->inner_userns) || spec->uid_maps ||
							(spec->maps_fd && spec->user))))
		plan_set_up_id(plan);
}

const struct feature feature_ids = { .name = "ids", .title = "Ids", .fields = fields, .check = check, .plan = plan_ids };
