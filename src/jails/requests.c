/* SPDX-License-Identifier: Apache-2.0 */
/* What clients ask of a keeper: one function for each request, and their table. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "feature/words.h"
#include "jails/store.h"
#include "jails/visit.h"
#include "sys/append.h"
#include "sys/file.h"
#include "sys/process.h"

typedef void handler(struct keeper *keeper, struct client *client, const struct packet *packet);

void answer_ok(struct client *client)
{
	client->talk = TALK_READY;
	client->subject = NULL;
	client_post(client, &(struct packet_parts){ .type = PACKET_OK });
}

void answer_error(struct client *client, const struct error *err, int exit_code)
{
	struct packet_error error = { .errnum = err->errnum, .exit_code = exit_code, .is_mistake = err->is_mistake };
	char text[ERROR_FRAMES * ERROR_TEXT];
	const size_t length = error_print(err, text, sizeof(text));

	snprintf(error.identifier, sizeof(error.identifier), "%s", err->id ? err->id : "");
	client->talk = TALK_READY;
	client->subject = NULL;
	client_post(client, &(struct packet_parts){ .type = PACKET_ERROR, .fixed = &error, .tail = text, .tail_size = length });
}

void answer_end(struct client *client, const struct member *member)
{
	const struct packet_ended ended = { .exit_code = member->exit_code, .reason = (int32_t)member->kept.result.reason,
					    .signal = member->kept.result.signal };
	const struct packet_parts parts = { .type = PACKET_ENDED, .fixed = &ended };

	if (client->talk == TALK_ATTACHED) {
		client_part(client, &parts);
		return;
	}
	client->talk = TALK_READY;
	client->subject = NULL;
	client_post(client, &parts);
}

/* RC of a request that either was done or was not. */
static void answer(struct client *client, int rc, const char *doing)
{
	struct error err = { 0 };

	if (rc >= 0) {
		answer_ok(client);
		return;
	}
	error_set(&err, -rc, "%s", doing);
	answer_error(client, &err, 125);
}

static void wait_for_answer(struct client *client, struct member *member, enum packet_type question)
{
	client->talk = TALK_WAITING;
	client->subject = member;
	client->question = question;
}

/* The member that PACKET names. NULL: there is none, or it does not live though that is NEEDED; it was answered. */
static struct member *find(const struct keeper *keeper, struct client *client, const struct packet *packet, bool is_needed_alive)
{
	struct member *member = keeper_find(keeper, packet->name.name);
	struct error err = { 0 };

	if (member && (!is_needed_alive || member_lives(member)))
		return member;
	if (member)
		error_mistake(&err, "%s has ended", member->name);
	else
		error_mistake(&err, "there is no jail %s here", packet->name.name);
	err.errnum = member ? ESRCH : ENOENT;
	answer_error(client, &err, 125);
	return NULL;
}

static bool shows_lock(const struct packet *packet)
{
	return packet->fd_count && sys_is_same_file(packet->fds[0], KEEPER_LOCK) && sys_is_open_to_write(packet->fds[0]);
}

static void hello(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	struct error err = { 0 };

	(void)keeper;
	if (packet->hello.version == PACKET_VERSION && shows_lock(packet)) {
		client->talk = TALK_READY;
		client->greeted_ns = sys_now_ns(); /* it is answered once what follows at once is under way */
		return;
	}
	if (packet->hello.version == PACKET_VERSION)
		error_set(&err, EACCES, "greeting who does not show the pod's lock, open for writing");
	else
		error_mistake(&err, "the keeper is of another version of immure (protocol %d, not %u)", PACKET_VERSION, packet->hello.version);
	answer_error(client, &err, 125);
	client->is_leaving = true;
}

static void begin_keeping(struct keeper *keeper)
{
	keeper->has_kept = true;
	sys_auto_close(&keeper->timer);
}

