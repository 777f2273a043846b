/* SPDX-License-Identifier: Apache-2.0 */
/* Pods: made by themselves, listed, stopped, removed. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "api/jail.h"
#include "feature/pod.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/socket.h"

enum { REMOVAL_MS = 20000 };

/* Says what is shared, in the words of a spec. */
static int share_it(int folder, const char *name, unsigned kinds, int words, struct immure_error *out)
{
	auto_free struct packet *packet = malloc(sizeof(*packet));
	struct packet_share request = { .kinds = kinds };
	struct error err = { 0 };
	auto_close int talk = packet ? keeper_connect(folder, &err) : error_set(&err, ENOMEM, "making the pod");
	int rc = talk < 0 ? talk : 0;

	fill_name(request.name, name);
	if (packet)
		packet->type = PACKETS;
	if (rc == 0)
		rc = keeper_ask(talk, &(struct packet_parts){ .type = PACKET_SHARE, .fixed = &request, .fds = &words, .fd_count = 1 }, packet, &err);
	if (!packet)
		return tell(out, &err, rc, 125);
	rc = tell_reply(out, packet, &err, rc);
	if (rc == 0)
		packet_close_descriptors(packet);
	return rc;
}

static int create(const struct state *state, const char *name, unsigned kinds, int words, struct immure_error *out)
{
	auto_pod_place struct pod_place place = { -1, -1, -1 };
	auto_close int listener = -1;
	struct keeper_start start = { .pod = name };
	struct error err = { 0 };
	int rc = pod_reserve(state, name, &place, &err);

	if (rc < 0)
		return tell(out, &err, rc, 125);
	listener = sys_listen(place.folder, STATE_SOCKET);
	start.listener = listener;
	start.lock = place.lock;
	start.folder = place.folder;
	rc = listener < 0 ? error_set(&err, -listener, "making the keeper's socket") : keeper_start(&start, &err);
	if (rc < 0) {
		(void)!pod_remove(state, name, place.lock, NULL);
		return tell(out, &err, rc, 125);
	}
	return share_it(place.folder, name, kinds, words, out);
}

int immure_pod_create(struct immure_spec *spec, const char *name, const char *share, struct immure_error *out)
{
	auto_state struct state state = { -1, -1 };
	struct error err = { 0 };
	unsigned kinds = 0;
	auto_close int words = -1;
	int rc = *share ? share_parse(share, &kinds, &err) : 0;

	if (rc == 0)
		rc = words = write_words(spec, &err);
	if (rc >= 0)
		rc = open_state(&state, &err);
	return rc < 0 ? tell(out, &err, rc, 125) : create(&state, name, kinds, words, out);
}

/* ---- listing ---- */

struct pods {
	int (*see)(void *argument, const struct immure_pod_info *info);
	void *argument;
	struct immure_pod_info info; /* of the pod whose jails are being counted */
	char name[NAME_ROOM];
	bool has_pod;
};

static int see_pod(struct pods *pods)
{
	auto_text struct text json = { 0 };

	if (!pods->has_pod)
		return 0;
	pods->has_pod = false;
	text_add(&json, "{\"name\": \"%s\", \"state\": \"%s\", \"jails\": %u}", pods->name, pods->info.state, pods->info.jails);
	pods->info.name = pods->name;
	pods->info.json = json.bytes;
	return json.is_short ? -ENOMEM : pods->see(pods->argument, &pods->info);
}

static int note(void *argument, const struct state_entry *entry)
{
	struct pods *pods = argument;
	int rc;

	if (entry->jail) {
		pods->info.jails++;
		return 0;
	}
	rc = see_pod(pods);
	snprintf(pods->name, sizeof(pods->name), "%s", entry->pod);
	pods->info = (struct immure_pod_info){ .state = jail_state_name(entry->state) };
	pods->has_pod = true;
	return rc;
}

int immure_pods(int (*see)(void *argument, const struct immure_pod_info *info), void *argument, struct immure_error *out)
{
	auto_state struct state state = { -1, -1 };
	struct pods pods = { .see = see, .argument = argument };
	struct error err = { 0 };
	int rc = open_state(&state, &err);

	if (rc == 0)
		rc = state_each(&state, note, &pods);
	if (rc == 0)
		rc = see_pod(&pods);
	if (rc < 0 && !err.errnum)
		error_set(&err, -rc, "looking for pods");
	return tell(out, &err, rc, 125);
}

/* ---- ending ---- */

