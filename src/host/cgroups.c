/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroups, per controller. A machine may have version 1, version 2, both at once (hybrid) or none, and a container
 * may show any part of it read-only, so nothing is concluded from what kind of file system /sys/fs/cgroup is:
 * /proc/self/mountinfo says which hierarchy holds a controller, /proc/self/cgroup where the caller stands in it, and
 * access(2) whether it may be written. cgroups(7)
 */
#include "host/cgroups.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/text.h"
#include "host/unified.h"
#include "spec/io.h"
#include "sys/file.h"
#include "sys/folder.h"

enum { MOST_BYTES = 8 << 20 };

const char *const controller_names[CONTROLLERS] = {
	[CONTROLLER_CPU] = "cpu", [CONTROLLER_CPUACCT] = "cpuacct", [CONTROLLER_MEMORY] = "memory", [CONTROLLER_PIDS] = "pids",
	[CONTROLLER_IO] = "io", [CONTROLLER_FREEZER] = "freezer",
};

/* The fields of a line of mountinfo that matter here. proc_pid_mountinfo(5) */
struct mount_line {
	char *root, *point, *type, *options;
};

const char *controller_name(enum controller controller, int version)
{
	return controller == CONTROLLER_IO && version == 1 ? "blkio" : controller_names[controller];
}

bool cgroups_are_asked(const struct spec *spec, const struct host *host)
{
	const bool is_old = !host_kernel_is(host, 5, 14);

	if (spec->memory_bytes != NUMBER_NONE || spec->cpus_thousandths != NUMBER_NONE || spec->cpu_time_ns != NUMBER_NONE ||
	    spec->io_max || spec->has_common_group || spec->is_kept)
		return true;
	/* RLIMIT_NPROC alone may not hold the program. */
	return spec->pids != NUMBER_NONE && (is_old || host->has_no_namespaces || spec->userns.mode != NAMESPACE_NEW ||
					     spec->cap_add || spec->allow_host_root);
}

bool cgroups_may_want_scope(const struct host *host)
{
	for (enum controller i = 0; i < CONTROLLERS; i++)
		if (host->controllers[i].way == CGROUP_SCOPE)
			return true;
	return false;
}

bool cgroups_may_freeze(const struct host *host)
{
	const struct host_controller *freezer = &host->controllers[CONTROLLER_FREEZER];

	return freezer->way == CGROUP_DIRECT && !(freezer->version == 2 && host->unified.must_step_aside);
}

/* Takes the word at *AT off the line. */
static char *take_word(char **at)
{
	char *word = *at, *end = word ? strchr(word, ' ') : NULL;

	if (end)
		*end++ = '\0';
	*at = end;
	return word;
}

/* "\040" is a space. */
static void unescape(char *text)
{
	char *out = text;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] && text[3]) {
			*out++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
			text += 3;
		} else {
			*out++ = *text;
		}
	}
	*out = '\0';
}

static bool read_mount(char *line, struct mount_line *mount)
{
	char *rest = strstr(line, " - ");

	if (!rest)
		return false;
	*rest = '\0';
	rest += 3;
	for (int i = 0; i < 3; i++)
		take_word(&line);
	mount->root = take_word(&line);
	mount->point = take_word(&line);
	mount->type = take_word(&rest);
	take_word(&rest);
	mount->options = take_word(&rest);
	if (!mount->point || !mount->options)
		return false;
	unescape(mount->root);
	unescape(mount->point);
	return true;
}

/* Whether the comma-separated LIST has WORD, whole. */
static bool has_word(const char *list, const char *word)
{
	const size_t size = strlen(word);

	for (; list; list = strchr(list, ',')) {
		list += *list == ',';
		if (strncmp(list, word, size) == 0 && (list[size] == '\0' || list[size] == ','))
			return true;
	}
	return false;
}

/* The caller's place in the hierarchy with CONTROLLER ("": version 2): "9:cpu,cpuacct:/path". NULL: there is none. */
static const char *find_place(char *const *lines, const char *controller)
{
	for (; *lines; lines++) {
		const char *list = strchr(*lines, ':'), *path = list ? strchr(list + 1, ':') : NULL;
		char word[64];

		if (!path || (size_t)(path - list) > sizeof(word))
			continue;
		memcpy(word, list + 1, (size_t)(path - list - 1));
		word[path - list - 1] = '\0';
		if (*controller ? has_word(word, controller) : !*word)
			return path + 1;
	}
	return NULL;
}

/* PLACE as a directory under the mount; NULL: it lies outside. */
static const char *directory_of(struct arena *arena, const struct mount_line *mount, const char *place)
{
	const size_t root = strcmp(mount->root, "/") == 0 ? 0 : strlen(mount->root);

	if (!place || strncmp(place, mount->root, root) != 0 || (place[root] && place[root] != '/') || text_starts(place, "/.."))
		return NULL;
	place += root;
	return strcmp(place, "/") == 0 || !*place ? arena_copy(arena, mount->point) : arena_format(arena, "%s%s", mount->point, place);
}

