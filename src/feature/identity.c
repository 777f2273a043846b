/* SPDX-License-Identifier: Apache-2.0 */
/* Who the program is: groups, gid, uid, in this order, each verified afterwards (check.c). credentials(7) */
#include <errno.h>
#include <string.h>

#include "feature/identity.h"

static const struct field fields[] = {
	{ .key = "groups", .type = FIELD_WORDS, FIELD(groups), .example = "100,101", .since = "0.1",
	  .help = "supplementary groups: numbers, names of the jail's group file, or @user for all that list the user (default: none)" },
	{ .key = "umask", .type = FIELD_OCTAL, FIELD(umask), .fallback = "022", .since = "0.1", .help = "file mode creation mask" },
	{ 0 },
};

static bool is_number(const char *text)
{
	return *text >= '0' && *text <= '9';
}

static bool is_all_of_user(const struct string_item *item)
{
	return strcmp(item->text, "@user") == 0;
}

static bool find_group(const struct host *host, const char *text, uint32_t *gid)
{
	uint64_t number;

	if (is_number(text)) {
		if (number_parse(text, UINT32_MAX - 1, &number) < 0)
			return false;
		*gid = (uint32_t)number;
		return true;
	}
	for (unsigned i = 0; i < host->found_group_count; i++)
		if (strcmp(host->found_group_names[i], text) == 0)
			return *gid = host->found_groups[i], true;
	return false;
}

int check_group_names(const struct spec *spec, const struct host *host, struct error *err)
{
	for (const struct string_item *item = spec->groups; item; item = item->next) {
		uint32_t gid;

		if (is_number(item->text) && !find_group(host, item->text, &gid))
			return error_mistake(err, "--groups: \"%s\" is not a group number below 4294967295", item->text);
		if (is_all_of_user(item) || find_group(host, item->text, &gid))
			continue;
		error_mistake(err, "--groups: the jail's group file has no group \"%s\"", item->text);
		error_remedy(err, "E-GROUP-UNKNOWN", "name a group of the jail's /etc/group, or give a number");
		return -EINVAL;
	}
	return 0;
}

static int check(const struct spec *spec, const struct host *host, struct error *err)
{
	if (spec->umask > 0777)
		return error_mistake(err, "--umask %o: a mask has three octal digits", spec->umask);
	return check_group_names(spec, host, err);
}

const uint32_t *group_numbers(struct plan *plan, const struct spec *spec, const struct host *host, size_t *count)
{
	uint32_t *numbers;

	*count = 0;
	for (const struct string_item *item = spec->groups; item; item = item->next)
		*count += is_all_of_user(item) ? host->member_group_count : 1;
	numbers = arena_alloc(plan->arena, (*count + 1) * sizeof(*numbers));
	plan->is_short |= !numbers;
	*count = 0;
	for (const struct string_item *item = spec->groups; numbers && item; item = item->next) {
		for (unsigned i = 0; is_all_of_user(item) && i < host->member_group_count; i++)
			numbers[(*count)++] = host->member_groups[i];
		if (!is_all_of_user(item) && find_group(host, item->text, &numbers[*count]))
			(*count)++;
	}
	return numbers;
}

static void plan_identity(struct plan *plan, const struct spec *spec, const struct host *host)
{
	struct step step = { .side = PAYLOAD, .phase = PHASE_IDENTITY, .slot = SLOT_NONE };

	if (plan->may_set_groups && !spec_leaves(spec, "groups")) {
		step.op = OP_GROUPS;
		step.origin = SPEC_ORIGIN(spec, groups);
		step.data = group_numbers(plan, spec, host, &step.size);
		plan_add(plan, step);
	}
	if (spec->maps_fd && !spec->user)
		return; /* whoever the maps make of the caller */
	if (!plan->has_userns && host->uid)
		return; /* neither root nor a user namespace: the caller's ids stay */
	step = (struct step){ .side = PAYLOAD, .phase = PHASE_IDENTITY, .op = OP_GID, .number = plan->gid,
			      .origin = SPEC_ORIGIN(spec, group), .slot = plan->has_userns || !plan->has_leased_ids ? SLOT_NONE : SLOT_IDS };
	if (spec->group || !spec_leaves(spec, "ids"))
		plan_add(plan, step);
	step.op = OP_UID;
	step.number = plan->uid;
	step.origin = SPEC_ORIGIN(spec, user);
	if (spec->user || !spec_leaves(spec, "ids"))
		plan_add(plan, step);
}

const struct feature feature_identity = {
	.name = "identity", .title = "Identity", .fields = fields, .check = check, .plan = plan_identity,
};