static void run(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	const struct member_request request = { .packet = &packet->run, .pod = keeper->pod, .words = packet->fds[0],
		.state = &keeper->state, .common = &keeper->common, .start_scope = keeper->start_scope, .keeper = keeper, .tell = keeper_tell_event };
	struct member **last = &keeper->members, *member = NULL;
	struct error err = { 0 };

	begin_keeping(keeper);
	if (packet->run.stop_signal > 64)
		error_mistake(&err, "%u is no signal", packet->run.stop_signal);
	else if (name_check(packet->name.name, &err) < 0)
		err.is_mistake = true;
	else if (keeper->is_asked_to_end || keeper->is_removed || keeper->common.is_stopping)
		error_set(&err, EBUSY, "starting %s: the pod %s is being stopped", packet->name.name, keeper->pod);
	else if (keeper_find(keeper, packet->name.name) || common_is(keeper, packet->name.name))
		error_set(&err, EEXIST, "starting %s", packet->name.name);
	else
		member = member_start(&request, &err);
	if (!member) {
		keeper_give_up(keeper);
		answer_error(client, &err, 125);
		return;
	}
	while (*last)
		last = &(*last)->next;
	*last = member;
	wait_for_answer(client, member, PACKET_RUN);
}

static void share(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	begin_keeping(keeper);
	common_make(keeper, client, packet);
}

static void tell_state(struct client *client, const struct text *text)
{
	if (text->is_short)
		answer(client, -ENOMEM, "describing the jail");
	else
		client_post(client, &(struct packet_parts){ .type = PACKET_STATE, .tail = text->bytes, .tail_size = text->used });
}

static void status(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	const bool is_pod = common_is(keeper, packet->name.name);
	const struct member *member = is_pod ? NULL : find(keeper, client, packet, false);
	auto_text struct text text = { 0 };

	if (is_pod)
		common_print(keeper, false, &text);
	else if (member)
		member_print_state(member, &text);
	if (is_pod || member)
		tell_state(client, &text);
}

void keeper_attach(const struct keeper *keeper, struct client *client, struct member *member, const struct packet_attach *how)
{
	client->talk = TALK_ATTACHED;
	client->subject = member;
	client->ring = &member->ring;
	client->at = how->flags & ATTACH_REPLAY ? member->ring.start : member->ring.end;
	client->lost = 0;
	client->may_write = how->flags & ATTACH_INPUT;
	client->rows = how->rows;
	client->columns = how->columns;
	keeper_fit_screen(keeper, member);
}

static void attach(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	struct member *member = find(keeper, client, packet, false);

	if (!member)
		return;
	client_post(client, &(struct packet_parts){ .type = PACKET_OK });
	keeper_attach(keeper, client, member, &packet->attach);
	if (!member_lives(member))
		answer_end(client, member);
}

static void input(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	struct member *member = client->subject;

	(void)keeper;
	if (client->talk != TALK_ATTACHED || !client->may_write || member->kept.stage != KEPT_WATCHED)
		return;
	output_type(member, packet->bytes, packet->size);
	client->is_held = output_has_waiting(member);
}

static void resize(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	client->rows = packet->resize.rows;
	client->columns = packet->resize.columns;
	if (client->talk == TALK_ATTACHED)
		keeper_fit_screen(keeper, client->subject);
}

static void detach(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	struct member *member = client->subject;

	(void)packet;
	client->ring = NULL;
	client->lost = 0;
	client->talk = TALK_READY;
	client->subject = NULL;
	if (member)
		keeper_fit_screen(keeper, member);
	answer_ok(client);
}

/* Nobody enters a jail that is not yet there, or where he would stand still. */
static bool may_be_entered(struct client *client, const struct member *member, const char *doing)
{
	struct error err = { 0 };

	if (member->was_started && member->state != MEMBER_PAUSED)
		return true;
	error_set(&err, member->was_started ? EBUSY : EAGAIN, member->was_started ? "%s in %s, which is paused" : "%s in %s, which is being set up",
		  doing, member->name);
	if (member->was_started)
		error_remedy(&err, "E-JAIL-PAUSED", "immure resume lets it go on");
	answer_error(client, &err, 125);
	return false;
}

static void exec(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	struct member *member = find(keeper, client, packet, true);

	if (member && may_be_entered(client, member, "executing a program"))
		visit_exec(keeper, client, member, packet);
}

static void open_file(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	struct member *member = find(keeper, client, packet, true);

	if (member && may_be_entered(client, member, "opening a file"))
		visit_open(keeper, client, member, packet);
}

/* Who visits speaks of its own program, and is not answered: the end of that is the answer. */
static void signal_visit(struct keeper *keeper, const struct client *client, const struct packet *packet)
{
	struct visit *visit = visit_of(keeper, client);

	if (visit && packet->signal.signal - 1 < 64)
		visit_signal(visit, (int)packet->signal.signal);
}

