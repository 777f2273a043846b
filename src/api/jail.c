/* SPDX-License-Identifier: Apache-2.0 */
/* Jails that stay: finding one, and what is one question to its keeper. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/jail.h"
#include "base/signal_name.h"
#include "host/probe.h"
#include "sys/environment.h"
#include "sys/file.h"
#include "sys/process.h"

int open_state(struct state *state, struct error *err)
{
	struct host host = { .uid = sys_effective_user(), .caller.runtime = sys_variable("XDG_RUNTIME_DIR") };
	int rc;

	*state = (struct state){ -1, -1 };
	host_find_state_folder(&host);
	rc = host.state_folder ? state_open(state, host.state_folder, err) : error_set(err, ENOMEM, "looking for jails");
	arena_free(&host.arena);
	return rc;
}

struct immure_jail *jail_new(void)
{
	struct immure_jail *jail = malloc(sizeof(*jail));

	if (!jail)
		return NULL;
	memset(jail, 0, offsetof(struct immure_jail, packet));
	jail->state = (struct state){ -1, -1 };
	jail->folder = jail->talk = -1;
	jail->patience_ms = -1;
	return jail;
}

void immure_jail_close(struct immure_jail *jail)
{
	if (!jail)
		return;
	state_close(&jail->state);
	sys_auto_close(&jail->folder);
	sys_auto_close(&jail->talk);
	free(jail);
}

const char *immure_jail_name(const struct immure_jail *jail)
{
	return jail->name;
}

void fill_name(char to[PACKET_NAME], const char *name)
{
	_Static_assert((int)NAME_ROOM <= (int)PACKET_NAME, "a name fits");
	memset(to, 0, PACKET_NAME);
	snprintf(to, PACKET_NAME, "%s", name);
}

int jail_connect(struct immure_jail *jail, struct error *err)
{
	char path[STATE_PATH + NAME_ROOM + sizeof("//" STATE_SOCKET)] = "";
	int rc;

	if (*jail->state.path)
		snprintf(path, sizeof(path), "%s/%s/" STATE_SOCKET, jail->state.path, jail->pod);
	rc = keeper_call(jail->folder, path, err);
	if (rc < 0)
		return rc;
	jail->talk = rc;
	jail->use = USE_GREET;
	return 0;
}

/* The nearest name, for who mistyped. */
struct nearest {
	const char *wanted;
	char name[NAME_ROOM];
	unsigned distance;
};

static int offer_name(void *argument, const struct state_entry *entry)
{
	struct nearest *nearest = argument;
	const unsigned distance = entry->jail ? text_distance(nearest->wanted, entry->jail) : ~0u;

	if (distance >= nearest->distance)
		return 0;
	nearest->distance = distance;
	strcpy(nearest->name, entry->jail);
	return 0;
}

int refuse_unknown(const struct state *state, const char *name, struct error *err)
{
	struct nearest nearest = { .wanted = name, .distance = (unsigned)strlen(name) / 3 + 2 };
	int rc = state_each(state, offer_name, &nearest);

	error_mistake(err, "there is no jail \"%.80s\"", name);
	err->errnum = ENOENT;
	if (rc == 0 && nearest.name[0])
		error_remedy(err, "E-JAIL-UNKNOWN", "did you mean %s? immure ps --all lists them", nearest.name);
	else
		error_remedy(err, "E-JAIL-UNKNOWN", "immure ps --all lists them");
	return -ENOENT;
}

/* Where there is no keeper to ask: a name may be that of a jail whose pod has gone meanwhile, or of one that was never finished. */
static int find_lost(struct immure_jail *jail, const char *name, int called, struct error *err)
{
	int folder = jail_open(&jail->state, jail->pod, name, err);

	if (folder < 0)
		return folder;
	sys_close(folder);
	if (pod_is_kept(&jail->state, jail->pod) > 0)
		return error_set(err, -called, "talking to the keeper of %s", name);
	return 0;
}

static int find_jail(struct immure_jail *jail, const char *name, struct error *err)
{
	int rc = state_find(&jail->state, name, jail->pod, err);

	if (rc < 0)
		return rc;
	strcpy(jail->name, name);
	jail->folder = pod_open(&jail->state, jail->pod, err);
	if (jail->folder < 0)
		return jail->folder;
	rc = jail_connect(jail, NULL);
	return rc < 0 ? find_lost(jail, name, rc, err) : 0;
}

