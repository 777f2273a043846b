/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jail's cgroup. Version 1: one directory for each hierarchy that is needed; init is moved in before it does
 * anything. Version 2: one directory, into which init is born. Either way the launcher reads back where init is.
 * The launcher itself stays outside. cgroups(7), the kernel's cgroup-v1/ and cgroup-v2.rst
 */
#include "feature/group.h"

#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "host/cgroups.h"
#include "spec/io.h"

enum { PERIOD_US = 100000 };

/* A limit that only a group can keep. */
static const struct need {
	const char *word; /* of --may-lack and --require */
	enum controller controller;
	size_t member;
} needs[] = {
	{ "memory", CONTROLLER_MEMORY, offsetof(struct spec, memory_bytes) },
	{ "cpus", CONTROLLER_CPU, offsetof(struct spec, cpus_thousandths) },
	{ "cpu-time", CONTROLLER_CPUACCT, offsetof(struct spec, cpu_time_ns) },
	{ "io", CONTROLLER_IO, offsetof(struct spec, io_max) },
	{ "pids", CONTROLLER_PIDS, offsetof(struct spec, pids) },
};

static const struct {
	const char *id, *why, *remedy;
} lacks[] = {
	[LACK_NOTHING] = { "E-CGROUP-NONE", "no cgroup can be made", "see immure doctor" },
	[LACK_CONTROLLER] = { "E-CGROUP-CONTROLLER", "no cgroup hierarchy with this controller is mounted here",
			      "see /proc/cgroups and the kernel's command line (cgroup_disable, cgroup_enable)" },
	[LACK_OUTSIDE] = { "E-CGROUP-NONE", "the caller's own cgroup lies outside of what is mounted here",
			   "mount the cgroup file systems in this container" },
	[LACK_READ_ONLY] = { "E-CGROUP-READONLY", "the cgroups are not writable here (a container, or a service of systemd's?)",
			     "start the container with writable cgroups, for example podman run --cgroups=split; a service without ProtectControlGroups=" },
	[LACK_DELEGATION] = { "E-CGROUP-DELEGATION", "this user was not given a cgroup that has it",
			      "run it under systemd-run --user --scope -p Delegate=yes, or as root" },
	[LACK_COMPANY] = { "E-CGROUP-COMPANY", "other processes share the caller's cgroup, so it cannot have children with limits",
			   "start immure in a cgroup of its own: systemd-run --user --scope -p Delegate=yes immure ..." },
};

static bool is_asked(const struct spec *spec, const struct need *need)
{
	const void *member = (const char *)spec + need->member;

	if (need->controller == CONTROLLER_IO)
		return spec->io_max;
	return *(const uint64_t *)member != NUMBER_NONE;
}

static bool may_do_without(const struct spec *spec, const char *word)
{
	return spec_may_lack(spec, word) && !spec_requires(spec, word);
}

static int refuse(const struct need *need, const struct spec *spec, const struct host *host, struct error *err)
{
	const enum cgroup_lack lack = host->controllers[need->controller].lack;
	char where[ORIGIN_TEXT];

	error_mistake(err, "%s: %s", controller_name(need->controller, host->controllers[need->controller].version), lacks[lack].why);
	error_while(err, "limit %s (%s)", need->word, origin_print(spec_origin(spec, need->member), where));
	error_remedy(err, lacks[lack].id, "%s; or --may-lack %s", lacks[lack].remedy, need->word);
	return -EOPNOTSUPP;
}

static int check_swap(const struct spec *spec, const struct host *host, struct error *err)
{
	const bool is_limited = host->controllers[CONTROLLER_MEMORY].way != CGROUP_NONE && spec->swap_bytes != NUMBER_NONE;

	if (spec->memory_bytes == NUMBER_NONE || !is_limited || host->has_swap_limit || !host->has_swap || may_do_without(spec, "swap"))
		return 0;
	error_mistake(err, "the kernel does not limit swap, so the memory limit would not hold");
	error_remedy(err, "E-CGROUP-SWAP", "boot with swapaccount=1, turn swap off, or --may-lack swap");
	return -EOPNOTSUPP;
}

