/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to jails, as lines of JSON. What has happened is told by the states of the jails that are there; what happens, by
 * their keepers, one talk with each. A new pod is noticed in the state folder. Of one that was met after it began, the beginning is
 * told by its state, so a jail's start is missed only if it was gone before anybody looked.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "api/jail.h"
#include "base/json.h"
#include "sys/append.h"
#include "sys/file.h"
#include "sys/folder.h"
#include "sys/process.h"

enum { LOOK_MS = 1000, MOST_TALKS = 1024 };

struct line {
	char *text;
};

struct talk_of_pod {
	char pod[NAME_ROOM];
	int socket;
};

struct events {
	const struct state *state;
	int (*see)(void *argument, const char *line);
	void *argument;
	struct line *lines;      /* what has happened */
	size_t count;
	struct talk_of_pod *talks;
	size_t talk_count;
	const char *pod;         /* of which the past is told; NULL: all */
	struct packet *packet;
	int rc;                  /* of SEE, or of memory */
};

static int add_line(struct events *events, const char *time, const struct immure_jail_info *info, const char *event)
{
	struct line *lines = realloc(events->lines, (events->count + 1) * sizeof(*lines));
	struct text text = { 0 };

	if (!lines)
		return -ENOMEM;
	events->lines = lines;
	text_add(&text, "{\"time\":\"%s\",\"event\":\"%s\",\"pod\":\"%s\",\"jail\":\"%s\"", time, event, info->pod, info->name);
	if (strcmp(event, "exit") == 0)
		text_add(&text, ",\"exit_code\":%lld,\"reason\":\"%s\"", (long long)info->exit_code, info->reason);
	text_add(&text, "}");
	if (text.is_short)
		return -ENOMEM;
	lines[events->count++].text = text.bytes;
	return 0;
}

static int note_past(void *argument, const struct immure_jail_info *info)
{
	static const struct {
		const char *key, *event;
	} moments[] = { { "started", "start" }, { "ended", "exit" } };
	struct events *events = argument;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(moments) && (!events->pod || strcmp(events->pod, info->pod) == 0); i++) {
		auto_text struct text time = { 0 };

		if (json_find_string(info->json, moments[i].key, &time) && time.bytes)
			rc = add_line(events, time.bytes, info, moments[i].event);
	}
	return rc;
}

/* A line begins with its time. */
static int compare(const void *left, const void *right)
{
	return strcmp(((const struct line *)left)->text, ((const struct line *)right)->text);
}

static void tell_past(struct events *events, const char *pod)
{
	events->pod = pod;
	if (immure_jails(NULL, note_past, events, NULL) < 0)
		events->rc = -ENOMEM;
	if (events->count)
		qsort(events->lines, events->count, sizeof(events->lines[0]), compare);
	for (size_t i = 0; i < events->count; i++) {
		if (events->rc == 0)
			events->rc = events->see(events->argument, events->lines[i].text);
		free(events->lines[i].text);
	}
	free(events->lines);
	events->lines = NULL;
	events->count = 0;
}

static bool is_met(const struct events *events, const char *pod)
{
	for (size_t i = 0; i < events->talk_count; i++)
		if (strcmp(events->talks[i].pod, pod) == 0)
			return true;
	return false;
}

/* From now on its keeper tells. */
static int listen_to(struct events *events, const char *pod, int folder)
{
	auto_close int socket = keeper_connect(folder, KEEPER_LOOK_MS, NULL);
	struct talk_of_pod *talks = realloc(events->talks, (events->talk_count + 1) * sizeof(*talks));

	if (!talks)
		return -ENOMEM;
	events->talks = talks;
	if (socket < 0 || events->talk_count == MOST_TALKS ||
	    keeper_look(socket, &(struct packet_parts){ .type = PACKET_EVENTS }, events->packet, NULL) < 0)
		return 0;
	packet_close_descriptors(events->packet);
	snprintf(talks[events->talk_count].pod, NAME_ROOM, "%s", pod);
	talks[events->talk_count++].socket = take_fd(&socket);
	return 1;
}

struct meeting {
	struct events *events;
	bool tells_past; /* of pods that are met now */
};

static int meet(void *argument, const struct state_entry *entry)
{
	const struct meeting *meeting = argument;
	int rc;

	if (entry->jail || entry->state != JAIL_RUNNING || is_met(meeting->events, entry->pod))
		return 0;
	rc = listen_to(meeting->events, entry->pod, entry->folder);
	if (rc > 0 && meeting->tells_past)
		tell_past(meeting->events, entry->pod);
	return rc < 0 ? rc : 0;
}

static void forget(struct events *events, size_t at)
{
	sys_close(events->talks[at].socket);
	events->talks[at] = events->talks[--events->talk_count];
}

/* False: the keeper is gone. */
static bool hear(struct events *events, const struct talk_of_pod *talk)
{
	auto_text struct text line = { 0 };
	const char *tail;
	size_t size;

	if (keeper_listen(talk->socket, events->packet, NULL) < 0)
		return false;
	packet_close_descriptors(events->packet);
	tail = packet_tail(events->packet, &size);
	text_add_bytes(&line, tail, size);
	if (events->packet->type == PACKET_EVENT && line.bytes)
		events->rc = events->see(events->argument, line.bytes);
	return true;
}

/* A keeper listens a moment after its folder appears, so it is looked for again for a while. */
static int follow(struct events *events)
{
	auto_close int notice = sys_notice_folder(events->state->pods);
	struct meeting meeting = { events, true };

	while (events->rc == 0) {
		auto_free struct pollfd *polled = calloc(events->talk_count + 1, sizeof(*polled));
		const size_t count = events->talk_count;

		if (!polled)
			return -ENOMEM;
		for (size_t i = 0; i < count; i++)
			polled[i] = (struct pollfd){ .fd = events->talks[i].socket, .events = POLLIN };
		polled[count] = (struct pollfd){ .fd = notice, .events = POLLIN };
		events->rc = sys_wait_ready(polled, (unsigned)count + 1, LOOK_MS);
		events->rc = events->rc > 0 ? 0 : events->rc;
		if (polled[count].revents)
			sys_hear_folder(notice);
		for (size_t i = count; i-- > 0 && events->rc == 0;)
			if (polled[i].revents && !hear(events, &events->talks[i]))
				forget(events, i);
		if (events->rc == 0)
			events->rc = state_each(events->state, meet, &meeting);
	}
	return events->rc;
}

int immure_events(int follows, int (*see)(void *argument, const char *line), void *argument, struct immure_error *out)
{
	auto_state struct state state = { -1, -1 };
	struct events events = { .state = &state, .see = see, .argument = argument, .packet = malloc(sizeof(struct packet)) };
	struct meeting meeting = { &events, false };
	struct error err = { 0 };
	int rc = events.packet ? open_state(&state, &err) : -ENOMEM;

	if (rc == 0 && follows)
		rc = state_each(&state, meet, &meeting);
	if (rc == 0) {
		tell_past(&events, NULL);
		rc = events.rc;
	}
	if (rc == 0 && follows)
		rc = follow(&events);
	while (events.talk_count)
		forget(&events, events.talk_count - 1);
	free(events.talks);
	free(events.packet);
	if (rc < 0 && !err.errnum)
		error_set(&err, -rc, "listening for events");
	return tell(out, &err, rc, 125);
}
