/* SPDX-License-Identifier: Apache-2.0 */
/* Pods: made by themselves, listed, stopped, removed. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "api/jail.h"
#include "feature/pod.h"
#include "host/cgroups.h"
#include "host/probe.h"
#include "jails/store.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/socket.h"

enum { PATIENCE_MS = 10000 };

/* What is to be made; WORDS: a descriptor of those that shape it. */
struct pod_wish {
	const char *name;
	unsigned kinds;
	int words;
	bool needs_full;
};

/* Says what is shared, in the words of a spec. */
static int share_it(int folder, const struct pod_wish *wish, struct immure_error *out)
{
	auto_free struct packet *packet = malloc(sizeof(*packet));
	struct packet_share request = { .kinds = wish->kinds };
	struct error err = { 0 };
	auto_close int talk = packet ? keeper_connect(folder, KEEPER_PATIENCE_MS, &err) : error_set(&err, ENOMEM, "making the pod");
	int rc = talk < 0 ? talk : 0;

	fill_name(request.name, wish->name);
	if (packet)
		packet->type = PACKETS;
	if (rc == 0)
		rc = keeper_ask(talk, &(struct packet_parts){ .type = PACKET_SHARE, .fixed = &request, .fds = &wish->words, .fd_count = 1 }, packet, &err);
	if (!packet)
		return tell(out, &err, rc, 125);
	rc = tell_reply(out, packet, &err, rc);
	if (rc == 0)
		packet_close_descriptors(packet);
	return rc;
}

/* Whether a limit of the pod, or of a jail that comes later, may be had by asking systemd, which only the full keeper can: a group
 * that the keeper has for itself now is one with company when it has jails. */
static bool may_want_scope(const struct immure_spec *spec)
{
	struct host host = { 0 };
	bool wants = false;

	host.caller = spec->spec.caller;
	if (host_probe_basic(&host, NULL) == 0 && host_probe_cgroups(&host, &spec->spec, NULL) == 0)
		wants = host.manager == MANAGER_USER || cgroups_may_want_scope(&host);
	arena_free(&host.arena);
	return wants;
}

static int create(const struct state *state, const struct pod_wish *wish, struct immure_error *out)
{
	struct error err = { 0 };
	auto_close int folder = start_keeper(state, wish->name, wish->needs_full, &err);
	int rc;

	if (folder < 0)
		return tell(out, &err, folder, 125);
	rc = share_it(folder, wish, out);
	return bury_keeper(state, wish->name, rc, out);
}

int immure_pod_create(struct immure_spec *spec, const char *name, const char *share, struct immure_error *out)
{
	auto_state struct state state = { -1, -1 };
	struct error err = { 0 };
	struct pod_wish wish = { .name = name, .words = -1 };
	auto_close int words = -1;
	int rc = *share ? share_parse(share, &wish.kinds, &err) : 0;

	if (rc == 0)
		rc = words = write_words(spec, &err);
	wish.words = words;
	if (rc >= 0)
		rc = open_state(&state, &err);
	if (rc < 0)
		return tell(out, &err, rc, 125);
	wish.needs_full = may_want_scope(spec);
	return create(&state, &wish, out);
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

/* What it shares has ended though its keeper lives. */
static bool has_ended(const struct state_entry *entry)
{
	static const char words[] = STATE_BEGIN "\"ended\"";
	auto_text struct text text = { 0 };

	return entry->state == JAIL_RUNNING && store_read(entry->folder, STATE_POD, STATE_FILE_MOST, &text) == 0 && text.bytes &&
	       text_starts(text.bytes, words);
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
	pods->info = (struct immure_pod_info){ .state = jail_state_name(has_ended(entry) ? JAIL_ENDED : entry->state) };
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

/* The talk with its keeper; none where the pod is lost. NAME is not a jail's here. */
static int open_pod(struct immure_jail *pod, const char *name, struct error *err)
{
	int rc = open_state(&pod->state, err);

	if (rc < 0)
		return rc;
	pod->folder = pod_open(&pod->state, name, NULL);
	if (pod->folder == -ENOENT) {
		error_mistake(err, "there is no pod \"%.80s\"", name);
		err->errnum = ENOENT;
		error_remedy(err, "E-JAIL-UNKNOWN", "immure pod ps lists them");
		return -ENOENT;
	}
	if (pod->folder < 0)
		return pod_open(&pod->state, name, err);
	pod->talk = keeper_connect(pod->folder, KEEPER_PATIENCE_MS, err);
	if (pod->talk < 0 && pod_is_kept(&pod->state, name) > 0)
		return error_while(err, "the pod %s", name);
	*err = (struct error){ 0 };
	return 0;
}

static int end_pod(const char *name, int (*end)(struct immure_jail *pod, const char *name, const void *how, struct immure_error *out),
		   const void *how, struct immure_error *out)
{
	struct immure_jail *pod = jail_new();
	struct error err = { 0 };
	int rc;

	if (!pod)
		return tell(out, &err, error_set(&err, ENOMEM, "looking for the pod %s", name), 125);
	rc = open_pod(pod, name, &err);
	rc = rc < 0 ? tell(out, &err, rc, 125) : end(pod, name, how, out);
	immure_jail_close(pod);
	return rc;
}

static int stop(struct immure_jail *pod, const char *name, const void *how, struct immure_error *out)
{
	struct packet_stop packet = { .flags = STOP_POD, .grace_ms = *(const uint64_t *)how };
	struct error err = { 0 };

	fill_name(packet.name, name);
	if (pod->talk >= 0)
		return jail_ask(pod, &(struct packet_parts){ .type = PACKET_STOP, .fixed = &packet }, out);
	error_mistake(&err, "the pod %s is lost: its keeper was killed, and its jails with it", name);
	err.errnum = ESRCH;
	error_remedy(&err, "E-JAIL-LOST", "immure pod rm %s removes what is left", name);
	return tell(out, &err, -ESRCH, 125);
}

int immure_pod_stop(const char *name, uint64_t grace_ms, struct immure_error *out)
{
	return end_pod(name, stop, &grace_ms, out);
}

/* What a dead keeper has left: files, names, and groups. That it is gone meanwhile is what was wanted. */
static int remove_lost(const struct state *state, const char *name, struct immure_error *out)
{
	struct error err = { 0 };
	int rc = pod_remove(state, name, -1, &err);

	if (rc == 0)
		(void)!immure_gc(NULL); /* which tells, when it is asked, what does not go */
	return tell(out, &err, rc == -ENOENT ? 0 : rc, 125);
}

/* A keeper that was killed hangs up a little before its lock is free. */
static bool has_died(const struct state *state, const char *name)
{
	for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms++) {
		if (pod_is_kept(state, name) <= 0)
			return true;
		sys_wait_ready(NULL, 0, 1);
	}
	return false;
}

static int remove_pod(struct immure_jail *pod, const char *name, const void *how, struct immure_error *out)
{
	struct packet_remove packet = { .flags = REMOVE_POD | (*(const int *)how ? REMOVE_FORCE : 0) };
	int rc;

	fill_name(packet.name, name);
	if (pod->talk < 0)
		return remove_lost(&pod->state, name, out);
	rc = jail_ask(pod, &(struct packet_parts){ .type = PACKET_REMOVE, .fixed = &packet }, out);
	return (rc == -EPIPE || rc == -ECONNRESET) && has_died(&pod->state, name) ? remove_lost(&pod->state, name, out) : rc;
}

int immure_pod_remove(const char *name, int force, struct immure_error *out)
{
	return end_pod(name, remove_pod, &force, out);
}
