/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a visit: planned from the jail's own plan, begun, served, told, ended. */
#include "jails/visit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "feature/enter.h"
#include "host/probe.h"
#include "jails/health.h"
#include "jails/waiting.h"
#include "sys/file.h"
#include "sys/process.h"

/*
 * Whoever is in the jail may stop, though not look at, the process that is about to be the program, and everything that enters where
 * the jail has no PID namespace. None of that holds up the keeper; and a client is told after a while.
 */
enum { ON_THE_WAY_S = 20, LOOK_AGAIN_MS = 50, DISMISSAL_MS = 100 };

static const struct source *const sources[] = { &source_denied_calls, &source_check, NULL };

struct visit *visit_new(struct member *member, struct client *client)
{
	struct visit *visit = calloc(1, sizeof(*visit));

	if (!visit)
		return NULL;
	if (kept_open(&visit->kept, sources, visit) < 0) {
		free(visit);
		return NULL;
	}
	visit->member = member;
	visit->client = client;
	return visit;
}

void visit_free(struct visit *visit)
{
	kept_free(&visit->kept);
	waiting_close(visit);
	arena_free(&visit->request.arena);
	arena_free(&visit->host.arena);
	free(visit);
}

static void refuse(struct client *client, struct visit *visit, const struct error *err, int exit_code)
{
	answer_error(client, err, exit_code);
	if (visit)
		visit_free(visit);
}

/* The words are in the packet itself, or in a file that comes first. */
static bool has_words(const struct packet *packet)
{
	size_t size;

	packet_tail(packet, &size);
	return size > 0;
}

/* Its standard descriptors, if it brings some, follow the words. */
bool visit_brings_streams(const struct packet *packet)
{
	return packet->fd_count == (has_words(packet) ? 3 : 4);
}

static void meet(struct visit *visit, struct client *client)
{
	visit->client = client;
	client->talk = visit->kind == VISIT_PROGRAM ? TALK_VISITING : TALK_WAITING;
	client->question = visit->kind == VISIT_PROGRAM ? PACKET_EXEC : PACKET_OPEN;
	client->subject = visit->member;
}

static int enter(struct keeper *keeper, struct visit *visit, uint64_t patience_ns, const int *streams, int *exit_code)
{
	struct kept *kept = &visit->kept;
	int rc = kept_set_timer(kept, patience_ns);

	*exit_code = 125;
	if (rc < 0)
		return error_set(&kept->err, -rc, "entering %s", visit->member->name);
	rc = kept_begin(kept, run_enter(&kept->run, kept->plan, &visit->member->kept.run, streams, &kept->result, &kept->err));
	if (rc < 0) {
		*exit_code = result_exit_code(&kept->result, kept->plan);
		return rc;
	}
	visit->next = keeper->visits;
	keeper->visits = visit;
	return 0;
}

static void go_on(struct keeper *keeper, struct visit *visit, const struct packet *packet)
{
	struct client *client = visit->client;
	const int *streams = visit_brings_streams(packet) ? packet->fds + packet->fd_count - 3 : NULL;
	int exit_code;

	if (enter(keeper, visit, UINT64_C(1000000000) * ON_THE_WAY_S, streams, &exit_code) < 0)
		refuse(client, visit, &visit->kept.err, exit_code);
	else
		meet(visit, client);
}

/* Nobody waits for it any more. */
static bool is_forgotten(const struct visit *visit)
{
	return !visit->client && !visit->is_left_alone;
}

static void end_program(struct visit *visit)
{
	if (visit->kept.stage == KEPT_WATCHED)
		watch_end(&visit->kept.watch, REASON_SIGNALED);
}

static void give_up(struct visit *visit)
{
	if (visit->is_start_told && visit->kind != VISIT_CHECK) { /* nothing of the program's */
		kept_stop_timer(&visit->kept);
		watch_dismiss_helper(&visit->kept.watch);
		return;
	}
	/* Who stands still takes no time. */
	if (visit->kind == VISIT_CHECK && visit->member->state == MEMBER_PAUSED &&
	    kept_set_timer(&visit->kept, visit->member->kept.spec.health_timeout_ns) >= 0)
		return;
	kept_stop_timer(&visit->kept);
	visit->is_late = true;
	end_program(visit);
}

/* ---- a program ---- */