/* The device's numbers: in its name, or found by looking. */
static bool find_device(const struct host *host, const char *name, unsigned *major, unsigned *minor)
{
	const struct host_device *device = host_find_device(host, name);

	if (io_device_numbers(name, major, minor))
		return true;
	if (!device || !device->is_block)
		return false;
	*major = device->major;
	*minor = device->minor;
	return true;
}

static int check_devices(const struct spec *spec, const struct host *host, struct error *err)
{
	auto_arena struct arena arena = { 0 };

	for (const struct string_item *item = spec->io_max; item; item = item->next) {
		unsigned major, minor;
		struct io_limit limit;
		int rc = io_limit_read(&arena, item->text, &limit, err);

		if (rc < 0)
			return error_while(err, "io-max");
		if (!find_device(host, limit.device, &major, &minor))
			return error_mistake(err, "io-max: %s is no block device", limit.device);
	}
	return 0;
}

int check_group(const struct spec *spec, const struct host *host, bool needs_pids, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		const struct need *need = &needs[i];

		if (need->controller == CONTROLLER_PIDS ? !needs_pids : !is_asked(spec, need))
			continue;
		if (host->controllers[need->controller].way == CGROUP_NONE && !may_do_without(spec, need->word))
			return refuse(need, spec, host, err);
	}
	if (check_devices(spec, host, err) < 0)
		return -EINVAL;
	return check_swap(spec, host, err);
}

/* The group while it is being planned. */
struct group {
	struct plan *plan;
	const struct spec *spec;
	const struct host *host;
	unsigned wanted;         /* controllers, as a mask */
	struct group_slots *slots;
	const char *directory[CONTROLLERS];
};

static bool has(const struct group *group, enum controller controller)
{
	return group->wanted >> controller & 1;
}

static int version_of(const struct group *group, enum controller controller)
{
	return group->host->controllers[controller].version;
}

/* A group that systemd makes can only be made for a process that is there. */
static enum phase phase_of(const struct group *group, enum controller controller)
{
	return group->host->controllers[controller].way == CGROUP_SCOPE ? PHASE_ADOPT : PHASE_GROUP;
}

static void add_write(struct group *group, enum controller controller, const char *file, const char *text, size_t member,
		      unsigned how)
{
	plan_add(group->plan, (struct step){ .op = OP_WRITE, .side = LAUNCHER, .phase = phase_of(group, controller), .slot = SLOT_NONE,
		.subject = plan_format(group->plan, "%s/%s", group->directory[controller], file), .text = text,
		.how = how, .origin = spec_origin(group->spec, member) });
}

static const char *number(struct group *group, uint64_t value)
{
	return plan_format(group->plan, "%llu", (unsigned long long)value);
}

static uint64_t sum(uint64_t left, uint64_t right)
{
	return left > INT64_MAX - right ? INT64_MAX : left + right;
}

static void limit_swap(struct group *group)
{
	const struct spec *spec = group->spec;
	const bool is_old = version_of(group, CONTROLLER_MEMORY) == 1;
	const uint64_t swap = spec->swap_bytes;
	/* A kernel that does not account swap has no such file; without swap there is nothing to limit. */
	const bool may_miss = !is_old && (!group->host->has_swap || may_do_without(spec, "swap"));

	if (swap == NUMBER_NONE)
		return;
	if (is_old && !group->host->has_swap_limit) {
		if (group->host->has_swap)
			plan_lacks(group->plan, "swap");
		return;
	}
	add_write(group, CONTROLLER_MEMORY, is_old ? "memory.memsw.limit_in_bytes" : "memory.swap.max",
		  number(group, is_old ? sum(spec->memory_bytes, swap) : swap), offsetof(struct spec, swap_bytes),
		  may_miss ? STEP_OPTIONAL : 0);
}

