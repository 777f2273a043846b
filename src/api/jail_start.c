/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a jail that stays: the spec is resolved here and travels to the keeper of its pod as words. A jail by itself is a pod of
 * its own name, with a keeper that is started for it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/jail.h"
#include "base/signal_name.h"
#include "feature/words.h"
#include "sys/append.h"
#include "sys/file.h"
#include "sys/machine.h"
#include "sys/process.h"
#include "sys/socket.h"
#include "sys/terminal.h"

enum { NAMES_TRIED = 16, BURIAL_TURNS = 500, BURIAL_TURN_MS = 20 };

int write_words(struct immure_spec *spec, struct error *err)
{
	auto_text struct text text = { 0 };
	auto_close int fd = -1;
	int rc = resolve(spec, err);

	if (rc == 0)
		rc = spec_write_words(&spec->spec, &text, err);
	if (rc < 0)
		return rc;
	fd = sys_memory_file("immure-spec");
	rc = fd < 0 ? fd : sys_write_all(fd, text.bytes, text.used);
	return rc < 0 ? error_set(err, -rc, "writing the spec") : take_fd(&fd);
}

int start_keeper(const struct state *state, const char *pod, bool needs_full, struct error *err)
{
	auto_pod_place struct pod_place place = { -1, -1, -1 };
	auto_close int listener = -1; /* open here, it would take in whoever asks a keeper that is dead */
	struct keeper_start start = { .pod = pod, .needs_full = needs_full };
	int rc = pod_reserve(state, pod, &place, err);

	if (rc < 0)
		return rc;
	listener = sys_listen(place.folder, STATE_SOCKET);
	start.listener = listener;
	start.lock = place.lock;
	start.folder = place.folder;
	rc = listener < 0 ? error_set(err, -listener, "making the keeper's socket") : keeper_start(&start, err);
	if (listener == -ENOENT) /* its folder is there, but has its name through /proc */
		error_remedy(err, "E-PROC-MISSING", "immure needs the host's /proc");
	if (rc < 0)
		(void)!pod_remove(state, pod, place.lock, NULL);
	return rc < 0 ? rc : take_fd(&place.folder);
}

/* Whom it bore holds its lock until he is dead as well. */
int bury_keeper(const struct state *state, const char *pod, int rc, struct immure_error *out)
{
	struct error err = { 0 };
	int removed = -EBUSY;

	if (rc != -EPIPE && rc != -ECONNREFUSED && rc != -ECONNRESET && rc != -ESRCH)
		return rc;
	for (int turn = 0; turn < BURIAL_TURNS && removed == -EBUSY; turn++) {
		removed = pod_remove(state, pod, -1, NULL);
		if (removed == -EBUSY)
			(void)!sys_wait_ready(NULL, 0, BURIAL_TURN_MS);
	}
	if (removed == -EBUSY)
		return rc;
	error_mistake(&err, "starting %s: its keeper was killed", pod);
	err.errnum = ECHILD;
	return tell(out, &err, -ECHILD, 125);
}

/* Its keeper takes the name for the jail. */
static int join_pod(struct immure_jail *jail, struct error *err)
{
	jail->folder = pod_open(&jail->state, jail->pod, NULL);
	if (jail->folder == -ENOENT) {
		error_mistake(err, "there is no pod \"%s\"", jail->pod);
		error_remedy(err, "E-JAIL-UNKNOWN", "immure pod create %s makes it; immure pod ps lists them", jail->pod);
		return -ENOENT;
	}
	return jail->folder < 0 ? error_set(err, -jail->folder, "looking for the pod %s", jail->pod) : 0;
}

/* Its name is taken by this: that given, or one that nobody has. */
static int reserve(struct immure_jail *jail, const struct spec *spec, bool needs_full, struct error *err)
{
	struct sys_machine machine;
	int rc = -EEXIST;

	for (int i = 0; rc == -EEXIST && i < (spec->name ? 1 : NAMES_TRIED); i++) {
		*err = (struct error){ 0 };
		sys_look_at_machine(&machine);
		if (spec->name && name_check(spec->name, err) < 0)
			return -EINVAL;
		if (spec->name)
			strcpy(jail->name, spec->name);
		else if (!jail->name[0] || i)
			name_make(machine.random + (uint64_t)i, jail->name);
		if (spec->pod && name_check(spec->pod, err) < 0)
			return -EINVAL;
		strcpy(jail->pod, spec->pod ? spec->pod : jail->name);
		rc = spec->pod ? join_pod(jail, err) : start_keeper(&jail->state, jail->pod, needs_full, err);
		if (rc >= 0 && !spec->pod)
			jail->folder = rc;
	}
	return rc < 0 ? rc : 0;
}