/* The jail's own variables, and behind them, so that they win, the visitor's. */
static int join_variables(struct visit *visit)
{
	const struct string_item *const lists[] = { visit->member->kept.spec.env, visit->request.env };
	struct string_item **last = &visit->kept.spec.env;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		for (const struct string_item *item = lists[i]; item; item = item->next) {
			struct string_item *copy = arena_alloc(&visit->kept.arena, sizeof(*copy));

			if (!copy)
				return -ENOMEM;
			*copy = (struct string_item){ .text = item->text, .origin = item->origin };
			*last = copy;
			last = &copy->next;
		}
	}
	return 0;
}

/* The program and its words, each with its end. */
static int split_words(struct spec *request, const char *tail, size_t size, struct error *err)
{
	char *text = arena_copy_bytes(&request->arena, tail, size);
	size_t count = 0;

	for (size_t i = 0; i < size; i++)
		count += !tail[i];
	request->command = arena_alloc(&request->arena, (count + 1) * sizeof(*request->command));
	if (!text || !request->command)
		return error_set(err, ENOMEM, "reading what is to be executed");
	if (tail[size - 1])
		return error_mistake(err, "the last word of what is to be executed has no end");
	for (size_t i = 0; i < count; i++) {
		request->command[i] = text;
		text += strlen(text) + 1;
	}
	return 0;
}

static int read_request(struct visit *visit, const struct packet *packet, struct error *err)
{
	size_t size;
	const char *tail = packet_tail(packet, &size);

	if (size)
		return split_words(&visit->request, tail, size, err);
	if (!packet->fd_count)
		return error_mistake(err, "there are no words of what is to be executed");
	return member_read_words(&visit->request, packet->fds[0], err);
}

/* The jail's spec, with what the visitor may choose. The lists are shared, and not changed. */
static int make_spec(struct visit *visit, struct error *err)
{
	if (!visit->request.command)
		return error_mistake(err, "there is no program to execute");
	visit->kept.spec = visit->member->kept.spec;
	visit->kept.spec.arena = (struct arena){ 0 };
	visit->kept.spec.env = NULL;
	visit->kept.spec.command = visit->request.command;
	visit->kept.spec.argv0 = visit->request.argv0;
	if (visit->request.workdir) {
		visit->kept.spec.workdir = visit->request.workdir;
		spec_set_origin(&visit->kept.spec, offsetof(struct spec, workdir), spec_origin(&visit->request, offsetof(struct spec, workdir)));
	}
	return join_variables(visit) < 0 ? error_set(err, ENOMEM, "executing a program") : 0;
}

int visit_make_spec(struct visit *visit, const struct packet *packet)
{
	int rc = read_request(visit, packet, &visit->kept.err);

	return rc < 0 ? rc : make_spec(visit, &visit->kept.err);
}

/* Groups are of a user: without any for this one there are none. */
static int make_user(struct visit *visit, struct enter *enter, struct error *err)
{
	enter->is_other_user = visit->request.user || visit->request.group;
	enter->has_other_groups = enter->is_other_user || visit->request.groups;
	if (!enter->has_other_groups)
		return 0;
	visit->host = visit->member->host;
	visit->host.arena = (struct arena){ 0 };
	enter->host = &visit->host;
	visit->kept.spec.groups = visit->request.groups;
	if (visit->request.user) {
		visit->host.caller.cwd = NULL; /* it starts at home: the folder of who started the jail may be closed to it */
		visit->kept.spec.user = visit->request.user;
		spec_set_origin(&visit->kept.spec, offsetof(struct spec, user), spec_origin(&visit->request, offsetof(struct spec, user)));
		visit->kept.spec.group = NULL;
	}
	if (visit->request.group) {
		visit->kept.spec.group = visit->request.group;
		spec_set_origin(&visit->kept.spec, offsetof(struct spec, group), spec_origin(&visit->request, offsetof(struct spec, group)));
	}
	return host_look_up_user(&visit->host, &visit->kept.spec, err);
}

