/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one jail: planned, begun, served, ended. */
#include "jails/member.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "feature/feature.h"
#include "feature/words.h"
#include "host/probe.h"
#include "jails/common.h"
#include "sys/append.h"
#include "sys/file.h"
#include "sys/process.h"

/* Of a kept run; the launcher's own signals and terminal are nobody's here. */
static const struct source *const sources[] = {
	&source_wall_time, &source_output, &source_denied_calls, &source_group, &source_evidence, NULL,
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

	member->spec.is_kept = true;
	host_take_caller(host, &member->spec.caller);
	rc = host_probe_basic(host, err);
	if (rc == 0)
		rc = common_join(request->common, &member->spec, err);
	if (rc == 0)
		rc = host_probe_spec(host, &member->spec, err);
	if (rc < 0)
		return rc;
	common_place(request->common, host);
	host->has_keeper = true;
	host->screen_rows = request->packet->rows;
	host->screen_columns = request->packet->columns;
	host->keeps_input = request->packet->flags & RUN_INPUT;
	member->plan = calloc(1, sizeof(*member->plan));
	if (!member->plan)
		return error_set(err, ENOMEM, "planning");
	rc = plan_make(member->plan, &member->arena, &member->spec, host, err);
	member->plan->start_scope = request->start_scope;
	if (rc == 0 && !request->start_scope && plan_has(member->plan, OP_CGROUP_SCOPE)) {
		rc = error_set(err, ENOTSUP, "this build cannot talk to systemd");
		error_remedy(err, "E-CGROUP-SCOPE", "start it in a group of its own: systemd-run --user --scope -p Delegate=yes ...");
	}
	return rc;
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

/* What run_begin and run_go_on have answered. */
static int go_on(struct member *member, int rc)
{
	if (rc == 0) {
		watch_begin(&member->watch, &member->run, &member->result, sources, member);
		member->watch.never_waits = true;
		member->is_watched = true;
	}
	if (rc >= 0)
		return 0;
	run_close(&member->run);
	member->has_run = false;
	return rc;
}

static int begin(struct member *member, struct error *err)
{
	member->has_run = true;
	return go_on(member, run_begin(&member->run, member->plan, &member->result, err));
}

static struct member *new_member(const struct member_request *request)
{
	struct member *member = calloc(1, sizeof(*member));

	if (!member)
		return NULL;
	member->folder = member->timer = -1;
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
	int rc;

	if (!member) {
		error_set(err, ENOMEM, "starting %s", request->packet->name);
		return NULL;
	}
	rc = member_read_words(&member->spec, request->words, err);
	if (rc == 0)
		rc = make_plan(member, request, err);
	if (rc == 0)
		rc = make_files(member, request, err);
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
	const struct result *result = &member->result;

	member->exit_code = rc < 0 && member->was_started ? 125 : result_exit_code(result, member->plan);
	run_close(&member->run);
	member->has_run = member->is_watched = false;
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

unsigned member_poll(const struct member *member, struct pollfd *fds)
{
	unsigned count = 0;

	if (member->timer >= 0)
		fds[count++] = (struct pollfd){ .fd = member->timer, .events = POLLIN };
	if (member->has_run && !member->is_watched)
		fds[count++] = (struct pollfd){ .fd = member->run.wire, .events = POLLIN };
	for (unsigned i = 0; member->is_watched && i < member->watch.count; i++)
		fds[count++] = member->watch.ready[i];
	return count;
}

static void serve_set_up(struct member *member, const struct pollfd *polled, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		int rc;

		if (polled[i].fd != member->run.wire || !polled[i].revents)
			continue;
		rc = go_on(member, run_go_on(&member->run, &member->result, &member->err));
		if (rc == 0)
			return;
		member->exit_code = result_exit_code(&member->result, member->plan);
		member->state = MEMBER_ENDED;
		return;
	}
}

static void serve_watch(struct member *member, const struct pollfd *polled, unsigned count)
{
	const bool goes_on = watch_serve(&member->watch, polled, count);
	int rc;

	if (member->state == MEMBER_STARTING && member->watch.is_started)
		note_start(member);
	if (goes_on)
		return;
	rc = watch_finish(&member->watch, &member->err);
	note_end(member, rc);
}

/* The grace of a stop is over; or the patience with those who still read. */
static void serve_timer(struct member *member)
{
	sys_close(member->timer);
	member->timer = -1;
	if (member_lives(member))
		member_kill(member);
}

void member_serve(struct member *member, const struct pollfd *polled, unsigned count)
{
	if (count && member->timer >= 0 && polled[0].fd == member->timer) {
		if (polled[0].revents)
			serve_timer(member);
		polled++;
		count--;
	}
	if (member->has_run && !member->is_watched)
		serve_set_up(member, polled, count);
	else if (member->is_watched)
		serve_watch(member, polled, count);
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
	if (member->is_watched)
		watch_signal(&member->watch, signal);
}

int member_set_timer(struct member *member, uint64_t nanoseconds)
{
	if (member->timer >= 0)
		return sys_set_timer(member->timer, nanoseconds);
	member->timer = sys_timer(nanoseconds);
	return member->timer < 0 ? member->timer : 0;
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
	return member_set_timer(member, (grace_ms < most_ms ? grace_ms : most_ms) * 1000000);
}

/* One that is still being set up is killed the same way: its wire then ends. */
void member_kill(struct member *member)
{
	if (member->is_watched)
		watch_end(&member->watch, REASON_SIGNALED);
	else if (member->has_run)
		end_init(&member->run, 0);
	if (member->state == MEMBER_PAUSED)
		(void)!member_resume(member); /* version 1 keeps the frozen from dying. freezer-subsystem.rst */
}

void member_free(struct member *member)
{
	if (member->has_run)
		run_close(&member->run);
	if (member->has_log)
		log_close(&member->log);
	if (member->folder >= 0)
		sys_close(member->folder);
	if (member->timer >= 0)
		sys_close(member->timer);
	ring_free(&member->ring);
	result_free(&member->result);
	free(member->plan);
	arena_free(&member->arena);
	arena_free(&member->host.arena);
	arena_free(&member->spec.arena);
	free(member);
}
