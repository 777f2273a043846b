/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one jail: planned, begun, served, ended. */
#include "jails/member.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "feature/feature.h"
#include "feature/record.h"
#include "feature/words.h"
#include "host/probe.h"
#include "jails/common.h"
#include "jails/store.h"
#include "jails/waiting.h"
#include "sys/append.h"
#include "sys/file.h"
#include "sys/process.h"

/* Of a kept run; the launcher's own signals and terminal are nobody's here. */
static const struct source *const sources[] = {
	&source_wall_time, &source_output, &source_denied_calls, &source_group, &source_evidence, &source_health, NULL,
};
_Static_assert(ARRAY_SIZE(sources) <= WATCH_SOURCES, "the table of states is too small");

int member_read_words(struct spec *spec, int fd, struct error *err)
{
	int64_t size = sys_size(fd);
	auto_free char *bytes = NULL;
	ssize_t got;

	if (!sys_is_memory_file(fd)) /* whatever else it is, reading it might never end */
		return error_set(err, EBADF, "reading the words: they are in no file in memory");
	if (size < 0 || size > WORDS_MOST)
		return error_set(err, size < 0 ? (int)-size : E2BIG, "reading the words");
	bytes = malloc((size_t)size + 1);
	if (!bytes)
		return error_set(err, ENOMEM, "reading the words");
	got = sys_read_at(fd, bytes, (size_t)size, 0);
	if (got != size)
		return error_set(err, got < 0 ? (int)-got : EIO, "reading the words");
	return spec_read_words(spec, bytes, (size_t)size, err);
}

static int make_plan(struct member *member, const struct member_request *request, struct error *err)
{
	struct host *host = &member->host;
	int rc;

	member->kept.spec.is_kept = true;
	host->caller = member->kept.spec.caller;
	rc = host_probe_basic(host, err);
	if (rc == 0)
		rc = common_join(request->common, &member->kept.spec, err);
	if (rc == 0)
		rc = host_probe_spec(host, &member->kept.spec, err);
	if (rc < 0)
		return rc;
	common_place(request->common, host);
	host->has_keeper = true;
	host->screen_rows = request->packet->rows;
	host->screen_columns = request->packet->columns;
	host->keeps_input = request->packet->flags & RUN_INPUT;
	rc = plan_make(member->kept.plan, &member->kept.arena, &member->kept.spec, host, err);
	return rc < 0 ? rc : kept_set_scope(&member->kept, request->start_scope, err);
}

static int make_files(struct member *member, const struct member_request *request, struct error *err)
{
	int rc = member->folder = jail_reserve(request->state, request->pod, member->name, err);

	if (rc < 0 || !request->packet->log_bytes)
		return rc < 0 ? rc : 0;
	rc = log_open(&member->log, member->folder, request->packet->log_bytes);
	member->has_log = rc == 0;
	return rc < 0 ? error_set(err, -rc, "opening the log of %s", member->name) : 0;
}

/* What it was asked to be: a full disk costs that, and nothing else. */
static void write_record(const struct member *member, const struct text *record)
{
	if (!record->is_short)
		(void)!store_write(member->folder, STATE_SPEC, record->bytes, record->used);
}

static int begin(struct member *member, struct error *err)
{
	struct kept *kept = &member->kept;
	int rc = kept_begin(kept, run_begin(&kept->run, kept->plan, &kept->result, err));

	if (rc < 0)
		kept_close(kept);
	return rc;
}

static struct member *new_member(const struct member_request *request)
{
	struct member *member = calloc(1, sizeof(*member));

	if (!member || kept_open(&member->kept, sources, member) < 0) {
		free(member);
		return NULL;
	}
	member->folder = -1;
	member->pod = request->pod;
	member->keeper = request->keeper;
	member->tell = request->tell;
	member->attaches_starter = request->packet->flags & RUN_ATTACH;
	member->goes_at_end = request->packet->flags & RUN_REMOVE;
	member->stop_signal = request->packet->stop_signal ? request->packet->stop_signal : SIGTERM;
	member->output.rows = request->packet->rows;
	member->output.columns = request->packet->columns;
	memcpy(member->name, request->packet->name, PACKET_NAME);
	return member;
}

struct member *member_start(const struct member_request *request, struct error *err)
{
	struct member *member = new_member(request);
	auto_text struct text record = { 0 };
	int rc;