struct member_names {
	const char *pod;
	struct member_name {
		char name[NAME_ROOM], started[40];
	} *list;
	size_t count;
	bool has_running;
};

static int note_member(void *argument, const struct immure_jail_info *info)
{
	struct member_names *names = argument;
	struct member_name *list;

	if (strcmp(info->pod, names->pod) != 0)
		return 0;
	list = realloc(names->list, (names->count + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	names->list = list;
	snprintf(list[names->count].name, NAME_ROOM, "%s", info->name);
	snprintf(list[names->count].started, sizeof(list->started), "%s", info->started);
	names->count++;
	names->has_running |= strcmp(info->state, "ended") != 0 && strcmp(info->state, "lost") != 0;
	return 0;
}

/* The last that was started comes first. */
static int compare(const void *left, const void *right)
{
	return strcmp(((const struct member_name *)right)->started, ((const struct member_name *)left)->started);
}

static int find_members(struct member_names *names, struct immure_error *out)
{
	int rc = immure_jails(NULL, note_member, names, out);

	if (rc == 0 && names->count)
		qsort(names->list, names->count, sizeof(names->list[0]), compare);
	return rc;
}

static int check_pod(const struct state *state, const char *pod, struct error *err)
{
	int folder = pod_open(state, pod, NULL);

	if (folder >= 0)
		return sys_close(folder), 0;
	error_mistake(err, "there is no pod \"%.80s\"", pod);
	err->errnum = ENOENT;
	error_remedy(err, "E-JAIL-UNKNOWN", "immure pod ps lists them");
	return -ENOENT;
}

/* Its jails are in NAMES, whose list is the caller's to free whatever comes of it. */
static int look_at_pod(struct state *state, const char *name, struct member_names *names, struct immure_error *out)
{
	struct error err = { 0 };
	int rc = open_state(state, &err);

	*names = (struct member_names){ .pod = name };
	if (rc == 0)
		rc = check_pod(state, name, &err);
	return rc < 0 ? tell(out, &err, rc, 125) : find_members(names, out);
}

int immure_pod_stop(const char *name, uint64_t grace_ms, struct immure_error *out)
{
	auto_state struct state state = { -1, -1 };
	struct member_names names;
	int rc = look_at_pod(&state, name, &names, out);

	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		struct immure_jail *jail = NULL;

		rc = immure_jail_open(names.list[i].name, &jail, out);
		if (rc == 0)
			jail_settle(jail);
		if (rc == 0 && jail->talk >= 0)
			rc = immure_jail_stop(jail, grace_ms, out);
		rc = rc == -ENOENT ? 0 : rc; /* it went meanwhile */
		immure_jail_close(jail);
	}
	free(names.list);
	return rc;
}

/* A keeper that is asked so ends its jails and itself; its lock says when. */
static int end_keeper(const struct state *state, const char *pod, struct error *err)
{
	auto_close int folder = pod_open(state, pod, err);
	auto_close int talk = folder < 0 ? -1 : keeper_connect(folder, NULL);
	auto_close int keeper = -1;
	struct sys_peer peer;
	struct packet packet;
	int rc = folder < 0 ? folder : 0;

	if (rc < 0 || talk < 0)
		return rc; /* there is none */
	rc = sys_peer(talk, &peer);
	keeper = rc < 0 ? rc : sys_open_pid(peer.pid);
	rc = keeper < 0 ? keeper : sys_signal_pidfd(keeper, SIGTERM);
	if (rc < 0)
		return error_set(err, -rc, "ending the keeper of %s", pod);
	while (keeper_listen(talk, &packet, NULL) == 0)
		packet_close_descriptors(&packet);
	sys_wait_for_end(-1, keeper, REMOVAL_MS);
	return 0;
}

int immure_pod_remove(const char *name, int force, struct immure_error *out)
{
	auto_state struct state state = { -1, -1 };
	struct member_names names;
	struct error err = { 0 };
	int rc = look_at_pod(&state, name, &names, out);

	free(names.list);
	if (rc < 0)
		return rc;
	if (names.has_running && !force) {
		error_mistake(&err, "the pod %s has jails that live; immure pod stop %s, or --force", name, name);
		err.errnum = EBUSY;
		return tell(out, &err, -EBUSY, 125);
	}
	rc = force && names.has_running ? immure_pod_stop(name, 0, out) : 0;
	if (rc < 0)
		return rc;
	rc = end_keeper(&state, name, &err);
	if (rc == 0)
		rc = pod_remove(&state, name, -1, &err);
	return tell(out, &err, rc, 125);
}