static void limit_memory(struct group *group)
{
	const bool is_old = version_of(group, CONTROLLER_MEMORY) == 1;
	const size_t member = offsetof(struct spec, memory_bytes);

	if (group->spec->memory_bytes == NUMBER_NONE || !has(group, CONTROLLER_MEMORY))
		return;
	add_write(group, CONTROLLER_MEMORY, is_old ? "memory.limit_in_bytes" : "memory.max", number(group, group->spec->memory_bytes),
		  member, 0);
	limit_swap(group);
	if (!is_old)
		add_write(group, CONTROLLER_MEMORY, "memory.oom.group", "1", member, 0);
}

static void limit_cpus(struct group *group)
{
	const size_t member = offsetof(struct spec, cpus_thousandths);
	const uint64_t quota = group->spec->cpus_thousandths * (PERIOD_US / 1000);

	if (group->spec->cpus_thousandths == NUMBER_NONE || !has(group, CONTROLLER_CPU))
		return;
	if (version_of(group, CONTROLLER_CPU) == 2) {
		add_write(group, CONTROLLER_CPU, "cpu.max",
			  plan_format(group->plan, "%llu %d", (unsigned long long)quota, PERIOD_US), member, 0);
		return;
	}
	add_write(group, CONTROLLER_CPU, "cpu.cfs_period_us", number(group, PERIOD_US), member, 0);
	add_write(group, CONTROLLER_CPU, "cpu.cfs_quota_us", number(group, quota), member, 0);
}

static void limit_one_device(struct group *group, const struct io_limit *limit, const char *device)
{
	static const char *const files[IO_RATES] = { "blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device",
						     "blkio.throttle.read_iops_device", "blkio.throttle.write_iops_device" };
	const size_t member = offsetof(struct spec, io_max);
	const char *all = device;

	for (int i = 0; i < IO_RATES; i++) {
		const unsigned long long rate = limit->rates[i];

		if (limit->rates[i] == NUMBER_NONE)
			continue;
		if (version_of(group, CONTROLLER_IO) == 1)
			add_write(group, CONTROLLER_IO, files[i],
				  plan_format(group->plan, "%s %llu", device, rate), member, 0);
		else
			all = plan_format(group->plan, "%s %s=%llu", all, io_rate_names[i], rate);
	}
	if (version_of(group, CONTROLLER_IO) == 2)
		add_write(group, CONTROLLER_IO, "io.max", all, member, 0);
}

static void limit_io(struct group *group)
{
	if (!has(group, CONTROLLER_IO))
		return;
	for (const struct string_item *item = group->spec->io_max; item; item = item->next) {
		unsigned major, minor;
		struct io_limit limit;

		if (io_limit_read(group->plan->arena, item->text, &limit, NULL) < 0)
			continue; /* check_group() has refused it */
		if (find_device(group->host, limit.device, &major, &minor))
			limit_one_device(group, &limit, plan_format(group->plan, "%u:%u", major, minor));
	}
}

static void limit_pids(struct group *group)
{
	/* Init is in the group as well, but a pod's is not in that of the pod. */
	if (has(group, CONTROLLER_PIDS) && group->spec->pids != NUMBER_NONE)
		add_write(group, CONTROLLER_PIDS, "pids.max", number(group, sum(group->spec->pids, !group->spec->is_holder)), offsetof(struct spec, pids), 0);
}

/* The controllers of version 2 as cgroup.subtree_control wants them: "+cpu +memory". */
static const char *switch_text(struct group *group, char sign)
{
	const char *text = "";

	for (enum controller i = 0; i < CONTROLLERS; i++)
		if (has(group, i) && version_of(group, i) == 2 && i != CONTROLLER_CPUACCT && i != CONTROLLER_FREEZER)
			text = plan_format(group->plan, "%s%s%c%s", text, *text ? " " : "", sign, controller_name(i, 2));
	return text;
}