static int open_jail(struct immure_jail *jail, const char *name, struct error *err)
{
	int rc = open_state(&jail->state, err);

	if (rc < 0)
		return rc;
	rc = find_jail(jail, name, err);
	if (rc == -ENOENT)
		return *err = (struct error){ 0 }, refuse_unknown(&jail->state, name, err);
	return rc;
}

int immure_jail_open(const char *name, struct immure_jail **output, struct immure_error *out)
{
	struct immure_jail *jail = jail_new();
	struct error err = { 0 };
	int rc = jail ? open_jail(jail, name, &err) : error_set(&err, ENOMEM, "looking for %s", name);

	*output = NULL;
	if (rc == 0)
		*output = jail;
	else
		immure_jail_close(jail);
	return tell(out, &err, rc, 125);
}

int needs_keeper(const struct immure_jail *jail, struct error *err)
{
	if (jail->talk >= 0)
		return 0;
	error_mistake(err, "%s is lost: its keeper was killed, and the jail with it", jail->name);
	err->errnum = ESRCH;
	error_remedy(err, "E-JAIL-LOST", "immure logs %s shows what it wrote; immure rm %s removes what is left", jail->name, jail->name);
	return -ESRCH;
}

int tell_reply(struct immure_error *out, const struct packet *packet, const struct error *err, int rc)
{
	size_t size;
	const char *tail;

	if (rc >= 0 || packet->type != PACKET_ERROR)
		return tell(out, err, rc, 125);
	if (!out)
		return rc;
	*out = (struct immure_error){ .errnum = -rc, .exit_code = packet->error.exit_code };
	tail = packet_tail(packet, &size);
	snprintf(out->text, sizeof(out->text), "%.*s", (int)size, tail);
	memcpy(out->id, packet->error.identifier, sizeof(out->id) - 1);
	return rc;
}

/* RC is of greeting, and perhaps of asking; what the keeper says to the first is heard. One that has ended meanwhile was not there. */
static int hear_greeting(struct immure_jail *jail, int rc, struct error *err)
{
	if (rc < 0 && rc != -EPIPE && rc != -ENOENT)
		return 0; /* not greeted */
	jail->use = USE_ASK;
	if (rc != -ENOENT)
		rc = keeper_greeted(jail->talk, KEEPER_PATIENCE_MS, &jail->packet, err);
	if (rc == -EPIPE || rc == -ECONNRESET || rc == -ENOENT)
		sys_auto_close(&jail->talk);
	return rc;
}

void jail_settle(struct immure_jail *jail)
{
	if (jail->use == USE_GREET)
		(void)!hear_greeting(jail, keeper_greet(jail->talk, jail->folder), NULL);
}

/* An answer that is not waited for any longer may still come: that talk is over. */
static int hear_answer(struct immure_jail *jail, struct error *err)
{
	struct pollfd talk = { .fd = jail->talk, .events = POLLIN };
	const int most_ms = jail->patience_ms < INT32_MAX ? (int)jail->patience_ms : INT32_MAX;
	int rc = jail->patience_ms < 0 ? 1 : sys_wait_ready(&talk, 1, most_ms);

	if (rc > 0)
		return keeper_listen(jail->talk, &jail->packet, err);
	jail->use = USE_NONE;
	if (rc < 0)
		return error_set(err, -rc, "waiting for %s", jail->name);
	error_mistake(err, "waiting for %s: the time is over", jail->name);
	err->errnum = ETIMEDOUT;
	return -ETIMEDOUT;
}

/* The keeper has one turn for the greeting and the question. */
static int ask_at_once(struct immure_jail *jail, const struct packet_parts *parts, struct error *err)
{
	const bool is_new = jail->use == USE_GREET;
	int rc = is_new ? keeper_greet(jail->talk, jail->folder) : 0, said = 0;

	if (rc == 0)
		rc = packet_send(jail->talk, parts);
	if (is_new)
		said = hear_greeting(jail, rc, err);
	if (jail->talk < 0)
		return *err = (struct error){ 0 }, needs_keeper(jail, err);
	if (said < 0)
		return said;
	return rc < 0 ? error_set(err, -rc, "asking the keeper") : hear_answer(jail, err);
}