static void signal_member(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	struct member *member;

	if (packet->signal.is_for_visit || client->talk == TALK_VISITING) {
		signal_visit(keeper, client, packet);
		return;
	}
	member = find(keeper, client, packet, true);
	if (!member)
		return;
	if (packet->signal.signal - 1 >= 64) {
		answer(client, -EINVAL, "sending the signal");
		return;
	}
	member_signal(member, (int)packet->signal.signal);
	answer_ok(client);
}

static void stop_member(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	struct member *member = find(keeper, client, packet, true);
	int rc;

	if (!member)
		return;
	rc = member_stop(member, packet->stop.grace_ms);
	if (rc < 0)
		answer(client, rc, "stopping the jail");
	else
		wait_for_answer(client, member, PACKET_STOP);
}

static bool is_this_pod(const struct keeper *keeper, struct client *client, const struct packet *packet)
{
	struct error err = { 0 };

	if (strcmp(packet->name.name, keeper->pod) == 0)
		return true;
	error_mistake(&err, "this is the pod %s", keeper->pod);
	answer_error(client, &err, 125);
	return false;
}

/* Answered when it has ended; of a pod, when all its jails have. That goes on when the client is gone. */
static void stop(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	if (!(packet->stop.flags & STOP_POD)) {
		stop_member(keeper, client, packet);
	} else if (is_this_pod(keeper, client, packet)) {
		common_stop(keeper, packet->stop.grace_ms);
		wait_for_answer(client, NULL, PACKET_STOP);
	}
}

static void kill_member(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	struct member *member = find(keeper, client, packet, true);

	if (!member)
		return;
	member_kill(member);
	wait_for_answer(client, member, PACKET_KILL);
}

/* RC -EALREADY: it is what it was to become. */
static void answer_pause(struct client *client, const struct member *member, int rc, const char *doing)
{
	struct error err = { 0 };

	if (rc != -EALREADY) {
		answer(client, rc, doing);
		return;
	}
	error_mistake(&err, member->state == MEMBER_PAUSED ? "%s is paused already" : "%s is not paused", member->name);
	err.errnum = EALREADY;
	answer_error(client, &err, 125);
}

static void pause_member(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	struct member *member = find(keeper, client, packet, true);

	if (member)
		answer_pause(client, member, member_pause(member), "pausing the jail");
}

static void resume(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	struct member *member = find(keeper, client, packet, true);

	if (member)
		answer_pause(client, member, member_resume(member), "resuming the jail");
}

static void wait_for_end(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	struct member *member = find(keeper, client, packet, false);

	if (member && member_lives(member))
		wait_for_answer(client, member, PACKET_WAIT);
	else if (member)
		answer_end(client, member);
}

static void wait_for_health(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	struct member *member = find(keeper, client, packet, true);

	if (!member)
		return;
	wait_for_answer(client, member, PACKET_HEALTHY);
	health_answer(client, member);
}

/* With all its jails, which must have ended or are killed. */
static void remove_pod(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	struct error err = { 0 };

	for (const struct member *member = keeper->members; member; member = member->next) {
		if (!member_lives(member) || (packet->remove.flags & REMOVE_FORCE))
			continue;
		error_mistake(&err, "the pod %s has jails that live, such as %s; immure pod stop %s, or --force", keeper->pod, member->name,
			      keeper->pod);
		err.errnum = EBUSY;
		answer_error(client, &err, 125);
		return;
	}
	common_remove(keeper, 0);
	wait_for_answer(client, NULL, PACKET_REMOVE);
}

static void remove_member(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	const bool is_pod = packet->remove.flags & REMOVE_POD;
	struct member *member = is_pod ? NULL : find(keeper, client, packet, false);
	struct error err = { 0 };

	if (is_pod && is_this_pod(keeper, client, packet))
		remove_pod(keeper, client, packet);
	if (!member)
		return;
	if (!member_lives(member)) {
		keeper_remove(keeper, member);
		answer_ok(client);
	} else if (packet->remove.flags & REMOVE_FORCE) {
		member_kill(member);
		wait_for_answer(client, member, PACKET_REMOVE);
	} else {
		error_set(&err, EBUSY, "removing %s, which is running", member->name);
		error_remedy(&err, "E-JAIL-RUNNING", "immure stop ends it; rm --force kills it and removes it");
		answer_error(client, &err, 125);
	}
}

