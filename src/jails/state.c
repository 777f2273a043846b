/* SPDX-License-Identifier: Apache-2.0 */
/* What is on disk of jails that stay: taking names, finding, listing. */
#include "jails/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "jails/lock.h"
#include "jails/store.h"
#include "run/state.h"
#include "sys/file.h"
#include "sys/folder.h"

enum { LOCK_TIMEOUT_MS = 10000, LOCK_BYTE = 0 };

static const char *const state_names[] = { [JAIL_RUNNING] = "running", [JAIL_ENDED] = "ended", [JAIL_LOST] = "lost" };

const char *jail_state_name(enum jail_state state)
{
	return state_names[state];
}

int state_tell(int rc, const char *what, const char *name, struct error *err)
{
	error_set(err, -rc, "%s %s", what, name);
	if (rc == -EPERM || rc == -ENOTDIR)
		error_remedy(err, "E-STATE-OWNER", "in immure's state folder there is something that is not yours, a link, or open to others");
	else if (rc == -ENOENT)
		error_remedy(err, "E-STATE-NONE", "immure ps --all lists what there is");
	else if (rc == -ENOTEMPTY)
		error_remedy(err, "E-STATE-STRANGE", "it holds files that are not immure's; see what they are, and move them away");
	return rc;
}

/* ---- folders ---- */

static int open_or_make(int folder, const char *name)
{
	int rc = store_open_folder(folder, name);

	if (rc != -ENOENT)
		return rc;
	rc = store_make_folder(folder, name);
	return rc == -EEXIST ? store_open_folder(folder, name) : rc; /* somebody else was quicker */
}

int state_open(struct state *state, const char *folder, struct error *err)
{
	char path[4096];
	auto_close int top = -1, pods = -1, names = -1;

	if (snprintf(path, sizeof(path), "%s/pods", folder) >= (int)sizeof(path))
		return error_set(err, ENAMETOOLONG, "opening %s", folder);
	top = state_open_folder(path);
	pods = top < 0 ? top : open_or_make(top, "pods");
	names = pods < 0 ? pods : open_or_make(top, "names");
	if (top < 0) {
		error_set(err, -top, "opening %s", folder);
		error_remedy(err, "E-STATE-FOLDER", "immure keeps its state in a folder of its own; set XDG_RUNTIME_DIR to a folder that you own");
		return top;
	}
	if (names < 0)
		return state_tell(names, "opening what there is below", folder, err);
	*state = (struct state){ .pods = take_fd(&pods), .names = take_fd(&names) };
	if (strlen(path) < sizeof(state->path))
		strcpy(state->path, path);
	return 0;
}

void state_close(struct state *state)
{
	sys_auto_close(&state->pods);
	sys_auto_close(&state->names);
	*state = (struct state){ -1, -1 };
}

void pod_place_close(struct pod_place *place)
{
	sys_auto_close(&place->folder);
	sys_auto_close(&place->jails);
	sys_auto_close(&place->lock);
	*place = (struct pod_place){ -1, -1, -1 };
}

int state_lock(const struct state *state, struct error *err)
{
	auto_close int fd = sys_openat(state->pods, ".", O_RDONLY | O_DIRECTORY, 0);
	int rc = fd < 0 ? fd : state->is_locked ? 0 : sys_flock_within(fd, state->never_waits ? 0 : LOCK_TIMEOUT_MS);

	if (rc < 0)
		return error_set(err, -rc, "waiting for another immure that starts or removes a jail");
	return take_fd(&fd);
}

int open_pod_lock(int pod, int flags)
{
	auto_close int fd = sys_openat(pod, STATE_LOCK, O_RDWR | O_NOFOLLOW | O_NONBLOCK | flags, 0600);
	int rc = fd == -ELOOP || fd == -ENXIO || fd == -EISDIR ? -EPERM : fd < 0 ? fd : sys_check_own_file(fd);

	return rc < 0 ? rc : take_fd(&fd);
}