static int start_program(struct visit *visit, const struct packet *packet)
{
	const struct packet_exec *exec = &packet->exec;
	struct enter enter = { .jail = visit->member->kept.plan, .spec = &visit->kept.spec, .host = &visit->member->host,
		.has_streams = visit_brings_streams(packet), .has_terminal = exec->flags & EXEC_TERMINAL, .screen = { exec->rows, exec->columns } };
	int rc = visit_make_spec(visit, packet);

	if (rc == 0)
		rc = make_user(visit, &enter, &visit->kept.err);
	if (rc == 0)
		rc = plan_enter(visit->kept.plan, &visit->kept.arena, &enter, &visit->kept.err);
	if (rc < 0)
		return rc;
	visit->kind = VISIT_PROGRAM;
	visit->is_left_alone = exec->flags & EXEC_ALONE;
	return 0;
}

/* Makes the visit's plan of what PACKET asks. */
typedef int visit_starter(struct visit *visit, const struct packet *packet);

static void begin(struct keeper *keeper, struct client *client, struct member *member, const struct packet *packet, visit_starter *start,
		  const char *doing)
{
	struct visit *visit = visit_new(member, client);
	struct error err = { 0 };
	int rc = visit ? start(visit, packet) : error_set(&err, ENOMEM, "%s", doing);

	if (!visit || rc < 0)
		refuse(client, visit, visit ? &visit->kept.err : &err, 125);
	else
		go_on(keeper, visit, packet);
}

void visit_exec(struct keeper *keeper, struct client *client, struct member *member, const struct packet *packet)
{
	struct visit *waiting = waiting_take(keeper, member, packet, UINT64_C(1000000000) * ON_THE_WAY_S);

	if (!waiting) {
		begin(keeper, client, member, packet, start_program, "executing a program");
		return;
	}
	waiting->is_left_alone = packet->exec.flags & EXEC_ALONE;
	meet(waiting, client);
}

int visit_check(struct keeper *keeper, struct member *member, const int streams[3], int *exit_code, struct error *err)
{
	struct visit *visit = visit_new(member, NULL);
	int rc = visit ? 0 : error_set(err, ENOMEM, "checking %s", member->name);

	*exit_code = 125;
	if (!visit)
		return rc;
	visit->request.command = member->health->command;
	visit->kind = VISIT_CHECK;
	visit->is_left_alone = true;
	rc = make_spec(visit, err);
	if (rc == 0)
		rc = plan_enter(visit->kept.plan, &visit->kept.arena, &(struct enter){ .jail = member->kept.plan, .spec = &visit->kept.spec,
			.host = &member->host, .has_streams = true }, err);
	if (rc == 0)
		rc = enter(keeper, visit, member->kept.spec.health_timeout_ns, streams, exit_code);
	if (rc == 0)
		return 0;
	if (!err->errnum)
		*err = visit->kept.err;
	visit_free(visit);
	return rc;
}

/* ---- a file ---- */

/* What a client may ask open(2) for; links are followed as inside, for inside is where it is opened. */
enum { OPEN_FLAGS = O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND | O_DIRECTORY | O_NOFOLLOW };

static int start_fetch(struct visit *visit, const struct packet *packet)
{
	size_t size;
	const char *tail = packet_tail(packet, &size);
	const char *path = arena_copy_bytes(&visit->kept.arena, tail, size);
	const struct fetch fetch = { .jail = visit->member->kept.plan, .path = path, .flags = (int)packet->open.flags, .mode = packet->open.mode };

	if (!path)
		return error_set(&visit->kept.err, ENOMEM, "opening a file");
	if (path[0] != '/' || strlen(path) != size)
		return error_mistake(&visit->kept.err, "\"%s\": the place inside must be an absolute path", path);
	if (packet->open.flags & ~(uint32_t)OPEN_FLAGS || packet->open.mode & ~0777u)
		return error_mistake(&visit->kept.err, "\"%s\": these flags of open(2) are not for files of a jail", path);
	return plan_fetch(visit->kept.plan, &visit->kept.arena, &fetch, &visit->kept.err);
}

void visit_open(struct keeper *keeper, struct client *client, struct member *member, const struct packet *packet)
{
	begin(keeper, client, member, packet, start_fetch, "opening a file");
}

/* ---- serving ---- */

/*
 * Of who let the program in, which is told to nobody and takes time: a program that ends soon is told of first. Not in a jail of few
 * processes, for this is one. A check has one time for all of it.
 */
