/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking away what is on disk of jails. Only files whose names are known go, each by the descriptor of its folder; nothing is
 * followed and nothing walked by a path. A name goes last: as long as anything is left of a jail, its name is taken.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "jails/lock.h"
#include "jails/log.h"
#include "jails/store.h"
#include "sys/file.h"
#include "sys/folder.h"

enum { LOCK_BYTE = 0 };

static const char *const jail_files[] = {
	STATE_SPEC, STORE_UNFINISHED STATE_SPEC, STATE_JAIL, STORE_UNFINISHED STATE_JAIL, LOG_NAME, LOG_BEFORE, NULL,
};
/* Of a keeper at work: it is of no use to anybody else. */
static const char *const keeper_files[] = { STATE_SOCKET, STORE_UNFINISHED STATE_SOCKET, STORE_UNFINISHED STATE_POD, NULL };
static const char *const pod_files[] = { STATE_POD, STATE_LOCK, NULL };

/* All are tried. */
static int remove_files(int folder, const char *const *names)
{
	int first = 0;

	for (; *names; names++) {
		int rc = sys_unlinkat(folder, *names, 0);

		if (rc < 0 && rc != -ENOENT && !first)
			first = rc;
	}
	return first;
}

/* -ENOTEMPTY even where a file system says that otherwise. */
static int remove_folder(int folder, const char *name)
{
	int rc = sys_unlinkat(folder, name, AT_REMOVEDIR);

	return rc == -EEXIST ? -ENOTEMPTY : rc == -ENOENT ? 0 : rc;
}

/* NAME is free again, if it is POD's. */
static int free_name(const struct state *state, const char *name, const char *pod)
{
	char target[NAME_ROOM];
	int rc;

	if (state_find(state, name, target, NULL) < 0 || strcmp(target, pod) != 0)
		return 0;
	rc = sys_unlinkat(state->names, name, 0);
	return rc == -ENOENT ? 0 : rc;
}

static int remove_jail_files(int jails, const char *jail)
{
	auto_close int folder = store_open_folder(jails, jail);
	int rc = folder == -ENOENT ? 0 : folder < 0 ? folder : remove_files(folder, jail_files);

	return rc < 0 ? rc : remove_folder(jails, jail);
}

static int remove_jail(const struct state *state, const char *pod, int jails, const char *jail)
{
	int rc = remove_jail_files(jails, jail);

	return rc < 0 || strcmp(jail, pod) == 0 ? rc : free_name(state, jail, pod); /* the pod's own name goes with the pod */
}

struct removal {
	const struct state *state;
	const char *pod;
	int jails;
	int first; /* failure */
};

static int visit_jail(void *argument, const char *name)
{
	struct removal *removal = argument;
	int rc = name_is_one(name) ? remove_jail(removal->state, removal->pod, removal->jails, name) : -ENOTEMPTY;

	if (rc < 0 && !removal->first)
		removal->first = rc;
	return 0;
}

static int remove_jails(const struct state *state, const char *pod, int folder)
{
	auto_close int jails = open_jails(folder);
	struct removal removal = { .state = state, .pod = pod, .jails = jails };
	int rc = jails == -ENOENT ? 0 : jails < 0 ? jails : sys_each_entry(jails, visit_jail, &removal);

	if (rc == 0)
		rc = removal.first;
	return rc < 0 ? rc : remove_folder(folder, "jails");
}

int pod_remove_files(const struct state *state, const char *pod, int folder)
{
	int rc = remove_jails(state, pod, folder);

	if (rc == 0)
		rc = remove_files(folder, keeper_files);
	if (rc == 0)
		rc = remove_files(folder, pod_files);
	return rc < 0 ? rc : remove_folder(state->pods, pod);
}

int jail_remove(const struct state *state, const char *pod, const char *jail, struct error *err)
{
	auto_close int lock = state_lock(state, err);
	auto_close int jails = lock < 0 ? lock : jails_open(state, pod, err);
	int rc;

	if (jails < 0)
		return jails;
	rc = !name_is_one(jail) || !sys_exists_at(jails, jail) ? -ENOENT : remove_jail(state, pod, jails, jail);
	return rc < 0 ? state_tell(rc, "removing the jail", jail, err) : 0;
}