int open_jails(int pod)
{
	return store_open_folder(pod, "jails");
}

int pod_open(const struct state *state, const char *pod, struct error *err)
{
	int fd = name_is_one(pod) ? store_open_folder(state->pods, pod) : -ENOENT;

	return fd < 0 ? state_tell(fd, "looking for the pod", pod, err) : fd;
}

int jails_open(const struct state *state, const char *pod, struct error *err)
{
	auto_close int folder = pod_open(state, pod, err);
	int fd = folder < 0 ? folder : open_jails(folder);

	return folder >= 0 && fd < 0 ? state_tell(fd, "opening the jails of", pod, err) : fd;
}

int jail_open(const struct state *state, const char *pod, const char *jail, struct error *err)
{
	auto_close int jails = jails_open(state, pod, err);
	int fd;

	if (jails < 0)
		return jails;
	fd = name_is_one(jail) ? store_open_folder(jails, jail) : -ENOENT;
	return fd < 0 ? state_tell(fd, "looking for the jail", jail, err) : fd;
}

int state_find(const struct state *state, const char *name, char pod[NAME_ROOM], struct error *err)
{
	char target[NAME_ROOM + 1];
	ssize_t length = name_is_one(name) ? sys_read_link_at(state->names, name, target, sizeof(target)) : -ENOENT;

	if (length == -EINVAL || (length >= 0 && !name_is_one(target)))
		length = -EPERM; /* no link, or none of immure's */
	if (length < 0)
		return state_tell((int)length, "looking for the jail", name, err);
	memcpy(pod, target, (size_t)length + 1);
	return 0;
}

/* ---- states ---- */

static int is_kept(int folder)
{
	auto_close int lock = open_pod_lock(folder, 0);

	return lock == -ENOENT ? 0 : lock < 0 ? lock : sys_is_byte_locked(lock, LOCK_BYTE);
}

int pod_is_kept(const struct state *state, const char *pod)
{
	auto_close int folder = name_is_one(pod) ? store_open_folder(state->pods, pod) : -ENOENT;

	return folder < 0 ? folder : is_kept(folder);
}

static enum jail_state judge_jail(int folder, bool is_kept_now)
{
	static const char ended[] = STATE_BEGIN "\"ended\"";
	auto_text struct text text = { 0 };

	if (store_read(folder, STATE_JAIL, STATE_FILE_MOST, &text) == 0 && text.bytes && text_starts(text.bytes, ended))
		return JAIL_ENDED;
	return is_kept_now ? JAIL_RUNNING : JAIL_LOST;
}

struct walk {
	const struct state *state;
	const char *pod;
	int jails;
	bool is_kept;
	int (*visit)(void *argument, const struct state_entry *entry);
	void *argument;
};

static int visit_jail(void *argument, const char *name)
{
	const struct walk *walk = argument;
	auto_close int folder = name_is_one(name) ? store_open_folder(walk->jails, name) : -1;
	struct state_entry entry = { .pod = walk->pod, .jail = name, .folder = folder };

	if (folder < 0)
		return 0;
	entry.state = judge_jail(folder, walk->is_kept);
	return walk->visit(walk->argument, &entry);
}

static int visit_pod(void *argument, const char *name)
{
	const struct walk *outer = argument;
	auto_close int folder = name_is_one(name) ? store_open_folder(outer->state->pods, name) : -1;
	auto_close int jails = folder < 0 ? -1 : open_jails(folder);
	const int kept = folder < 0 ? folder : is_kept(folder);
	struct state_entry entry = { .pod = name, .state = kept > 0 ? JAIL_RUNNING : JAIL_LOST, .folder = folder };
	struct walk walk = *outer;
	int rc;

	if (kept < 0)
		return 0;
	rc = walk.visit(walk.argument, &entry);
	walk.pod = name;
	walk.jails = jails;
	walk.is_kept = kept > 0;
	return rc < 0 || jails < 0 ? rc : sys_each_entry(jails, visit_jail, &walk);
}

