/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is: jails and pods. Names and ends are on disk; what runs is asked of its keeper; what no cgroup counts is counted by
 * /proc.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/jail.h"
#include "base/json.h"
#include "jails/census.h"
#include "jails/store.h"
#include "sys/file.h"

struct found {
	char name[NAME_ROOM], pod[NAME_ROOM];
	enum jail_state state;
};

struct listing {
	const struct state *state;
	const char *wanted;      /* NULL: all */
	struct found *found;
	size_t count, room;
	struct processes processes;
	struct packet *packet;
};

static int note(void *argument, const struct state_entry *entry)
{
	struct listing *listing = argument;
	struct found *found;

	if (!entry->jail || (listing->wanted && strcmp(entry->jail, listing->wanted) != 0))
		return 0;
	if (listing->count == listing->room) {
		const size_t room = listing->room ? 2 * listing->room : 32;

		found = realloc(listing->found, room * sizeof(*found));
		if (!found)
			return -ENOMEM;
		listing->found = found;
		listing->room = room;
	}
	found = &listing->found[listing->count++];
	snprintf(found->name, sizeof(found->name), "%s", entry->jail);
	snprintf(found->pod, sizeof(found->pod), "%s", entry->pod);
	found->state = entry->state;
	return 0;
}

static int compare(const void *left, const void *right)
{
	return strcmp(((const struct found *)left)->name, ((const struct found *)right)->name);
}

/* The keeper's own words. -ETIMEDOUT: it does not answer. */
static int ask_keeper(const struct listing *listing, const struct found *found, struct text *json)
{
	auto_close int folder = pod_open(listing->state, found->pod, NULL);
	auto_close int talk = folder < 0 ? folder : keeper_connect(folder, KEEPER_LOOK_MS, NULL);
	struct packet_name name;
	const char *tail;
	size_t size;
	int rc = talk < 0 ? talk : 0;

	fill_name(name.name, found->name);
	if (rc == 0)
		rc = keeper_look(talk, &(struct packet_parts){ .type = PACKET_STATUS, .fixed = &name }, listing->packet, NULL);
	if (rc < 0)
		return rc;
	packet_close_descriptors(listing->packet);
	tail = packet_tail(listing->packet, &size);
	if (listing->packet->type == PACKET_STATE)
		text_add_bytes(json, tail, size);
	return json->used > 0 ? 0 : -ENOENT;
}

static bool read_file(const struct listing *listing, const struct found *found, struct text *json)
{
	auto_close int folder = jail_open(listing->state, found->pod, found->name, NULL);

	if (folder < 0 || store_read(folder, STATE_JAIL, STATE_FILE_MOST, json) < 0)
		return false;
	while (json->used && json->bytes[json->used - 1] == '\n')
		json->bytes[--json->used] = '\0';
	return json->used > 0 && json->bytes[json->used - 1] == '}';
}

/* What is on disk was true when the keeper lived, or could speak. */
static void say_instead(const char *state, struct text *json)
{
	struct text text = { 0 };
	const char *rest = json->bytes ? strchr(json->bytes, ',') : NULL;

	if (!rest)
		return;
	text_add(&text, STATE_BEGIN "\"%s\"%s", state, rest);
	text_free(json);
	*json = text;
}

/* What is known of a jail: an object that is not closed yet. */
static void describe(const struct listing *listing, const struct found *found, const char **state, struct text *json)
{
	const int rc = found->state == JAIL_LOST ? -ENOENT : ask_keeper(listing, found, json);

	*state = rc == -ETIMEDOUT ? "silent" : jail_state_name(found->state);
	if (rc < 0 && !read_file(listing, found, json)) {
		text_free(json);
		text_add(json, "{\"state\": \"starting\", \"name\": \"%s\", \"pod\": \"%s\"}", found->name, found->pod);
		if (found->state == JAIL_RUNNING && rc != -ETIMEDOUT)
			*state = "starting";
	}
	if (found->state == JAIL_LOST || rc == -ETIMEDOUT)
		say_instead(*state, json);
	if (json->bytes)
		json->bytes[--json->used] = '\0'; /* the brace */
}

static int64_t number_of(const char *json, const char *key)
{
	uint64_t number;

	return json && json_find_number(json, key, &number) && number <= INT64_MAX ? (int64_t)number : -1;
}

/* Where cgroups said nothing. What was brought into a jail by itself is its keeper's child, not its init's. */
static void take_census(const struct listing *listing, const struct found *found, struct immure_jail_info *info, const char *json)
{
	const bool is_alone = strcmp(found->name, found->pod) == 0;
	const int64_t root = is_alone ? number_of(json, "keeper") : info->pid;
	struct census census;

	if (root <= 0 || !census_take(&listing->processes, (pid_t)root, !is_alone, &census))
		return;
	if (info->pids < 0)
		info->pids = (int64_t)census.processes;
	if (info->memory_bytes < 0)
		info->memory_bytes = (int64_t)census.memory_bytes;
	if (info->cpu_ns < 0)
		info->cpu_ns = (int64_t)census.cpu_ns;
}

static void add_number(struct text *json, const char *key, int64_t number)
{
	if (number >= 0 && json->bytes && !json_find(json->bytes, key))
		text_add(json, ", \"%s\": %lld", key, (long long)number);
}

/* The words of a list of strings with spaces between, fit for a terminal. */
static void join_command(const char *json, struct text *command)
{
	const char *at = json ? json_find(json, "command") : NULL;
	const size_t start = command->used;

	while (at && (*at == '[' || *at == ',' || *at == ' ')) {
		const char *word = at + strspn(at, "[, ");

		if (command->used > start)
			text_add(command, " ");
		at = *word == '"' ? json_take_string(word, command) : NULL;
	}
	if (command->bytes)
		text_make_printable(command->bytes);
}