static void events(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	(void)keeper;
	(void)packet;
	answer_ok(client);
	client->talk = TALK_LISTENING;
}

/* More than fits into a packet: a file in memory. */
static void tell_at_length(struct client *client, const struct text *text)
{
	auto_close int fd = text->is_short ? -ENOMEM : sys_memory_file("inspect");
	int rc = fd < 0 ? fd : sys_write_all(fd, text->bytes, text->used);

	if (rc < 0)
		answer(client, rc, "describing the jail");
	else
		client_post(client, &(struct packet_parts){ .type = PACKET_DESCRIPTOR, .fds = &fd, .fd_count = 1 });
}

static void add_record(const struct member *member, struct text *out)
{
	auto_text struct text record = { 0 };

	if (store_read(member->folder, STATE_SPEC, WORDS_MOST, &record) == 0)
		text_add(out, "\"spec\": %s,\n", record.bytes);
}

static void inspect(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	const bool is_pod = common_is(keeper, packet->name.name);
	const struct member *member = is_pod ? NULL : find(keeper, client, packet, false);
	auto_text struct text text = { 0 };

	if (!is_pod && !member)
		return;
	text_add(&text, "{\"state\":");
	if (is_pod)
		common_print(keeper, false, &text);
	else
		member_print_state(member, &text);
	text_add(&text, ",\n");
	if (member)
		add_record(member, &text);
	if (member)
		health_print_words(member, &text);
	plan_print_json(is_pod ? keeper->common.kept.plan : member->kept.plan, &text);
	text_add(&text, "}\n");
	tell_at_length(client, &text);
}

/* The pod and all its jails, in the order of their start. */
static void list(struct keeper *keeper, struct client *client, const struct packet *packet)
{
	auto_text struct text text = { 0 };

	(void)packet;
	common_print(keeper, true, &text);
	text_add(&text, "\n");
	tell_at_length(client, &text);
}

void keeper_tell_event(struct member *member, const char *event)
{
	const struct keeper *keeper = member->keeper;
	auto_text struct text text = { 0 };
	char stamp[LOG_STAMP + 1];

	log_print_time(sys_wall_clock_ns(), stamp);
	text_add(&text, "{\"time\":\"%s\",\"event\":\"%s\",\"pod\":\"%s\",\"jail\":\"%s\"", stamp, event, member->pod, member->name);
	if (member->state == MEMBER_ENDED)
		text_add(&text, ",\"exit_code\":%d,\"reason\":\"%s\"", member->exit_code, reason_name(member->kept.result.reason));
	if (strcmp(event, "log-lost") == 0)
		text_add(&text, ",\"errno\":%d", member->log.lost_errno);
	if (strcmp(event, "health") == 0)
		text_add(&text, ",\"status\":\"%s\",\"health_exit_code\":%d", health_name(member->health->status), member->health->exit_code);
	text_add(&text, "}");
	for (unsigned i = 0; !text.is_short && i < keeper->clients.count; i++)
		if (keeper->clients.client[i]->talk == TALK_LISTENING)
			client_post(keeper->clients.client[i],
				    &(struct packet_parts){ .type = PACKET_EVENT, .tail = text.bytes, .tail_size = text.used });
}

void keeper_hear(struct keeper *keeper, struct client *client, struct packet *packet)
{
	static handler *const handlers[PACKETS] = {
		[PACKET_HELLO] = hello, [PACKET_RUN] = run, [PACKET_EXEC] = exec, [PACKET_OPEN] = open_file,
		[PACKET_STATUS] = status, [PACKET_ATTACH] = attach, [PACKET_INPUT] = input,
		[PACKET_RESIZE] = resize, [PACKET_DETACH] = detach, [PACKET_SIGNAL] = signal_member, [PACKET_STOP] = stop,
		[PACKET_KILL] = kill_member, [PACKET_PAUSE] = pause_member, [PACKET_RESUME] = resume, [PACKET_WAIT] = wait_for_end,
		[PACKET_REMOVE] = remove_member, [PACKET_EVENTS] = events, [PACKET_INSPECT] = inspect, [PACKET_SHARE] = share,
		[PACKET_LIST] = list, [PACKET_HEALTHY] = wait_for_health,
	};

	if (handlers[packet->type])
		handlers[packet->type](keeper, client, packet);
	else
		answer(client, -ENOSYS, packet_type_name(packet->type));
}