static void fill_request(struct packet_run *run, const struct immure_jail *jail, const struct spec *spec)
{
	uint16_t rows = 0, columns = 0;

	sys_get_window_size(0, &rows, &columns);
	*run = (struct packet_run){ .flags = (spec->keeps_input || !spec->is_detached ? RUN_INPUT : 0) | (spec->goes_at_end ? RUN_REMOVE : 0) |
			 (spec->is_detached ? 0 : RUN_ATTACH),
		.stop_signal = (uint32_t)signal_number(spec->stop_signal),
		.log_bytes = spec->log_bytes == NUMBER_NONE ? 0 : spec->log_bytes, .rows = rows, .columns = columns };
	fill_name(run->name, jail->name);
}

/* Asks the keeper. What it could not start is not there any more when it answers. */
static int run(struct immure_jail *jail, const struct spec *spec, int words, struct immure_error *out)
{
	struct packet_run request;
	struct error err = { 0 };
	int rc = jail_connect(jail, &err);

	if (rc < 0)
		return tell(out, &err, rc, 125);
	fill_request(&request, jail, spec);
	rc = jail_ask(jail, &(struct packet_parts){ .type = PACKET_RUN, .fixed = &request, .fds = &words, .fd_count = 1 }, out);
	if (rc < 0 || jail->packet.type == PACKET_STARTED)
		return rc;
	packet_close_descriptors(&jail->packet);
	return tell(out, &err, error_set(&err, EPROTO, "starting %s", jail->name), 125);
}

/* The small keeper cannot talk to systemd; where it says that, the full one is asked. */
static int start(struct immure_jail *jail, const struct spec *spec, int words, bool needs_full, struct immure_error *out)
{
	struct error err = { 0 };
	int rc = reserve(jail, spec, needs_full, &err);

	if (rc < 0)
		return tell(out, &err, rc, 125);
	rc = run(jail, spec, words, out);
	if (!spec->pod)
		rc = bury_keeper(&jail->state, jail->pod, rc, out);
	if (rc == -EEXIST && spec->pod && !spec->name) { /* made up, and taken meanwhile */
		sys_auto_close(&jail->talk);
		sys_auto_close(&jail->folder);
		return start(jail, spec, words, needs_full, out);
	}
	jail->has_terminal = spec->tty == TTY_YES || (spec->tty == TTY_AUTO && spec->caller.stdin_is_tty && !spec->is_detached);
	if (rc == 0 && !spec->is_detached)
		jail->use = USE_ATTACH;
	if (rc != -ENOTSUP || needs_full || spec->pod)
		return rc;
	sys_auto_close(&jail->talk);
	sys_auto_close(&jail->folder);
	return start(jail, spec, words, true, out);
}

int immure_start(struct immure_spec *spec, struct immure_jail **output, struct immure_error *out)
{
	struct immure_jail *jail = jail_new();
	struct error err = { 0 };
	auto_close int words = -1;
	int rc = 0;

	*output = NULL;
	if (!jail)
		return tell(out, &err, error_set(&err, ENOMEM, "starting"), 125);
	if (spec->is_foreign)
		rc = error_mistake(&err, "the facts are another machine's: it can be planned for, not run on");
	else if (!spec->spec.command)
		rc = error_mistake(&err, "there is no program to run");
	words = rc < 0 ? rc : write_words(spec, &err);
	rc = words < 0 ? words : open_state(&jail->state, &err);
	rc = rc < 0 ? tell(out, &err, rc, 125) : start(jail, &spec->spec, words, false, out);
	if (rc == 0)
		*output = jail;
	else
		immure_jail_close(jail);
	return rc;
}