/* Version 2: the folders in which the controllers must be switched on, from above. */
static void add_switches(struct group *group, struct step *step, const char *parent)
{
	const char **folders = arena_alloc(group->plan->arena, 2 * sizeof(*folders));

	group->plan->is_short |= !folders;
	if (!folders)
		return;
	if (group->host->unified.above)
		folders[step->size++] = group->host->unified.above;
	folders[step->size++] = parent;
	step->data = folders;
	step->text = switch_text(group, '+');
}

static void step_aside(struct group *group, const char *parent)
{
	if (group->host->unified.must_step_aside)
		plan_add(group->plan, (struct step){ .op = OP_CGROUP_ASIDE, .side = LAUNCHER, .phase = PHASE_GROUP, .slot = SLOT_NONE,
			.subject = plan_format(group->plan, "%s/%s-launcher", parent, group->host->run_id), .text = parent,
			.data = switch_text(group, '-'), .why = "a group with limited children may hold no process" });
}

static void add_scope(struct group *group, const struct host_controller *controller)
{
	struct scope_place *place = arena_alloc(group->plan->arena, sizeof(*place));
	const char *name = plan_format(group->plan, "%s.scope", group->host->run_id);

	group->plan->is_short |= !place;
	if (!place)
		return;
	*place = (struct scope_place){ path_last(controller->path), group->host->caller.runtime,
				       plan_format(group->plan, "%s/%s", controller->parent, name),
				       plan_format(group->plan, "%s/%s", controller->path, name), group->spec->is_holder };
	plan_add(group->plan, (struct step){ .op = OP_CGROUP_SCOPE, .side = LAUNCHER, .phase = PHASE_ADOPT, .slot = SLOT_NONE,
		.subject = name, .text = place->is_launchers ? "the keeper" : "init", .data = place,
		.why = place->is_launchers ? "only systemd may make a group for this user; who stands in it may make those of the jails"
					   : "only systemd may make a group for this user" });
}

/* In the scope: init goes into the group, and only then, with nobody left beside it, controllers can be handed down. */
static void enter_scope(struct group *group, const struct step *create)
{
	struct step step = *create;

	step.op = OP_CGROUP_JOIN;
	plan_add(group->plan, step);
	plan_add(group->plan, (struct step){ .op = OP_WRITE, .side = LAUNCHER, .phase = PHASE_ADOPT, .slot = SLOT_NONE,
		.subject = plan_format(group->plan, "%s/cgroup.subtree_control", path_parent(group->plan->arena, create->subject)),
		.text = switch_text(group, '+') });
}

static const char *name_below(struct group *group, const struct host_controller *controller)
{
	const char *id = group->host->run_id;

	return controller->way == CGROUP_SCOPE ? plan_format(group->plan, "%s.scope/%s", id, id) : id;
}

/* Who bears init, root's helper in another user namespace, has lost the right to put anybody into a group. */
static bool is_born_elsewhere(const struct group *group)
{
	const bool joins_users = group->spec->userns_parent || group->spec->userns.mode == NAMESPACE_JOIN;

	return joins_users && group->host->uid == 0;
}

/* Version 2: init is born into the group. */
static bool is_born_into(const struct group *group)
{
	return !group->spec->is_holder && !is_born_elsewhere(group);
}

