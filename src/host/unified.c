/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a jail's group can be made on cgroup v2. A group with controllers for its children may hold no processes itself
 * ("no internal processes"), so three places are tried: a folder of immure's own below the true root (root); a group
 * above the caller's that was handed down to the caller and is empty; the caller's own group, when the caller is alone
 * in it and so may step aside into a leaf. Groups that systemd manages are left to systemd. cgroups(7),
 * https://systemd.io/CGROUP_DELEGATION
 */
#include "host/unified.h"

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/path.h"
#include "base/text.h"
#include "host/cgroups.h"
#include "sys/file.h"
#include "sys/folder.h"

struct place {
	const char *parent, *path, *above;
	const char *slice, *slice_path; /* where the manager would put a scope */
	bool must_step_aside;
	enum cgroup_lack lack;
};

/* A small file of the group DIRECTORY; "" when it cannot be read. */
static void read_in(const char *directory, const char *name, char *buffer, size_t size)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path) || sys_read_file(path, buffer, size) < 0)
		*buffer = '\0';
}

static bool may_write_in(const char *directory, const char *name)
{
	char path[4096];

	return snprintf(path, sizeof(path), "%s/%s", directory, name) < (int)sizeof(path) && sys_may_write(path);
}

static bool is_handed_down(const char *directory)
{
	return sys_may_write(directory) && may_write_in(directory, "cgroup.procs") && may_write_in(directory, "cgroup.subtree_control");
}

static bool is_managed(const char *directory)
{
	const char *name = path_last(directory);
	const size_t size = strlen(name);

	return (size > 6 && strcmp(name + size - 6, ".slice") == 0) || text_starts(name, "user@");
}

static unsigned count_processes(const char *directory)
{
	char text[4096];
	unsigned lines = 0;

	read_in(directory, "cgroup.procs", text, sizeof(text));
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	return lines;
}

/* Only the true root has no type. */
static bool is_true_root(const char *mount)
{
	char text[64];

	read_in(mount, "cgroup.type", text, sizeof(text));
	return !*text;
}

static bool try_root(struct host *host, struct place *place)
{
	const char *mount = host->unified.mount;

	if (!is_true_root(mount) || !is_handed_down(mount))
		return false;
	*place = (struct place){ .parent = arena_format(&host->arena, "%s/immure", mount), .path = "/immure", .above = mount };
	return place->parent;
}

static bool try_above(struct host *host, struct place *place)
{
	const char *directory = host->unified.own, *path = host->unified.own_path;

	while (strcmp(path, "/") != 0 && strcmp(directory, host->unified.mount) != 0) {
		directory = path_parent(&host->arena, directory);
		path = path_parent(&host->arena, path);
		if (!directory || !path)
			return false;
		if (is_managed(directory) || !is_handed_down(directory))
			continue;
		if (count_processes(directory)) {
			place->lack = LACK_COMPANY;
			continue;
		}
		*place = (struct place){ .parent = directory, .path = path };
		return true;
	}
	return false;
}

static bool try_own(struct host *host, struct place *place)
{
	const char *own = host->unified.own;

	if (is_managed(own) || !is_handed_down(own))
		return false;
	if (count_processes(own) != 1) {
		place->lack = LACK_COMPANY;
		return false;
	}
	*place = (struct place){ .parent = own, .path = host->unified.own_path, .must_step_aside = true };
	return true;
}

static bool is_read_only(const char *mount)
{
	unsigned long flags = 0;
	long magic = 0;

	return sys_mount_flags(mount, &flags, &magic) == 0 && (flags & MS_RDONLY);
}

static void find_place(struct host *host, struct place *place)
{
	*place = (struct place){ .lack = host->uid == 0 || is_read_only(host->unified.mount) ? LACK_READ_ONLY : LACK_DELEGATION };
	if (try_root(host, place))
		return;
	if (!host->unified.own)
		place->lack = LACK_OUTSIDE;
	else if (!try_above(host, place))
		try_own(host, place);
}

