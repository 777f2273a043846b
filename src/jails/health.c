/* SPDX-License-Identifier: Apache-2.0 */
/* Looking after the health of jails: when, and what follows. */
#include "jails/health.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "base/command.h"
#include "base/json.h"
#include "jails/visit.h"
#include "sys/append.h"
#include "sys/file.h"
#include "sys/process.h"

enum { EARLY_NS = 1000000000, EXIT_LATE = 124, EXIT_UNHEALTHY = 1, PIPE_ROOM = 64 << 10 };

const char *health_name(enum health_status status)
{
	static const char *const names[] = { [HEALTH_STARTING] = "starting", [HEALTH_GOOD] = "healthy", [HEALTH_BAD] = "unhealthy" };

	return names[status];
}

int health_open(struct member *member, struct error *err)
{
	struct health *health;
	int rc;

	if (!member->kept.spec.health)
		return 0;
	health = calloc(1, sizeof(*health));
	if (!health)
		return error_set(err, ENOMEM, "preparing to look after %s", member->name);
	health->timer = health->pipe = -1;
	rc = command_split(&member->kept.arena, member->kept.spec.health, &health->command, err);
	if (rc < 0)
		free(health);
	else
		member->health = health;
	return rc;
}

void health_free(struct member *member)
{
	if (member->health)
		sys_auto_close(&member->health->pipe);
	free(member->health);
}

/* ---- when ---- */

static struct health *health_of(const struct watch *watch)
{
	return ((struct member *)watch->owner)->health;
}

static int start(struct watch *watch, void *state, const struct step *step)
{
	(void)watch;
	(void)state;
	(void)step;
	return 0;
}

static void started(struct watch *watch, void *state)
{
	struct health *health = health_of(watch);

	(void)state;
	if (!health)
		return;
	health->timer = sys_timer(EARLY_NS);
	if (health->timer >= 0 && watch_add(watch, health->timer, 0) == 0)
		health->is_due = true;
}

static void ready(struct watch *watch, void *state, int fd, short events)
{
	(void)state;
	(void)events;
	health_of(watch)->is_due = true;
	watch_change(watch, fd, 0);
}

static void finish(struct watch *watch, void *state)
{
	struct health *health = health_of(watch);

	(void)state;
	if (health && health->timer >= 0)
		sys_close(health->timer);
	if (health)
		health->timer = -1;
}

const struct source source_health = { .name = "health", .op = OPS, .start = start, .started = started, .ready = ready, .finish = finish };

/* It has not been healthy yet, and need not be. */
static bool is_early(const struct member *member)
{
	const uint64_t grace_ns = member->kept.spec.health_start_ns;

	return member->health->status == HEALTH_STARTING && grace_ns != NUMBER_NONE &&
	       sys_now_ns() - member->kept.watch.start_ns < grace_ns;
}

static void wait_for_next(struct member *member)
{
	const uint64_t interval_ns = member->kept.spec.health_interval_ns;
	struct health *health = member->health;

	sys_set_timer(health->timer, is_early(member) && interval_ns > EARLY_NS ? EARLY_NS : interval_ns);
	watch_change(&member->kept.watch, health->timer, POLLIN);
}

/* ---- what it writes ---- */

static void add_words(struct last_words *words, const char *bytes, size_t size)
{
	size_t kept;

	if (size > HEALTH_TEXT) {
		bytes += size - HEALTH_TEXT;
		size = HEALTH_TEXT;
	}
	kept = words->used + size > HEALTH_TEXT ? HEALTH_TEXT - size : words->used;
	memmove(words->bytes, words->bytes + words->used - kept, kept);
	memcpy(words->bytes + kept, bytes, size);
	words->used = kept + size;
}

static struct health *checked_by(const struct watch *watch)
{
	const struct visit *visit = watch->owner;

	return visit->kind == VISIT_CHECK ? visit->member->health : NULL;
}

static int start_reading(struct watch *watch, void *state, const struct step *step)
{
	const struct health *health = checked_by(watch);

	(void)state;
	(void)step;
	return health ? watch_add(watch, health->pipe, POLLIN) : 0;
}

static ssize_t read_words(struct health *health)
{
	char bytes[HEALTH_TEXT];
	ssize_t size = sys_read(health->pipe, bytes, sizeof(bytes));

	if (size > 0)
		add_words(&health->heard, bytes, (size_t)size);
	return size;
}

static void ready_to_read(struct watch *watch, void *state, int fd, short events)
{
	struct health *health = checked_by(watch);
	ssize_t size = health ? read_words(health) : -EAGAIN;

	(void)state;
	(void)events;
	if (size > 0 || size == -EAGAIN)
		return;
	watch_drop(watch, fd);
	sys_auto_close(&health->pipe);
}

/* What is in the pipe, though somebody whom it left behind may write on. */
static void finish_reading(struct watch *watch, void *state)
{
	struct health *health = checked_by(watch);

	(void)state;
	for (int left = PIPE_ROOM; health && health->pipe >= 0 && left > 0; left -= HEALTH_TEXT)
		if (read_words(health) <= 0)
			break;
	if (health)
		sys_auto_close(&health->pipe);
}

const struct source source_check = { .name = "check", .op = OPS, .start = start_reading, .ready = ready_to_read, .finish = finish_reading };