int jail_ask(struct immure_jail *jail, const struct packet_parts *parts, struct immure_error *out)
{
	struct error err = { 0 };
	int rc = needs_keeper(jail, &err);

	jail->packet.type = PACKETS;
	if (rc == 0 && (jail->use == USE_ATTACH || jail->use == USE_NONE)) {
		sys_auto_close(&jail->talk);
		rc = jail_connect(jail, &err);
	}
	if (rc == 0)
		rc = ask_at_once(jail, parts, &err);
	return tell_reply(out, &jail->packet, &err, rc);
}

/* ---- one question each ---- */

/* FIXED begins with room for the name. */
static int ask(struct immure_jail *jail, enum packet_type type, void *fixed, enum packet_type answer, struct immure_error *out)
{
	struct error err = { 0 };
	int rc;

	fill_name(fixed, jail->name);
	rc = jail_ask(jail, &(struct packet_parts){ .type = type, .fixed = fixed }, out);
	if (rc < 0 || jail->packet.type == answer)
		return rc;
	packet_close_descriptors(&jail->packet);
	return tell(out, &err, error_set(&err, EPROTO, "the keeper of %s gave another answer", jail->name), 125);
}

static int ask_plainly(struct immure_jail *jail, enum packet_type type, struct immure_error *out)
{
	struct packet_name name;

	return ask(jail, type, &name, PACKET_OK, out);
}

int immure_jail_signal(struct immure_jail *jail, const char *signal, struct immure_error *out)
{
	struct packet_signal packet = { .signal = (uint32_t)signal_number(signal) };
	struct error err = { 0 };

	if (!packet.signal)
		return tell(out, &err, error_mistake(&err, "\"%.80s\" is no signal; such as TERM, SIGHUP or 15", signal), 125);
	return ask(jail, PACKET_SIGNAL, &packet, PACKET_OK, out);
}

int immure_jail_stop(struct immure_jail *jail, uint64_t grace_ms, struct immure_error *out)
{
	struct packet_stop packet = { .grace_ms = grace_ms };

	int rc = ask(jail, PACKET_STOP, &packet, PACKET_OK, out);

	return rc == -ESRCH && jail->talk >= 0 ? 0 : rc; /* it has ended already */
}

int immure_jail_kill(struct immure_jail *jail, struct immure_error *out)
{
	return ask_plainly(jail, PACKET_KILL, out);
}

int immure_jail_pause(struct immure_jail *jail, struct immure_error *out)
{
	return ask_plainly(jail, PACKET_PAUSE, out);
}

int immure_jail_resume(struct immure_jail *jail, struct immure_error *out)
{
	return ask_plainly(jail, PACKET_RESUME, out);
}

static int ask_in_time(struct immure_jail *jail, enum packet_type type, enum packet_type answer, int64_t timeout_ms, struct immure_error *out)
{
	struct packet_name name;
	int rc;

	jail->patience_ms = timeout_ms;
	rc = ask(jail, type, &name, answer, out);
	jail->patience_ms = -1;
	if (rc == -ETIMEDOUT && out)
		out->exit_code = 124;
	return rc;
}

int immure_jail_wait(struct immure_jail *jail, int64_t timeout_ms, int *exit_code, struct immure_error *out)
{
	int rc = ask_in_time(jail, PACKET_WAIT, PACKET_ENDED, timeout_ms, out);

	if (rc == 0)
		*exit_code = jail->packet.ended.exit_code;
	return rc;
}

int immure_jail_wait_healthy(struct immure_jail *jail, int64_t timeout_ms, struct immure_error *out)
{
	return ask_in_time(jail, PACKET_HEALTHY, PACKET_OK, timeout_ms, out);
}

/* What a dead keeper has left: the jail, and with the last one the pod. */
static int remove_lost(const struct immure_jail *jail, struct error *err)
{
	int rc = jail_remove(&jail->state, jail->pod, jail->name, err);

	if (rc == 0)
		(void)!state_collect(&jail->state); /* a pod without a jail, of a keeper that is dead */
	return rc;
}

int immure_jail_remove(struct immure_jail *jail, int force, struct immure_error *out)
{
	struct packet_remove packet = { .flags = force ? REMOVE_FORCE : 0 };
	struct error err = { 0 };

	jail_settle(jail);
	if (jail->talk < 0)
		return tell(out, &err, remove_lost(jail, &err), 125);
	return ask(jail, PACKET_REMOVE, &packet, PACKET_OK, out);
}
