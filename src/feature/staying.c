/* SPDX-License-Identifier: Apache-2.0 */
/* Jails that stay: a name, a keeper instead of the caller, and what becomes of what they write. */
#include <errno.h>

#include "base/command.h"
#include "base/signal_name.h"
#include "feature/feature.h"

static const struct field fields[] = {
	{ .key = "name", .type = FIELD_NAME, FIELD(name), .example = "web", .since = "0.1", .is_hidden_in_files = true,
	  .help = "the jail has this name, by which exec, logs, stop and the like find it; it goes on when who started it leaves",
	  .detail = "1 to 63 letters, digits, \"_\", \".\" and \"-\", the first a letter or a digit; it must not be taken. A jail with a name "
		    "is run by a keeper, a process of its own; without --detach the caller is attached to it until the program ends, "
		    "and the exit code is the program's. What has ended stays listed until immure rm, or goes at once with --rm." },
	{ .key = "detach", .letter = 'd', .type = FIELD_FLAG, FIELD(is_detached), .since = "0.1", .is_hidden_in_files = true,
	  .help = "print the jail's name and leave as soon as the program runs; the jail stays",
	  .detail = "Without --name a name is made up. What the program writes is kept: immure logs, immure attach." },
	{ .key = "rm", .type = FIELD_FLAG, FIELD(goes_at_end), .since = "0.1", .is_hidden_in_files = true,
	  .help = "a jail that stays is removed, with its log, as soon as it has ended" },
	{ .key = "interactive", .letter = 'i', .type = FIELD_FLAG, FIELD(keeps_input), .since = "0.1", .is_hidden_in_files = true,
	  .help = "with --detach and without a terminal: the program's input stays open, for who attaches; without it, it is empty" },
	{ .key = "pod", .type = FIELD_NAME, FIELD(pod), .example = "lab", .since = "0.1", .is_hidden_in_files = true,
	  .help = "the jail that stays becomes a member of this pod, see immure pod" },
	{ .key = "log-size", .type = FIELD_SIZE, FIELD(log_bytes), .fallback = "1M", .example = "64K", .since = "0.1",
	  .help = "of a jail that stays: how much of what it writes is kept; twice as much at most; none: no log" },
	{ .key = "stop-signal", .type = FIELD_NAME, FIELD(stop_signal), .fallback = "SIGTERM", .example = "SIGINT", .since = "0.1",
	  .help = "of a jail that stays: by which signal immure stop asks the program to end" },
	{ .key = "health", .type = FIELD_NAME, FIELD(health), .metavar = "COMMAND", .example = "curl -fs localhost:8080", .since = "0.1",
	  .help = "of a jail that stays: this command, run inside as by exec, tells by its exit code 0 that the jail is well",
	  .detail = "The words may be quoted as for a shell, but no shell reads them, for a jail need not have one: sh -c '...' where it is "
		    "wanted. The first check begins with the program, the next one always after the last has ended, and none in a "
		    "jail that is paused. immure ps, inspect and events tell how the jail is: starting, healthy or unhealthy; immure "
		    "wait --healthy waits for it. Nothing else follows from it." },
	{ .key = "health-interval", .type = FIELD_DURATION, FIELD(health_interval_ns), .fallback = "30s", .example = "5s", .since = "0.1",
	  .help = "the time between the end of one health check and the next" },
	{ .key = "health-timeout", .type = FIELD_DURATION, FIELD(health_timeout_ns), .fallback = "30s", .example = "2s", .since = "0.1",
	  .help = "a health check that takes longer is killed, and has failed" },
	{ .key = "health-retries", .type = FIELD_COUNT, FIELD(health_retries), .fallback = "3", .example = "1", .since = "0.1",
	  .help = "so many health checks must fail one after the other until the jail is unhealthy" },
	{ .key = "health-start", .type = FIELD_DURATION, FIELD(health_start_ns), .fallback = "30s", .example = "2m", .since = "0.1",
	  .help = "until a health check succeeds, but no longer than this, there is one each second and none counts as failed; none: at once" },
	{ 0 },
};

/* What is the caller's own cannot be had from a keeper. */
static const char *needs_caller(const struct spec *spec, const struct origin **origin)
{
	const struct {
		bool is_wanted;
		size_t offset;
		const char *what;
	} rows[] = {
		{ spec->lifetime == LIFETIME_OWN, offsetof(struct spec, lifetime), "--lifetime own: the keeper is its launcher, and it never leaves" },
		{ spec->dies_with_parent, offsetof(struct spec, dies_with_parent), "--die-with-parent: it does not depend on who started it" },
		{ spec->keep_fds, offsetof(struct spec, keep_fds), "--keep-fd: descriptors of the caller's stay with the caller" },
		{ spec->hold_fds, offsetof(struct spec, hold_fds), "--hold-fd: the number would be that of one of the keeper's" },
		{ spec->info_fd, offsetof(struct spec, info_fd), "--info-fd: immure inspect tells of its processes" },
		{ spec->status_fd, offsetof(struct spec, status_fd), "--status-fd: immure inspect tells of its processes" },
		{ spec->block_fd, offsetof(struct spec, block_fd), "--block-fd: the number would be that of one of the keeper's" },
		{ spec->maps_fd, offsetof(struct spec, maps_fd), "--maps-fd: the number would be that of one of the keeper's" },
		{ spec->result_path, offsetof(struct spec, result_path), "--result: immure inspect tells how it ended" },
		{ spec->meta_path, offsetof(struct spec, meta_path), "--meta: immure inspect tells how it ended" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		*origin = spec_origin(spec, rows[i].offset);
		if (rows[i].is_wanted)
			return rows[i].what;
	}
	return NULL;
}

/* A time that never comes, or a limit that is none, would be a check that is never made or never ends. */
static int check_health(const struct spec *spec, struct error *err)
{
	const struct {
		uint64_t value;
		size_t offset;
		const char *key;
	} rows[] = {
		{ spec->health_interval_ns, offsetof(struct spec, health_interval_ns), "health-interval" },
		{ spec->health_timeout_ns, offsetof(struct spec, health_timeout_ns), "health-timeout" },
		{ spec->health_retries, offsetof(struct spec, health_retries), "health-retries" },
	};
	auto_arena struct arena arena = { 0 };
	char where[ORIGIN_TEXT], **argv;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].value && rows[i].value != NUMBER_NONE)
			continue;
		error_mistake(err, "%s must be more than 0, and not none", rows[i].key);
		return error_while(err, "%s", origin_print(spec_origin(spec, rows[i].offset), where));
	}
	if (!spec->health || command_split(&arena, spec->health, &argv, err) == 0)
		return 0;
	return error_while(err, "%s", origin_print(SPEC_ORIGIN(spec, health), where));
}

static int check(const struct spec *spec, const struct host *host, struct error *err)
{
	const struct origin *origin;
	const char *what = host->has_keeper ? needs_caller(spec, &origin) : NULL;
	char where[ORIGIN_TEXT];

	if (signal_number(spec->stop_signal) <= 0)
		return error_mistake(err, "%s: \"%s\" is no signal", origin_print(SPEC_ORIGIN(spec, stop_signal), where), spec->stop_signal);
	if (check_health(spec, err) < 0)
		return -EINVAL;
	if (!what)
		return 0;
	error_mistake(err, "a jail that stays cannot have %s", what);
	error_while(err, "%s", origin_print(origin, where));
	return -EINVAL;
}

const struct feature feature_staying = { .name = "staying", .title = "Jails that stay", .fields = fields, .check = check };