	if (!member) {
		error_set(err, ENOMEM, "starting %s", request->packet->name);
		return NULL;
	}
	rc = member_read_words(&member->kept.spec, request->words, err);
	if (rc == 0 && spec_record(&member->kept.spec, &record) < 0)
		rc = error_set(err, ENOMEM, "starting %s", member->name);
	if (rc == 0)
		rc = make_plan(member, request, err);
	if (rc == 0)
		rc = health_open(member, err);
	if (rc == 0)
		rc = make_files(member, request, err);
	if (rc == 0)
		write_record(member, &record);
	if (rc == 0)
		rc = begin(member, err);
	if (rc == 0)
		return member;
	member_remove_files(member, request->state);
	member_free(member);
	return NULL;
}

static void note_start(struct member *member)
{
	member->state = MEMBER_RUNNING;
	member->was_started = true;
	member->started_ns = sys_wall_clock_ns();
	member_write_state(member);
	member->tell(member, "start");
}

static void note_end(struct member *member, int rc)
{
	const struct result *result = &member->kept.result;

	member->exit_code = rc < 0 && member->was_started ? 125 : result_exit_code(result, member->kept.plan);
	waiting_drop(member->keeper, member); /* it is in the groups, which go now */
	kept_close(&member->kept);
	member->state = MEMBER_ENDED;
	member->pause = PAUSE_NONE;
	member->ended_ns = sys_wall_clock_ns();
	if (member->has_log)
		log_close(&member->log);
	if (!member->was_started)
		return;
	member_write_state(member);
	if (result->reason == REASON_MEMORY || (result->oom_kills && result->oom_kills != NUMBER_NONE))
		member->tell(member, "oom");
	member->tell(member, "exit");
}

static void note_failure(struct member *member)
{
	kept_close(&member->kept);
	member->exit_code = result_exit_code(&member->kept.result, member->kept.plan);
	member->state = MEMBER_ENDED;
}

/* The grace of a stop is over; or the patience with those who still read. */
static void serve_timer(struct member *member)
{
	kept_stop_timer(&member->kept);
	if (member_lives(member))
		member_kill(member);
}

void member_serve(struct member *member, const struct pollfd *polled, unsigned count)
{
	struct kept *kept = &member->kept;

	if (kept_take_timer(kept, &polled, &count))
		serve_timer(member);
	kept_serve(kept, polled, count);
	if (member->state == MEMBER_STARTING && kept->stage >= KEPT_WATCHED && kept->watch.is_started)
		note_start(member);
	if (kept->stage == KEPT_DEAD)
		note_end(member, kept_finish(kept));
	else if (kept->stage == KEPT_OVER)
		note_failure(member);
}

void member_hear(struct member *member, unsigned stream, const char *bytes, size_t size)
{
	if (ring_add(&member->ring, stream, bytes, size) < 0)
		member->lost_scrollback = true;
	if (member->has_log && log_write(&member->log, stream, sys_wall_clock_ns(), bytes, size))
		member->tell(member, "log-lost");
}

bool member_lives(const struct member *member)
{
	return member->state < MEMBER_ENDED;
}

void member_signal(struct member *member, int signal)
{
	if (member->kept.stage == KEPT_WATCHED)
		watch_signal(&member->kept.watch, signal);
}

int member_stop(struct member *member, uint64_t grace_ms)
{
	const uint64_t most_ms = UINT64_C(1000) * 86400 * 365;

	if (!grace_ms || !member->was_started) {
		member_kill(member);
		return 0;
	}
	member_signal(member, (int)member->stop_signal);
	if (member->state == MEMBER_PAUSED)
		(void)!member_resume(member); /* or it could not hear */
	return kept_set_timer(&member->kept, (grace_ms < most_ms ? grace_ms : most_ms) * 1000000);
}

/* One that is still being set up is killed the same way: its wire then ends. */
void member_kill(struct member *member)
{
	member->is_cut_short |= member->state == MEMBER_STARTING;
	if (member->kept.stage == KEPT_WATCHED)
		watch_end(&member->kept.watch, REASON_SIGNALED);
	else if (member->kept.stage == KEPT_SET_UP)
		end_init(&member->kept.run, 0);
	if (member->state == MEMBER_PAUSED)
		(void)!member_resume(member); /* version 1 keeps the frozen from dying. freezer-subsystem.rst */
}

void member_free(struct member *member)
{
	kept_free(&member->kept);
	health_free(member);
	if (member->has_log)
		log_close(&member->log);
	if (member->folder >= 0)
		sys_close(member->folder);
	ring_free(&member->ring);
	arena_free(&member->host.arena);
	free(member);
}