int state_each(const struct state *state, int (*visit)(void *argument, const struct state_entry *entry), void *argument)
{
	struct walk walk = { .state = state, .visit = visit, .argument = argument };

	return sys_each_entry(state->pods, visit_pod, &walk);
}

/* ---- taking names ---- */

static int tell_taken(const struct state *state, const char *name, struct error *err)
{
	char pod[NAME_ROOM];
	auto_close int folder = state_find(state, name, pod, NULL) == 0 ? store_open_folder(state->pods, pod) : -1;
	auto_close int jails = folder < 0 ? -1 : open_jails(folder);
	auto_close int jail = jails < 0 ? -1 : store_open_folder(jails, name);
	const bool kept = folder >= 0 && is_kept(folder) > 0;
	const enum jail_state found = jail >= 0 ? judge_jail(jail, kept) : kept ? JAIL_RUNNING : JAIL_LOST;

	error_mistake(err, "the name %s is taken by a jail or a pod (%s)", name, jail_state_name(found));
	if (err)
		err->errnum = EEXIST;
	if (found == JAIL_LOST)
		error_remedy(err, "E-STATE-LOST", "its keeper was killed; immure rm %s, or another --name", name);
	else
		error_remedy(err, "E-STATE-TAKEN", found == JAIL_ENDED ? "immure rm %s, or another --name" : "immure rm --force %s, or another --name",
			     name);
	return -EEXIST;
}

static int take_name(const struct state *state, const char *name, const char *pod, struct error *err)
{
	int rc = name_collect(state, name);

	if (rc >= 0)
		rc = sys_symlinkat(pod, state->names, name);
	return rc == -EEXIST ? tell_taken(state, name, err) : rc < 0 ? state_tell(rc, "taking the name", name, err) : 0;
}

static int make_place(const struct state *state, const char *pod, struct pod_place *place)
{
	place->folder = store_make_folder(state->pods, pod);
	if (place->folder < 0)
		return place->folder;
	place->lock = open_pod_lock(place->folder, O_CREAT | O_EXCL);
	if (place->lock < 0)
		return place->lock;
	place->jails = store_make_folder(place->folder, "jails");
	return place->jails < 0 ? place->jails : sys_lock_byte(place->lock, LOCK_BYTE);
}

int pod_reserve(const struct state *state, const char *pod, struct pod_place *place, struct error *err)
{
	struct pod_place made = { -1, -1, -1 };
	auto_close int lock = -1;
	int rc = name_check(pod, err);

	if (rc < 0)
		return rc;
	lock = state_lock(state, err);
	if (lock < 0)
		return lock;
	pod_collect(state, pod); /* half made by a starter that was killed; what cannot go is told next */
	rc = take_name(state, pod, pod, err);
	if (rc < 0)
		return rc;
	rc = make_place(state, pod, &made);
	if (rc == 0) {
		*place = made;
		return 0;
	}
	if (made.folder >= 0)
		pod_remove_files(state, pod, made.folder);
	sys_unlinkat(state->names, pod, 0);
	pod_place_close(&made);
	return state_tell(rc, "making the folder of", pod, err);
}

int jail_reserve(const struct state *state, const char *pod, const char *jail, struct error *err)
{
	const bool has_own_name = strcmp(pod, jail) != 0;
	auto_close int jails = -1, lock = -1;
	int rc = name_check(jail, err), fd;

	if (rc < 0)
		return rc;
	lock = state_lock(state, err);
	if (lock < 0)
		return lock;
	jails = jails_open(state, pod, err);
	if (jails < 0)
		return jails;
	rc = has_own_name ? take_name(state, jail, pod, err) : 0;
	if (rc < 0)
		return rc;
	fd = store_make_folder(jails, jail);
	if (fd < 0 && has_own_name)
		sys_unlinkat(state->names, jail, 0);
	return fd == -EEXIST ? tell_taken(state, jail, err) : fd < 0 ? state_tell(fd, "making the folder of", jail, err) : fd;
}