bool unified_has(const char *list, enum controller controller)
{
	const char *name = controller_name(controller, 2), *at = strstr(list, name);
	const size_t size = strlen(name);

	/* Every group keeps its processor time and can be frozen, whatever is handed down. */
	if (controller == CONTROLLER_CPUACCT || controller == CONTROLLER_FREEZER)
		return true;
	for (; at; at = strstr(at + size, name))
		if ((at == list || at[-1] == ' ') && (at[size] == '\0' || at[size] == ' ' || at[size] == '\n'))
			return true;
	return false;
}

/* Root makes groups itself. Where it may not, in a user namespace or a container, the system's manager would help no more: there it
 * is another's, or takes this root for the user who it is outside. */
static enum manager find_manager(const struct host *host)
{
	char path[4096];

	if (host->uid == 0 || !host->caller.runtime || snprintf(path, sizeof(path), "%s/bus", host->caller.runtime) >= (int)sizeof(path))
		return MANAGER_NONE;
	return sys_exists(path) ? MANAGER_USER : MANAGER_NONE;
}

static void find_slice(struct host *host, struct place *place)
{
	place->slice_path = arena_format(&host->arena, "/user.slice/user-%u.slice/user@%u.service/app.slice", host->uid, host->uid);
	place->slice = place->slice_path ? arena_format(&host->arena, "%s%s", host->unified.mount, place->slice_path) : NULL;
}

/* What the manager could give to a scope: nothing that helps where the groups in it cannot be made, as in a service with
 * ProtectControlGroups=yes. systemd.exec(5) */
static void read_managers_controllers(const struct host *host, char *list, size_t size)
{
	char path[4096];

	*list = '\0';
	if (host->manager == MANAGER_USER && !is_read_only(host->unified.mount) &&
	    snprintf(path, sizeof(path), "%s/user.slice/user-%u.slice/user@%u.service", host->unified.mount, host->uid, host->uid) <
		    (int)sizeof(path))
		read_in(path, "cgroup.controllers", list, size);
}

static void give(struct host_controller *controller, const struct place *place, bool is_there, bool is_in_scope)
{
	controller->version = 2;
	if (place->parent && is_there) {
		controller->way = CGROUP_DIRECT;
		controller->lack = LACK_NOTHING;
		controller->parent = place->parent;
		controller->path = place->path;
	} else if (!place->parent && is_in_scope) {
		controller->way = CGROUP_SCOPE;
		controller->lack = LACK_NOTHING;
		controller->parent = place->slice;
		controller->path = place->slice_path;
	} else {
		controller->lack = place->parent ? LACK_DELEGATION : place->lack;
	}
}

/* Version 1 may have a controller. Its freezer is left where version 2 can do it: whoever is born into a group waits for nobody, and
 * moving a process into one of version 1 may wait for every processor. clone3(2), CLONE_INTO_CGROUP */
static bool is_for_unified(const struct host *host, enum controller controller, const struct place *place)
{
	return host->controllers[controller].version == 0 ||
	       (controller == CONTROLLER_FREEZER && place->parent && !place->must_step_aside && host_kernel_is(host, 5, 7));
}

void try_unified(struct host *host)
{
	char all[512], here[512], scope[512];
	struct place place;

	if (!host->unified.mount)
		return;
	find_place(host, &place);
	host->unified.above = place.above;
	host->unified.must_step_aside = place.must_step_aside;
	host->manager = find_manager(host);
	read_in(host->unified.mount, "cgroup.controllers", all, sizeof(all));
	read_in(place.above ? place.above : place.parent ? place.parent : "/", "cgroup.controllers", here, sizeof(here));
	read_managers_controllers(host, scope, sizeof(scope));
	find_slice(host, &place);
	for (enum controller i = 0; i < CONTROLLERS; i++) {
		struct host_controller *controller = &host->controllers[i];

		if (is_for_unified(host, i, &place) && unified_has(all, i))
			give(controller, &place, unified_has(here, i), *scope && unified_has(scope, i));
	}
}