/* One directory, which several controllers may share. */
static void create(struct group *group, enum controller first)
{
	const struct host_controller *controller = &group->host->controllers[first];
	const char *directory = plan_format(group->plan, "%s/%s", controller->parent, name_below(group, controller));
	struct step step = { .op = OP_CGROUP_CREATE, .side = LAUNCHER, .phase = phase_of(group, first), .subject = directory,
			     .slot = controller->version == 2 && is_born_into(group) ? SLOT_CGROUP : plan_slot(group->plan) };

	for (enum controller i = first; i < CONTROLLERS; i++) {
		if (!has(group, i) || strcmp(group->host->controllers[i].parent, controller->parent) != 0)
			continue;
		group->directory[i] = directory;
		group->slots->slot[i] = step.slot;
		group->slots->version[i] = controller->version;
	}
	if (controller->way == CGROUP_SCOPE) {
		add_scope(group, controller);
	} else if (controller->version == 2) {
		step_aside(group, controller->parent);
		add_switches(group, &step, controller->parent);
	}
	plan_add(group->plan, step);
	if (controller->way == CGROUP_SCOPE)
		enter_scope(group, &step);
}

/* What must be undone should the launcher be killed: a line each, in the order of undoing. */
static void add_journal(struct group *group)
{
	const struct host_unified *unified = &group->host->unified;
	const char *text = "", *last = "";

	for (enum controller i = 0; i < CONTROLLERS; i++) {
		if (!has(group, i) || phase_of(group, i) != PHASE_GROUP || /* a scope goes by itself */
		    strstr(text, plan_format(group->plan, "group %s\n", group->directory[i])))
			continue;
		text = plan_format(group->plan, "%sgroup %s\n", text, group->directory[i]);
		if (version_of(group, i) != 2)
			continue;
		if (unified->above)
			last = plan_format(group->plan, "folder %s\n", group->host->controllers[i].parent);
		if (unified->must_step_aside)
			last = plan_format(group->plan, "group %s/%s-launcher\nswitch %s %s\n", unified->own, group->host->run_id,
					   unified->own, switch_text(group, '-'));
	}
	if (!*text)
		return;
	plan_add(group->plan, (struct step){ .op = OP_JOURNAL, .side = LAUNCHER, .phase = PHASE_LEASE, .slot = plan_slot(group->plan),
		.subject = plan_format(group->plan, "%s/%s.journal", group->host->state_folder, group->host->run_id),
		.text = plan_format(group->plan, "%s%s", text, last), .why = "so that immure gc can clean up after a kill -9" });
}

static bool is_first_there(const struct group *group, enum controller controller)
{
	for (enum controller i = 0; i < controller; i++)
		if (has(group, i) && group->slots->slot[i] == group->slots->slot[controller])
			return false;
	return true;
}

static const char *path_inside(struct group *group, enum controller controller)
{
	const struct host_controller *at = &group->host->controllers[controller];

	return plan_format(group->plan, "%s/%s", strcmp(at->path, "/") == 0 ? "" : at->path, name_below(group, at));
}

/* By init itself, or by the launcher for it. */
static void add_by(struct group *group, bool is_init, struct step step)
{
	step.side = is_init ? INIT : LAUNCHER;
	step.phase = is_init ? PHASE_MEMBER : PHASE_ADOPT;
	plan_add(group->plan, step);
}

/*
 * Version 1: who moves the one thread that it is, and nobody else, waits for no other; to move somebody else the kernel stops the
 * births and deaths of all processes, which takes 6 to 20 ms where nobody has done so just before. kernel/cgroup/cgroup.c,
 * cgroup_procs_write_start()
 */
static bool joins_itself(const struct group *group, enum controller i)
{
	return version_of(group, i) == 1 && !is_born_elsewhere(group);
}

static void add_join(struct group *group, enum controller i)
{
	add_by(group, joins_itself(group, i), (struct step){ .op = OP_CGROUP_JOIN, .subject = group->directory[i], .slot = group->slots->slot[i] });
}