/* A dead keeper's lock, taken, so that none comes to life meanwhile; -ENOENT: it never had one. */
static int take_lock(int folder)
{
	auto_close int fd = open_pod_lock(folder, 0);
	int rc = fd < 0 ? fd : sys_lock_byte(fd, LOCK_BYTE);

	return rc == -EAGAIN || rc == -EACCES ? -EBUSY : rc < 0 ? rc : take_fd(&fd);
}

int pod_remove(const struct state *state, const char *pod, int lock, struct error *err)
{
	auto_close int guard = state_lock(state, err), folder = -1, taken = -1;
	int rc;

	if (guard < 0)
		return guard;
	folder = pod_open(state, pod, err);
	if (folder < 0)
		return folder;
	taken = lock >= 0 ? -ENOENT : take_lock(folder);
	if (taken == -EBUSY) {
		error_set(err, EBUSY, "removing the pod %s: its keeper lives", pod);
		error_remedy(err, "E-STATE-TAKEN", "immure rm --force %s ends it before", pod);
		return -EBUSY;
	}
	rc = taken < 0 && taken != -ENOENT ? taken : pod_remove_files(state, pod, folder);
	if (rc == 0)
		rc = free_name(state, pod, pod);
	return rc < 0 ? state_tell(rc, "removing the pod", pod, err) : 0;
}

/* ---- what nobody asks for ---- */

static int note_entry(void *argument, const char *name)
{
	(void)name;
	*(bool *)argument = true;
	return 0;
}

static bool has_jails(int folder)
{
	auto_close int jails = open_jails(folder);
	bool has_any = false;

	return jails != -ENOENT && (jails < 0 || sys_each_entry(jails, note_entry, &has_any) < 0 || has_any);
}

int pod_collect(const struct state *state, const char *pod)
{
	auto_close int folder = store_open_folder(state->pods, pod);
	auto_close int taken = folder < 0 ? folder : take_lock(folder);
	int rc;

	if (folder == -ENOENT || taken == -EBUSY)
		return 0;
	if (folder < 0 || (taken < 0 && taken != -ENOENT))
		return folder < 0 ? folder : taken;
	if (has_jails(folder)) {
		rc = remove_files(folder, keeper_files);
		return rc < 0 ? rc : 0;
	}
	rc = pod_remove_files(state, pod, folder);
	if (rc == 0)
		rc = free_name(state, pod, pod);
	return rc < 0 ? rc : 1;
}

/* A jail's name whose jail is not there was taken by a starter that was killed, or its removal was cut short. */
int name_collect(const struct state *state, const char *name)
{
	char pod[NAME_ROOM];
	auto_close int folder = -1, jails = -1;
	int rc = state_find(state, name, pod, NULL);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	folder = store_open_folder(state->pods, pod);
	if (folder < 0 && folder != -ENOENT)
		return folder;
	if (folder >= 0 && strcmp(name, pod) == 0)
		return 0;
	jails = folder < 0 ? folder : open_jails(folder);
	if (jails >= 0 && sys_exists_at(jails, name))
		return 0;
	if (jails < 0 && jails != -ENOENT)
		return jails;
	rc = sys_unlinkat(state->names, name, 0);
	return rc < 0 ? rc : 1;
}

struct collection {
	const struct state *state;
	int (*collect)(const struct state *state, const char *name);
	int count;
};

static int visit_collected(void *argument, const char *name)
{
	struct collection *collection = argument;
	int rc = name_is_one(name) ? collection->collect(collection->state, name) : 0;

	collection->count += rc > 0;
	return 0; /* what cannot go is told to who removes it by name */
}

int state_collect(const struct state *state)
{
	auto_close int lock = state_lock(state, NULL);
	struct collection pods = { .state = state, .collect = pod_collect }, names = { .state = state, .collect = name_collect };
	int rc = lock < 0 ? lock : sys_each_entry(state->pods, visit_collected, &pods);

	if (rc == 0)
		rc = sys_each_entry(state->names, visit_collected, &names);
	return rc < 0 ? rc : pods.count + names.count;
}