static void find_word(const char *json, const char *key, struct text *out)
{
	if (json)
		(void)json_find_string(json, key, out);
	if (out->bytes)
		text_make_printable(out->bytes);
}

static const char *or_empty(const struct text *text)
{
	return text->bytes ? text->bytes : "";
}

struct texts {
	struct text json, command, ports, reason, state, started, health, paused_by;
};

static void free_texts(struct texts *texts)
{
	text_free(&texts->json);
	text_free(&texts->command);
	text_free(&texts->ports);
	text_free(&texts->reason);
	text_free(&texts->state);
	text_free(&texts->started);
	text_free(&texts->health);
	text_free(&texts->paused_by);
}

static void fill_in(const struct listing *listing, const struct found *found, struct texts *texts, struct immure_jail_info *info)
{
	auto_text struct text network = { 0 };
	const char *json, *state;

	describe(listing, found, &state, &texts->json);
	json = texts->json.bytes;
	join_command(json, &texts->command);
	find_word(json, "reason", &texts->reason);
	find_word(json, "state", &texts->state);
	find_word(json, "started", &texts->started);
	find_word(json, "network", &network);
	if (found->state == JAIL_RUNNING) {
		find_word(json, "health", &texts->health);
		find_word(json, "paused_by", &texts->paused_by);
	}
	*info = (struct immure_jail_info){ .name = found->name, .pod = found->pod, .command = or_empty(&texts->command),
		.reason = or_empty(&texts->reason), .health = or_empty(&texts->health), .paused_by = or_empty(&texts->paused_by),
		.started = or_empty(&texts->started),
		.state = found->state == JAIL_RUNNING && strcmp(state, "starting") != 0 ? or_empty(&texts->state) : state,
		.pid = number_of(json, "pid"), .pids = number_of(json, "pids"), .memory_bytes = number_of(json, "memory_bytes"),
		.cpu_ns = number_of(json, "cpu_ns"), .uptime_ns = number_of(json, "uptime_ns"), .exit_code = number_of(json, "exit_code") };
	if (found->state == JAIL_RUNNING)
		take_census(listing, found, info, json);
	if (found->state == JAIL_RUNNING && info->pid > 0 && network.bytes && strcmp(network.bytes, "own") == 0)
		census_ports((pid_t)info->pid, &texts->ports);
	info->ports = or_empty(&texts->ports);
	add_number(&texts->json, "pids", info->pids);
	add_number(&texts->json, "memory_bytes", info->memory_bytes);
	add_number(&texts->json, "cpu_ns", info->cpu_ns);
	text_add(&texts->json, ", \"ports\": [%s]}", info->ports);
	info->json = texts->json.bytes;
}

static int see_one(const struct listing *listing, const struct found *found, int (*see)(void *, const struct immure_jail_info *),
		   void *argument, struct error *err)
{
	struct texts texts = { 0 };
	struct immure_jail_info info;
	int rc;

	fill_in(listing, found, &texts, &info);
	if (texts.json.is_short || texts.command.is_short || texts.ports.is_short || texts.reason.is_short)
		rc = error_set(err, ENOMEM, "describing %s", found->name);
	else
		rc = see(argument, &info);
	free_texts(&texts);
	return rc;
}

/* Those on disk, in order of name. */
static int find(struct listing *listing, struct error *err)
{
	const int rc = state_each(listing->state, note, listing);

	if (listing->count)
		qsort(listing->found, listing->count, sizeof(listing->found[0]), compare);
	return rc < 0 ? error_set(err, -rc, "looking for jails") : 0;
}

static int list(struct listing *listing, int (*see)(void *, const struct immure_jail_info *), void *argument, struct error *err)
{
	int rc = find(listing, err);

	if (rc < 0)
		return rc;
	if (listing->count)
		rc = processes_look(&listing->processes);
	listing->packet = malloc(sizeof(*listing->packet));
	if (rc < 0 || !listing->packet)
		return error_set(err, rc < 0 ? -rc : ENOMEM, "looking for jails");
	for (size_t i = 0; rc == 0 && i < listing->count; i++)
		rc = see_one(listing, &listing->found[i], see, argument, err);
	return rc;
}

int see_jails(const char *name, int (*see)(void *argument, const struct immure_jail_info *info), void *argument, struct error *err)
{
	auto_state struct state state = { -1, -1 };
	struct listing listing = { .state = &state, .wanted = name };
	int rc = open_state(&state, err);

	if (rc == 0)
		rc = list(&listing, see, argument, err);
	if (rc == 0 && name && !listing.count)
		rc = refuse_unknown(&state, name, err);
	processes_free(&listing.processes);
	free(listing.found);
	free(listing.packet);
	return rc;
}

int immure_jails(const char *name, int (*see)(void *argument, const struct immure_jail_info *info), void *argument, struct immure_error *out)
{
	struct error err = { 0 };

	return tell(out, &err, see_jails(name, see, argument, &err), 125);
}

static int see_names(int (*see)(void *argument, const char *name, const char *state), void *argument, struct error *err)
{
	auto_state struct state state = { -1, -1 };
	struct listing listing = { .state = &state };
	int rc = open_state(&state, err);

	if (rc == 0)
		rc = find(&listing, err);
	for (size_t i = 0; rc == 0 && i < listing.count; i++)
		rc = see(argument, listing.found[i].name, jail_state_name(listing.found[i].state));
	free(listing.found);
	return rc;
}

int immure_jail_names(int (*see)(void *argument, const char *name, const char *state), void *argument, struct immure_error *out)
{
	struct error err = { 0 };

	return tell(out, &err, see_names(see, argument, &err), 125);
}