/* ---- one check ---- */

static void change(struct member *member, enum health_status status)
{
	struct health *health = member->health;

	if (health->status == status)
		return;
	health->status = status;
	health->has_news = true;
	member_write_state(member);
	member->tell(member, "health");
}

static void judge(struct member *member)
{
	struct health *health = member->health;

	health->checks++;
	if (!health->exit_code) {
		health->failures = 0;
		change(member, HEALTH_GOOD);
		return;
	}
	if (is_early(member))
		return;
	health->failures++;
	if (health->failures >= member->kept.spec.health_retries)
		change(member, HEALTH_BAD);
}

static void take_end(struct member *member, int exit_code, const struct error *err)
{
	struct health *health = member->health;

	health->is_checking = false;
	sys_auto_close(&health->pipe);
	if (!member_lives(member) || health->timer < 0)
		return;
	if (!health->is_void) {
		health->said = health->heard;
		if (err) {
			char text[ERROR_FRAMES * ERROR_TEXT];

			add_words(&health->said, text, error_print(err, text, sizeof(text)));
		}
		health->exit_code = exit_code;
		health->checked_ns = sys_wall_clock_ns();
		judge(member);
	}
	wait_for_next(member);
}

void health_take_end(struct visit *visit, int exit_code, const struct error *err)
{
	take_end(visit->member, visit->is_late ? EXIT_LATE : exit_code, visit->is_late ? NULL : err);
}

static int open_streams(struct health *health, int streams[3])
{
	int ends[2], rc = streams[0] = sys_open("/dev/null", O_RDONLY, 0);

	if (rc >= 0)
		rc = sys_pipe(ends);
	if (rc < 0)
		return rc;
	health->pipe = ends[0];
	streams[1] = streams[2] = ends[1];
	return sys_set_nonblocking(ends[0]);
}

static void begin(struct keeper *keeper, struct member *member)
{
	struct health *health = member->health;
	struct error err = { 0 };
	int streams[3] = { -1, -1, -1 }, exit_code = 125;
	int rc = open_streams(health, streams);

	health->is_due = health->is_void = false;
	health->is_checking = true;
	health->heard.used = 0;
	if (rc < 0)
		error_set(&err, -rc, "preparing a health check");
	else
		rc = visit_check(keeper, member, streams, &exit_code, &err);
	if (streams[0] >= 0)
		sys_close(streams[0]);
	if (streams[1] >= 0)
		sys_close(streams[1]);
	if (rc < 0)
		take_end(member, exit_code, &err);
}

/* ---- who wants to know ---- */

void health_answer(struct client *client, const struct member *member)
{
	const struct health *health = member->health;
	struct error err = { 0 };

	if (!health) {
		error_mistake(&err, "%s has no health check", member->name);
		error_remedy(&err, "E-HEALTH-NONE", "start it with --health COMMAND");
	} else if (!member_lives(member)) {
		error_mistake(&err, "%s has ended", member->name);
		err.errnum = ESRCH;
	} else if (health->status == HEALTH_BAD) {
		error_mistake(&err, "%s is unhealthy: %llu checks have failed, the last with exit code %d", member->name,
			      (unsigned long long)health->failures, health->exit_code);
		err.errnum = EAGAIN;
	} else {
		if (health->status == HEALTH_GOOD)
			answer_ok(client);
		return;
	}
	answer_error(client, &err, err.errnum == EAGAIN ? EXIT_UNHEALTHY : 125);
}

static void tell_waiting(const struct keeper *keeper, struct member *member)
{
	member->health->has_news = false;
	for (unsigned i = 0; i < keeper->clients.count; i++) {
		struct client *client = keeper->clients.client[i];

		if (!client->is_over && client->talk == TALK_WAITING && client->subject == member && client->question == PACKET_HEALTHY)
			health_answer(client, member);
	}
}

void health_go_on(struct keeper *keeper)
{
	for (struct member *member = keeper->members; member; member = member->next) {
		struct health *health = member->health;

		if (health && health->is_due && !health->is_checking && member->state == MEMBER_RUNNING)
			begin(keeper, member);
		if (health && (health->has_news || member->is_end_told))
			tell_waiting(keeper, member);
	}
}

void health_print(const struct member *member, struct text *out)
{
	const struct health *health = member->health;
	char stamp[LOG_STAMP + 1];

	if (!health)
		return;
	text_add(out, ", \"health\": \"%s\", \"health_checks\": %llu, \"health_failures\": %llu", health_name(health->status),
		 (unsigned long long)health->checks, (unsigned long long)health->failures);
	if (!health->checked_ns)
		return;
	log_print_time(health->checked_ns, stamp);
	text_add(out, ", \"health_exit_code\": %d, \"health_checked\": \"%s\"", health->exit_code, stamp);
}

void health_print_words(const struct member *member, struct text *out)
{
	char bytes[HEALTH_TEXT + 1];

	if (!member->health || !member->health->checked_ns)
		return;
	memcpy(bytes, member->health->said.bytes, member->health->said.used);
	bytes[member->health->said.used] = '\0';
	for (size_t i = 0; i < member->health->said.used; i++)
		if (!bytes[i])
			bytes[i] = '?';
	text_add(out, "\"health_output\": ");
	json_add_string(out, bytes);
	text_add(out, ",\n");
}