static void put_dismissal_off(struct visit *visit)
{
	if (visit->has_waited && kept_set_timer(&visit->kept, UINT64_C(1000000) * DISMISSAL_MS) == 0)
		return;
	if (visit->kind != VISIT_CHECK)
		kept_stop_timer(&visit->kept);
	watch_dismiss_helper(&visit->kept.watch);
}

/* The master of its terminal goes to the client, which relays; what is left of it here would hide the client's death. */
static void tell_start(struct visit *visit)
{
	const struct packet_started started = { .pid = visit->kept.run.init };
	int *terminal = &visit->kept.run.slots[SLOT_TERMINAL];

	visit->is_start_told = true;
	put_dismissal_off(visit);
	if (visit->client && *terminal >= 0)
		client_post(visit->client, &(struct packet_parts){ .type = PACKET_DESCRIPTOR, .fds = terminal, .fd_count = 1 });
	if (*terminal >= 0)
		sys_close(*terminal);
	*terminal = -1;
	if (visit->client)
		client_post(visit->client, &(struct packet_parts){ .type = PACKET_STARTED, .fixed = &started });
	if (!visit->client || !visit->is_left_alone)
		return;
	visit->client->talk = TALK_READY;
	visit->client->subject = NULL;
	visit->client = NULL;
}

/* It never got in, and no step of it failed. */
static int explain_absence(struct visit *visit)
{
	if (visit->is_late)
		return error_set(&visit->kept.err, ETIMEDOUT, "entering %s: it was kept from going on, by a process of the jail or by a pause",
				 visit->member->name);
	return error_set(&visit->kept.err, ESRCH, "entering %s: killed on the way, by the jail's end, its limits or one of its processes",
			 visit->member->name);
}

static bool failed_at(const struct visit *visit, enum op op)
{
	const int step = visit->kept.result.failed_step;

	return step >= 0 && visit->kept.plan->steps[step].op == op;
}

/* In a PID namespace whose init is dead nobody is born any more. pid_namespaces(7) */
static bool came_too_late(const struct visit *visit)
{
	const int errnum = visit->kept.result.failed_errno;

	return errnum == ECHILD || (errnum == ENOMEM && failed_at(visit, OP_FORK));
}

/* Of the way to it nothing need be known. */
static int explain_file(struct visit *visit)
{
	const struct result *result = &visit->kept.result;

	visit->kept.err = (struct error){ 0 };
	return error_set(&visit->kept.err, result->failed_errno, "opening %s:%s", visit->member->name,
			 visit->kept.plan->steps[result->failed_step].subject);
}

static void tell_end(struct visit *visit, int rc)
{
	const int exit_code = result_exit_code(&visit->kept.result, visit->kept.plan), *file = &visit->kept.run.slots[SLOT_FILE];
	const bool has_come = visit->kind == VISIT_FILE ? *file >= 0 : visit->is_start_told;
	const struct packet_ended ended = { .exit_code = exit_code, .reason = (int32_t)visit->kept.result.reason, .signal = visit->kept.result.signal };
	struct client *client = visit->client;

	if (visit->kind == VISIT_CHECK && !has_come && rc >= 0)
		rc = explain_absence(visit);
	if (visit->kind == VISIT_CHECK)
		health_take_end(visit, exit_code, rc < 0 ? &visit->kept.err : NULL);
	visit->client = NULL;
	if (!client)
		return;
	client->talk = TALK_READY;
	client->subject = NULL;
	if (rc < 0 && failed_at(visit, OP_GIVE_FILE))
		rc = explain_file(visit);
	if (!has_come && (rc >= 0 || came_too_late(visit)))
		answer_error(client, &visit->kept.err, explain_absence(visit) < 0 ? 125 : exit_code);
	else if (rc < 0)
		answer_error(client, &visit->kept.err, exit_code);
	else if (visit->kind == VISIT_PROGRAM)
		client_post(client, &(struct packet_parts){ .type = PACKET_ENDED, .fixed = &ended });
	else
		client_post(client, &(struct packet_parts){ .type = PACKET_DESCRIPTOR, .fds = file, .fd_count = 1 });
}

/* Who is traced by another process of the jail is dead, but cannot be reaped before that one looks or dies. Its death is not told twice. */
static bool waits_for_tracer(struct visit *visit)
{
	return !watch_may_finish(&visit->kept.watch) && kept_set_timer(&visit->kept, UINT64_C(1000000) * LOOK_AGAIN_MS) >= 0;
}