static void read_version_1(struct host *host, const struct mount_line *mount, char *const *lines)
{
	host->has_cgroup_v1 = true;
	for (enum controller i = 0; i < CONTROLLERS; i++) {
		struct host_controller *controller = &host->controllers[i];
		const char *place;

		if (controller->parent || !has_word(mount->options, controller_name(i, 1)))
			continue;
		place = find_place(lines, controller_name(i, 1));
		controller->version = 1;
		controller->parent = directory_of(&host->arena, mount, place);
		controller->path = controller->parent ? arena_copy(&host->arena, place) : NULL;
		controller->lack = controller->parent ? LACK_NOTHING : LACK_OUTSIDE;
	}
}

static void read_version_2(struct host *host, const struct mount_line *mount, char *const *lines)
{
	const char *place = find_place(lines, "");
	const char *own = directory_of(&host->arena, mount, place);

	if (host->unified.own || (host->unified.mount && !own))
		return;
	host->unified.mount = arena_copy(&host->arena, mount->point);
	host->unified.own = own;
	host->unified.own_path = own ? arena_copy(&host->arena, place) : NULL;
}

/* TEXT cut into lines; NULL-terminated. NULL: no memory. */
static char **cut(struct arena *arena, char *text)
{
	size_t count = 2, used = 0;
	char **lines;

	for (const char *at = text; (at = strchr(at, '\n')); at++)
		count++;
	lines = arena_alloc(arena, count * sizeof(*lines));
	while (lines && text && *text) {
		char *end = strchr(text, '\n');

		if (end)
			*end++ = '\0';
		lines[used++] = text;
		text = end;
	}
	return lines;
}

int cgroups_read(struct host *host, char *mountinfo, char *membership, struct error *err)
{
	char **mounts = cut(&host->arena, mountinfo), **places = cut(&host->arena, membership);

	if (!mounts || !places)
		return error_set(err, ENOMEM, "reading the cgroups");
	for (enum controller i = 0; i < CONTROLLERS; i++)
		host->controllers[i] = (struct host_controller){ .lack = LACK_CONTROLLER };
	for (; *mounts; mounts++) {
		struct mount_line mount;

		if (!read_mount(*mounts, &mount))
			continue;
		if (strcmp(mount.type, "cgroup") == 0)
			read_version_1(host, &mount, places);
		else if (strcmp(mount.type, "cgroup2") == 0)
			read_version_2(host, &mount, places);
	}
	return 0;
}

/* A file of /proc, however long; the caller frees it. NULL: it cannot be read. */
static char *read_whole(const char *path)
{
	for (size_t size = 16 << 10; size <= MOST_BYTES; size *= 4) {
		char *text = malloc(size);
		ssize_t length = text ? sys_read_file(path, text, size) : -ENOMEM;

		if (length >= 0)
			return text;
		free(text);
		if (length != -EFBIG)
			return NULL;
	}
	return NULL;
}

/* Version 1 wants a group beside or below the caller's own. */
static void try_version_1(struct host *host)
{
	for (enum controller i = 0; i < CONTROLLERS; i++) {
		struct host_controller *controller = &host->controllers[i];

		if (controller->version != 1 || !controller->parent)
			continue;
		if (sys_may_write(controller->parent)) {
			controller->way = CGROUP_DIRECT;
			continue;
		}
		controller->lack = host->uid == 0 ? LACK_READ_ONLY : LACK_DELEGATION;
	}
}

/* Swap: whether there is any, and whether the memory controller has a say in it. */
static void look_at_swap(struct host *host)
{
	const struct host_controller *memory = &host->controllers[CONTROLLER_MEMORY];
	auto_free char *meminfo = read_whole("/proc/meminfo");
	const char *line = meminfo ? strstr(meminfo, "SwapTotal:") : NULL;

	host->has_swap = !line || strtoull(line + sizeof("SwapTotal:") - 1, NULL, 10) > 0;
	host->has_swap_limit = true;
	if (memory->version == 1 && memory->parent) {
		const char *file = arena_format(&host->arena, "%s/memory.memsw.limit_in_bytes", memory->parent);

		host->has_swap_limit = file && sys_exists(file);
	}
}

static int look_at_device(struct host *host, const struct string_item *item, struct error *err)
{
	struct host_device *device = arena_alloc(&host->arena, sizeof(*device));
	struct io_limit limit;
	int rc = io_limit_read(&host->arena, item->text, &limit, err);

	if (rc < 0)
		return error_while(err, "io-max");
	if (!device)
		return error_set(err, ENOMEM, "looking at %s", limit.device);
	device->name = limit.device;
	device->is_block = sys_block_device(limit.device, &device->major, &device->minor) == 0;
	device->next = host->devices;
	host->devices = device;
	return 0;
}

int host_probe_cgroups(struct host *host, const struct spec *spec, struct error *err)
{
	auto_free char *mountinfo = read_whole("/proc/self/mountinfo"), *membership = read_whole("/proc/self/cgroup");
	char nothing[1] = "";
	int rc;

	host->devices = NULL;
	for (const struct string_item *item = spec->io_max; item; item = item->next) {
		rc = look_at_device(host, item, err);
		if (rc < 0)
			return rc;
	}
	if (host->has_cgroups)
		return 0;
	rc = cgroups_read(host, mountinfo ? mountinfo : nothing, membership ? membership : nothing, err);
	if (rc < 0)
		return rc;
	try_version_1(host);
	try_unified(host);
	look_at_swap(host);
	host->has_cgroups = true;
	return 0;
}
