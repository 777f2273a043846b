/* SPDX-License-Identifier: Apache-2.0 */
/* What jails of a pod share: its making, its holding, and its end. */
#include "jails/common.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "host/probe.h"
#include "jails/keeper.h"
#include "jails/store.h"
#include "sys/append.h"
#include "sys/file.h"
#include "sys/process.h"

/* Nobody writes, and nothing is limited but by the group. */
static const struct source *const sources[] = { NULL };

void common_close(struct common *common)
{
	if (!common->is_made)
		return;
	kept_free(&common->kept);
	arena_free(&common->host.arena);
	*common = (struct common){ 0 };
}

/* ---- its making ---- */

static int make_plan(struct keeper *keeper, unsigned kinds, struct error *err)
{
	struct common *common = &keeper->common;
	struct host *host = &common->host;
	int rc;

	host->caller = common->kept.spec.caller;
	rc = host_probe_basic(host, err);
	if (rc == 0)
		rc = pod_shape(&common->kept.spec, kinds, host, err);
	if (rc == 0)
		rc = host_probe_spec(host, &common->kept.spec, err);
	if (rc < 0)
		return rc;
	host->has_keeper = true;
	if (kinds & SHARE_CGROUP)
		pod_place(host, NULL);
	rc = plan_make(common->kept.plan, &common->kept.arena, &common->kept.spec, host, err);
	if (rc == 0 && (kinds & SHARE_CGROUP) && !plan_has(common->kept.plan, OP_CGROUP_CREATE)) {
		error_mistake(err, "--share cgroup: here no group can be made below which others could lie");
		error_remedy(err, "E-POD-GROUP", "see immure doctor; as root, or in a cgroup that was delegated, it works");
		return -EOPNOTSUPP;
	}
	return rc < 0 ? rc : kept_set_scope(&common->kept, keeper->start_scope, err);
}

/* Of the members. The pod's own number of the caller is the caller's number. */
static enum ids_mode ids_of(const struct spec *spec, bool is_root)
{
	return is_root ? IDS_RANGE : spec->ids == IDS_SUBID ? IDS_SUBID : IDS_SINGLE;
}

static void take_in_hand(struct keeper *keeper)
{
	struct common *common = &keeper->common;

	for (unsigned kind = 0; kind < NAMESPACES; kind++) {
		const int slot = common->kept.plan->worlds[kind], fd = slot ? common->kept.run.slots[slot] : -1;

		if (fd < 0)
			continue;
		snprintf(common->paths[kind], COMMON_PATH, "/proc/self/fd/%d", fd);
		common->share.worlds[kind] = common->paths[kind];
	}
	common->is_ready = true;
}

static void write_state(const struct keeper *keeper)
{
	auto_text struct text text = { 0 };

	common_print(keeper, false, &text);
	text_add(&text, "\n");
	if (!text.is_short)
		(void)!store_write(KEEPER_FOLDER, STATE_POD, text.bytes, text.used);
}

static void fail(struct keeper *keeper)
{
	struct client *client;
	unsigned at = 0;

	keeper->is_lasting = false;
	keeper_give_up(keeper);
	while ((client = keeper_next_waiting(keeper, NULL, PACKET_SHARE, &at)))
		answer_error(client, &keeper->common.kept.err, 125);
	common_close(&keeper->common);
}

static int begin(struct keeper *keeper, const struct packet *packet, struct error *err)
{
	struct common *common = &keeper->common;
	const unsigned kinds = packet->share.kinds;
	int rc;

	if (common->is_made || keeper->members || keeper->is_removed)
		return error_mistake(err, "the pod %s is there", keeper->pod);
	if (strcmp(packet->name.name, keeper->pod) != 0)
		return error_mistake(err, "this is the pod %s", keeper->pod);
	keeper->is_lasting = true;
	if (kept_open(&common->kept, sources, common) < 0)
		return error_set(err, ENOMEM, "making the pod %s", keeper->pod);
	common->is_made = true;
	common->created_ns = sys_wall_clock_ns();
	rc = member_read_words(&common->kept.spec, packet->fds[0], err);
	if (rc == 0)
		rc = make_plan(keeper, kinds, err);
	if (rc < 0)
		return rc;
	common->share = (struct pod_share){ .pod = keeper->pod, .kinds = kinds,
					    .ids = ids_of(&common->kept.spec, HOST_HAS_CAP(&common->host, 21 /* CAP_SYS_ADMIN */)) };
	return kept_begin(&common->kept, run_begin(&common->kept.run, common->kept.plan, &common->kept.result, err));
}

void common_make(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	const bool was_made = keeper->common.is_made;
	struct error err = { 0 };
	int rc = begin(keeper, packet, &err);

	if (rc < 0) {
		if (!was_made) {
			common_close(&keeper->common);
			keeper->is_lasting = false;
			keeper_give_up(keeper);
		}
		answer_error(client, &err, 125);
		return;
	}
	client->talk = TALK_WAITING;
	client->subject = NULL;
	client->question = PACKET_SHARE;
}

/* ---- its holding ---- */

static void tell_ready(struct keeper *keeper)
{
	struct client *client;
	unsigned at = 0;

	take_in_hand(keeper);
	write_state(keeper);
	while ((client = keeper_next_waiting(keeper, NULL, PACKET_SHARE, &at)))
		answer_ok(client);
}