static void add_members(struct group *group)
{
	struct group_row *rows = arena_alloc(group->plan->arena, CONTROLLERS * sizeof(*rows));
	bool is_own = false; /* some join of init's own */
	size_t count = 0;

	group->plan->is_short |= !rows;
	for (enum controller i = 0; rows && i < CONTROLLERS; i++) {
		if (!has(group, i) || !is_first_there(group, i))
			continue;
		if (version_of(group, i) == 1 || !is_born_into(group))
			add_join(group, i);
		is_own |= joins_itself(group, i);
		rows[count++] = (struct group_row){ version_of(group, i) == 1 ? controller_name(i, 1) : "", path_inside(group, i) };
	}
	add_by(group, is_own, (struct step){ .op = OP_CGROUP_VERIFY, .slot = SLOT_NONE, .subject = group->host->run_id,
		.data = rows, .size = count });
}

static void add_watch(struct group *group)
{
	const bool has_time = group->spec->cpu_time_ns != NUMBER_NONE && has(group, CONTROLLER_CPUACCT);
	const bool has_memory = group->spec->memory_bytes != NUMBER_NONE && has(group, CONTROLLER_MEMORY);
	char time[NUMBER_TEXT];
	const char *text = "measure the jail's group at its end";

	if (has_time)
		text = plan_format(group->plan, "end the jail when its processor time reaches %s%s",
				   number_print_duration(group->spec->cpu_time_ns, time), has_memory ? ", or its memory is exhausted" : "");
	else if (has_memory)
		text = "end the jail when its memory is exhausted";
	else if (group->wanted == 1u << CONTROLLER_FREEZER)
		text = "stop the jail's group when it is paused";
	plan_add(group->plan, (struct step){ .op = OP_CGROUP_WATCH, .side = LAUNCHER, .phase = PHASE_GROUP, .slot = SLOT_NONE,
		.text = text, .number = has_time ? group->spec->cpu_time_ns : NUMBER_NONE, .more = has_memory, .data = group->slots,
		.origin = has_time ? spec_origin(group->spec, offsetof(struct spec, cpu_time_ns)) : NULL });
}

/* Whoever stops a jail that stays does so by a group, which it neither sees nor resists. */
static bool may_be_paused(const struct spec *spec, const struct host *host)
{
	return spec->is_kept && !spec->is_holder && cgroups_may_freeze(host);
}

/* What is asked and can be had; what cannot was permitted to lack. */
static unsigned find_wanted(struct plan *plan, const struct spec *spec, const struct host *host, bool needs_pids)
{
	unsigned wanted = 0;

	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		const struct need *need = &needs[i];

		if (!is_asked(spec, need) || (need->controller == CONTROLLER_PIDS && !needs_pids))
			continue;
		if (host->controllers[need->controller].way != CGROUP_NONE)
			wanted |= 1u << need->controller;
		else
			plan_lacks(plan, need->word);
	}
	for (enum controller i = 0; i < CONTROLLERS; i++)
		wanted |= host->controllers[i].is_common ? 1u << i : 0;
	if (wanted && spec->pids != NUMBER_NONE && host->controllers[CONTROLLER_PIDS].way != CGROUP_NONE)
		wanted |= 1u << CONTROLLER_PIDS;
	return may_be_paused(spec, host) ? wanted | 1u << CONTROLLER_FREEZER : wanted;
}

bool plan_group(struct plan *plan, const struct spec *spec, const struct host *host, bool needs_pids)
{
	struct group group = { plan, spec, host, find_wanted(plan, spec, host, needs_pids),
			       arena_alloc(plan->arena, sizeof(struct group_slots)), { 0 } };

	plan->is_short |= !group.slots;
	if (!group.wanted || !group.slots)
		return false;
	for (enum controller i = 0; i < CONTROLLERS; i++)
		group.slots->slot[i] = SLOT_NONE;
	for (enum controller i = 0; i < CONTROLLERS; i++)
		if (has(&group, i) && !group.directory[i])
			create(&group, i);
	add_journal(&group);
	limit_memory(&group);
	limit_cpus(&group);
	limit_io(&group);
	limit_pids(&group);
	add_watch(&group);
	add_members(&group);
	return has(&group, CONTROLLER_PIDS);
}