/* Once somebody was born inside, it is theirs to fail, or the jail's to kill; and the program may have been executed, unheard. What
 * would be entered again is closed with the jail. */
static bool is_to_repeat(const struct visit *visit)
{
	return visit->has_waited && !visit->kept.watch.may_have_newborn && !visit->is_start_told && !visit->is_late && !is_forgotten(visit) &&
	       member_lives(visit->member);
}

/* Who let the program in may be on its way out, and is not waited for: it may have been stopped. */
static void close_when_alone(struct visit *visit)
{
	if (visit->kept.run.helper_pidfd < 0)
		kept_close(&visit->kept);
}

static void end(struct visit *visit)
{
	int rc;

	if (visit->kind == VISIT_CHECK && visit->is_start_told) /* dead, and not yet reaped: the number is its own */
		sys_kill(-visit->kept.run.init, SIGKILL);
	rc = kept_finish(&visit->kept);
	if (is_to_repeat(visit)) {
		rc = waiting_repeat(visit);
		if (rc == 0)
			return;
	}
	tell_end(visit, rc);
	watch_dismiss_helper(&visit->kept.watch);
	close_when_alone(visit);
}

/* A program that is executed may have ended before that was heard: who is told both at once wakes once. */
static void look_again(struct kept *kept)
{
	struct pollfd polled[KEPT_DESCRIPTORS];
	const unsigned count = kept_poll(kept, polled), timer = count && polled[0].fd == kept->timer;

	if (kept->stage == KEPT_WATCHED && sys_wait_ready(polled, count, 0) > 0)
		kept_serve(kept, polled + timer, count - timer);
}

void visit_serve(struct visit *visit, const struct pollfd *polled, unsigned count)
{
	struct kept *kept = &visit->kept;

	if (visit->kind == VISIT_WAITING) {
		waiting_serve(visit, polled, count);
		return;
	}
	if (kept_take_timer(kept, &polled, &count) && kept->stage == KEPT_WATCHED)
		give_up(visit);
	kept_serve(kept, polled, count);
	if (kept->watch.is_started && !visit->is_start_told)
		look_again(kept);
	if (kept->stage == KEPT_OVER) {
		close_when_alone(visit);
		return;
	}
	if (kept->watch.is_started && !visit->is_start_told) {
		tell_start(visit);
		if (is_forgotten(visit))
			end_program(visit);
	}
	if (kept->stage != KEPT_DEAD || waits_for_tracer(visit))
		return;
	end(visit);
}

void visits_sweep(struct keeper *keeper)
{
	struct visit **link = &keeper->visits;

	while (*link) {
		struct visit *visit = *link;
		struct member *member;

		if (visit->kept.stage != KEPT_CLOSED) {
			link = &visit->next;
			continue;
		}
		member = visit->kind == VISIT_PROGRAM ? visit->member : NULL;
		*link = visit->next;
		visit_free(visit);
		if (member)
			waiting_prepare(keeper, member);
	}
}

void visits_close(struct keeper *keeper)
{
	while (keeper->visits) {
		struct visit *visit = keeper->visits;

		keeper->visits = visit->next;
		visit_free(visit);
	}
}

void visit_signal(struct visit *visit, int signal)
{
	watch_signal(&visit->kept.watch, signal);
}

struct visit *visit_of(const struct keeper *keeper, const struct client *client)
{
	struct visit *visit = keeper->visits;

	while (visit && visit->client != client)
		visit = visit->next;
	return visit;
}

void visits_forget(struct keeper *keeper, const struct client *client)
{
	struct visit *visit = visit_of(keeper, client);

	if (!visit)
		return;
	visit->client = NULL;
	if (is_forgotten(visit))
		end_program(visit);
}

void visits_end(struct keeper *keeper, const struct member *member)
{
	waiting_drop(keeper, member);
	for (struct visit *visit = keeper->visits; visit; visit = visit->next) {
		if (visit->member != member)
			continue;
		visit->is_left_alone = false;
		end_program(visit);
	}
}

bool visits_have(const struct keeper *keeper, const struct member *member)
{
	for (const struct visit *visit = keeper->visits; visit; visit = visit->next)
		if (visit->member == member)
			return true;
	return false;
}