/* Its init has ended though it should not. The jails, whose processes were in its PID namespace, end by themselves. */
static void note_end(struct keeper *keeper)
{
	struct common *common = &keeper->common;
	int rc = kept_finish(&common->kept);

	if (!common->is_ready) {
		if (rc == 0)
			error_set(&common->kept.err, ECHILD, "set-up of the pod died");
		fail(keeper);
		return;
	}
	common->is_lost = true;
	write_state(keeper);
}

void common_serve(struct keeper *keeper, const struct pollfd *polled, unsigned count)
{
	struct common *common = &keeper->common;
	struct kept *kept = &common->kept;

	kept_serve(kept, polled, count);
	if (kept->stage == KEPT_WATCHED && kept->watch.is_started && !common->is_ready)
		tell_ready(keeper);
	if (kept->stage == KEPT_DEAD)
		note_end(keeper);
	else if (kept->stage == KEPT_OVER && !common->is_ready)
		fail(keeper);
}

int common_join(const struct common *common, struct spec *spec, struct error *err)
{
	if (!common->is_made)
		return 0;
	if (!common->is_ready || common->is_lost)
		return error_mistake(err, common->is_lost ? "the pod's PID namespace has ended: remove the pod" : "the pod is not there yet");
	return pod_join(spec, &common->share, err);
}

void common_place(const struct common *common, struct host *host)
{
	if (common->is_ready && (common->share.kinds & SHARE_CGROUP))
		pod_place(host, common->kept.plan);
}

bool common_is(const struct keeper *keeper, const char *name)
{
	return keeper->is_lasting && strcmp(name, keeper->pod) == 0;
}

/* ---- its end ---- */

static struct member *last_alive(const struct keeper *keeper)
{
	struct member *last = NULL;

	for (struct member *member = keeper->members; member; member = member->next)
		if (member_lives(member))
			last = member;
	return last;
}

void common_stop(struct keeper *keeper, uint64_t grace_ms)
{
	struct common *common = &keeper->common;

	if (common->is_stopping && common->grace_ms <= grace_ms)
		return;
	common->grace_ms = grace_ms;
	for (struct member *member = keeper->members; member; member = member->next)
		member->is_stopping = false; /* whoever is in its grace has no more than this from now on */
	common->is_stopping = true;
}

void common_remove(struct keeper *keeper, uint64_t grace_ms)
{
	common_stop(keeper, grace_ms);
	keeper->common.is_leaving = true;
}

/* What cannot be taken away from disk is told, and stays to be removed by name when the keeper is gone. */
static void leave(struct keeper *keeper)
{
	struct error err = { 0 };
	struct client *client;
	unsigned at = 0;
	int rc;

	keeper->is_lasting = true; /* not with the last of its jails, but with all of them */
	for (struct member *member = keeper->members; member; member = member->next)
		if (member->state != MEMBER_REMOVED)
			keeper_remove(keeper, member);
	common_close(&keeper->common);
	keeper->is_lasting = false;
	rc = keeper->is_removed ? 0 : keeper_remove_pod(keeper, &err);
	while ((client = keeper_next_waiting(keeper, NULL, PACKET_REMOVE, &at)))
		rc < 0 ? answer_error(client, &err, 125) : answer_ok(client);
}

void common_go_on(struct keeper *keeper)
{
	struct common *common = &keeper->common;
	struct member *last = common->is_stopping ? last_alive(keeper) : NULL;
	struct client *client;
	unsigned at = 0;

	if (!common->is_stopping || (last && last->is_stopping))
		return;
	if (last) {
		last->is_stopping = true;
		if (member_stop(last, common->grace_ms) < 0)
			member_kill(last);
		return;
	}
	if (common->is_leaving && !keeper_has_names(keeper))
		return;
	common->is_stopping = false;
	while ((client = keeper_next_waiting(keeper, NULL, PACKET_STOP, &at)))
		answer_ok(client);
	if (common->is_leaving)
		leave(keeper);
	common->is_leaving = false;
}

/* ---- what it says of itself ---- */

static void print_shares(unsigned kinds, struct text *out)
{
	const char *comma = "";

	text_add(out, ", \"share\": [");
	for (unsigned i = 0; i < SHARES; i++) {
		if (!(kinds >> i & 1))
			continue;
		text_add(out, "%s\"%s\"", comma, share_names[i]);
		comma = ", ";
	}
	text_add(out, "]");
}

static void print_jails(const struct keeper *keeper, struct text *out)
{
	const char *comma = "";

	text_add(out, ", \"jails\": [");
	for (const struct member *member = keeper->members; member; member = member->next) {
		if (member->state == MEMBER_REMOVED)
			continue;
		text_add(out, "%s", comma);
		member_print_state(member, out);
		comma = ", ";
	}
	text_add(out, "]");
}

void common_print(const struct keeper *keeper, bool has_jails, struct text *out)
{
	const struct common *common = &keeper->common;
	char stamp[LOG_STAMP + 1];

	text_add(out, STATE_BEGIN "\"%s\", \"pod\": ", common->is_lost ? "ended" : "running");
	json_add_string(out, keeper->pod);
	text_add(out, ", \"keeper\": %d", (int)sys_pid());
	print_shares(common->share.kinds, out);
	if (common->created_ns) {
		log_print_time(common->created_ns, stamp);
		text_add(out, ", \"created\": \"%s\"", stamp);
	}
	if (common->kept.stage >= KEPT_WATCHED && common->kept.run.has_child && common->kept.plan->owns_pids)
		text_add(out, ", \"pid\": %d", (int)common->kept.run.init);
	if (has_jails)
		print_jails(keeper, out);
	text_add(out, "}");
}
