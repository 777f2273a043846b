/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a helper that waits, until somebody comes for it. */
#include "jails/waiting.h"

#include <errno.h>
#include <string.h>

#include "feature/enter.h"
#include "sys/file.h"
#include "sys/process.h"

enum { PATIENCE_S = 60, ROOM_BYTES = 256 << 10, STREAMS = 3 };

/* In memory that keeper and helper share: the keeper's own memory of now is not the helper's. */
struct room {
	struct program program;
	char _Alignas(max_align_t) bytes[ROOM_BYTES];
};

static struct enter enter_of(struct visit *visit, bool is_awaited)
{
	return (struct enter){ .jail = visit->member->kept.plan, .spec = &visit->kept.spec, .host = &visit->member->host,
			       .has_streams = !is_awaited, .awaited = is_awaited ? &visit->room->program : NULL };
}

static struct visit *find(const struct keeper *keeper, const struct member *member)
{
	struct visit *visit = keeper->visits;

	while (visit && !(visit->kind == VISIT_WAITING && visit->member == member && visit->kept.stage != KEPT_CLOSED))
		visit = visit->next;
	return visit;
}

static bool can_wait(const struct keeper *keeper, const struct member *member)
{
	const struct spec *pod = keeper->common.is_made ? &keeper->common.kept.spec : NULL;

	return member->state == MEMBER_RUNNING && may_wait(member->kept.plan, &member->kept.spec, pod);
}

/* Nobody's, and so the jail's own. */
static void forget_wishes(struct visit *visit)
{
	arena_free(&visit->request.arena);
	visit->request = (struct spec){ 0 };
	visit->kept.spec = visit->member->kept.spec;
	visit->kept.spec.arena = (struct arena){ 0 };
}

static int begin(struct visit *visit)
{
	struct kept *kept = &visit->kept;
	struct enter enter;
	int rc = sys_share_memory(sizeof(*visit->room), (void **)&visit->room);

	if (rc < 0)
		return rc;
	kept->waits = true;
	forget_wishes(visit);
	enter = enter_of(visit, true);
	rc = plan_enter(kept->plan, &kept->arena, &enter, &kept->err);
	if (rc == 0)
		rc = kept_set_timer(kept, UINT64_C(1000000000) * PATIENCE_S);
	if (rc < 0)
		return rc;
	return kept_begin(kept, run_enter(&kept->run, kept->plan, &visit->member->kept.run, NULL, &kept->result, &kept->err));
}

void waiting_prepare(struct keeper *keeper, struct member *member)
{
	struct visit *visit = can_wait(keeper, member) && !find(keeper, member) ? visit_new(member, NULL) : NULL;

	if (!visit)
		return;
	visit->kind = VISIT_WAITING;
	if (begin(visit) < 0) {
		visit_free(visit);
		return;
	}
	visit->next = keeper->visits;
	keeper->visits = visit;
}

void waiting_close(struct visit *visit)
{
	if (visit->room)
		(void)!sys_forget_memory(visit->room, sizeof(*visit->room));
}

/* The room is the helper's as well: it is filled only once that sleeps, and here before it is looked at. */
static int tell_program(struct visit *visit)
{
	const struct enter enter = enter_of(visit, true);
	struct arena room;

	arena_bound(&room, visit->room->bytes, sizeof(visit->room->bytes));
	return plan_awaited(visit->kept.plan, &enter, &room, &visit->kept.err);
}

/* It ends in its own time, for where the jail is paused it stands still, and is told by its wire; until then it is nobody's. */
static void dismiss(struct visit *visit)
{
	kept_stop_timer(&visit->kept);
	visit->is_late = true;
	end_init(&visit->kept.run, 0);
}

/* The pages that this writes are the helper's as well, until they are written: better now than when somebody waits. */
static void rehearse(struct visit *visit)
{
	if (tell_program(visit) < 0)
		dismiss(visit);
}

/* Than a program, its words and variables. */
static bool has_other_wishes(const struct spec *request)
{
	return request->workdir || request->user || request->group || request->groups;
}

/* Somebody waits for this, so copies for waiting_repeat are made afterwards; without them there is none. */
static int resume(struct visit *visit, const int streams[STREAMS])
{
	int *far = visit->kept.run.far_streams, rc;

	memcpy(far, streams, STREAMS * sizeof(*far));
	rc = kept_resume(&visit->kept);
	for (int i = 0; i < STREAMS; i++)
		far[i] = rc < 0 ? -1 : sys_duplicate(streams[i]);
	return rc;
}

struct visit *waiting_take(struct keeper *keeper, struct member *member, const struct packet *packet, uint64_t patience_ns)
{
	struct visit *visit = find(keeper, member);

	if (!visit || visit->is_late || visit->kept.stage != KEPT_READY || !visit_brings_streams(packet) || packet->exec.flags & EXEC_TERMINAL)
		return NULL;
	if (visit_make_spec(visit, packet) < 0 || has_other_wishes(&visit->request)) {
		forget_wishes(visit);
		return NULL;
	}
	if (kept_set_timer(&visit->kept, patience_ns) < 0 || tell_program(visit) < 0 ||
	    resume(visit, packet->fds + packet->fd_count - STREAMS) < 0) {
		kept_close(&visit->kept); /* it can be told only once */
		return NULL;
	}
	visit->kind = VISIT_PROGRAM;
	visit->has_waited = true;
	return visit;
}

void waiting_serve(struct visit *visit, const struct pollfd *polled, unsigned count)
{
	struct kept *kept = &visit->kept;
	const bool is_late = kept_take_timer(kept, &polled, &count), was_ready = kept->stage == KEPT_READY;

	kept_serve(kept, polled, count);
	if (kept->stage == KEPT_READY && !was_ready)
		rehearse(visit);
	if (kept->stage == KEPT_OVER)
		kept_close(kept);
	else if (is_late && kept->stage != KEPT_CLOSED)
		dismiss(visit);
}

static int begin_again(struct visit *visit, const int streams[STREAMS])
{
	const struct enter enter = enter_of(visit, false);
	struct kept *kept = &visit->kept;
	int rc = plan_enter(kept->plan, &kept->arena, &enter, &kept->err);

	if (rc < 0)
		return rc;
	return kept_begin(kept, run_enter(&kept->run, kept->plan, &visit->member->kept.run, streams, &kept->result, &kept->err));
}

int waiting_repeat(struct visit *visit)
{
	struct kept *kept = &visit->kept;
	int streams[STREAMS], rc = 0;

	for (int i = 0; i < STREAMS; i++) {
		streams[i] = kept->run.far_streams[i];
		kept->run.far_streams[i] = -1;
		rc = streams[i] < 0 ? streams[i] : rc;
	}
	kept_close(kept);
	result_free(&kept->result);
	kept->result = (struct result){ 0 };
	kept->err = (struct error){ 0 };
	kept->waits = visit->has_waited = false;
	rc = rc < 0 ? error_set(&kept->err, -rc, "preparing to enter") : begin_again(visit, streams);
	for (int i = 0; i < STREAMS; i++)
		sys_auto_close(&streams[i]);
	return rc;
}

void waiting_drop(struct keeper *keeper, const struct member *member)
{
	struct visit *visit = find(keeper, member);

	if (visit)
		kept_close(&visit->kept);
	for (visit = keeper->visits; visit; visit = visit->next)
		if (visit->member == member && visit->has_waited && visit->is_start_told)
			watch_reap_helper(&visit->kept.watch);
}
