/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that a client executes in a jail that stays. The jail never gets the caller's terminal, since whoever has one can type into
 * it: in its place there are pipes, or a terminal of the jail's own, and what passes is relayed here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "api/jail.h"
#include "feature/words.h"
#include "jails/relay.h"
#include "sys/append.h"
#include "sys/file.h"
#include "sys/terminal.h"

/* What the program gets as 0, 1 and 2, and the other ends of what are pipes. */
struct streams {
	int given[3], opened[3]; /* opened: those of given that are not the caller's */
	unsigned relayed;        /* a bit each */
};

static void close_streams(struct streams *streams)
{
	for (int i = 0; i < 3; i++)
		sys_auto_close(&streams->opened[i]);
}

static int open_pipe(struct streams *streams, struct relay *relay, int fd)
{
	int ends[2], rc = sys_pipe(ends);

	if (rc < 0)
		return rc;
	relay->pipes[fd] = ends[fd == 0];
	streams->given[fd] = streams->opened[fd] = ends[fd != 0];
	streams->relayed |= 1u << fd;
	return 0;
}

static int open_streams(struct streams *streams, struct relay *relay, const struct immure_exec *exec)
{
	int rc = 0;

	*streams = (struct streams){ .given = { 0, 1, 2 }, .opened = { -1, -1, -1 } };
	for (int fd = 0; rc == 0 && fd < 3 && !exec->has_terminal; fd++) {
		const int is_terminal = sys_is_terminal(fd);

		if (is_terminal < 0 || (fd == 0 && !exec->has_input)) {
			rc = streams->given[fd] = streams->opened[fd] = sys_open("/dev/null", O_RDWR, 0);
			rc = rc < 0 ? rc : 0;
		} else if (is_terminal) {
			rc = open_pipe(streams, relay, fd);
		}
	}
	if (exec->has_terminal)
		streams->relayed = exec->has_input ? 3 : 2;
	return rc;
}

/* What "run" refuses is refused here as well. */
static int check_request(const struct immure_exec *exec, struct error *err)
{
	for (const char *const *item = exec->env; item && *item; item++)
		if (**item == '=')
			return error_mistake(err, "--env: \"%s\": a name must come before \"=\"", *item);
	if (exec->workdir && *exec->workdir != '/')
		return error_mistake(err, "--workdir: \"%s\": the place inside must be an absolute path", exec->workdir);
	return 0;
}

/* The request travels as a spec of which only the command, the variables, the place and the user matter. */
static int set_request(struct immure_spec *spec, const struct immure_exec *exec, struct immure_error *out)
{
	const struct {
		const char *key, *value;
	} words[] = { { "workdir", exec->workdir }, { "user", exec->user }, { "group", exec->group }, { "groups", exec->groups } };
	int rc = immure_spec_command(spec, exec->argv, out);

	for (const char *const *item = exec->env; rc == 0 && item && *item; item++)
		rc = immure_spec_set(spec, "env", *item, NULL, out);
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(words); i++)
		if (words[i].value)
			rc = immure_spec_set(spec, words[i].key, words[i].value, NULL, out);
	return rc;
}

static int write_request(const struct immure_exec *exec, struct immure_error *out)
{
	struct error err = { 0 };
	struct immure_spec *spec = check_request(exec, &err) < 0 ? NULL : immure_spec_new();
	auto_text struct text text = { 0 };
	auto_close int fd = -1;
	int rc = err.errnum ? tell(out, &err, -err.errnum, 125) : spec ? set_request(spec, exec, out) : tell(out, &err, error_set(&err, ENOMEM, "asking"), 125);

	if (rc < 0) {
		immure_spec_free(spec);
		return rc;
	}
	rc = resolve(spec, &err);
	if (rc == 0)
		rc = spec_write_words(&spec->spec, &text, &err);
	immure_spec_free(spec);
	fd = rc < 0 ? -1 : sys_memory_file("immure-exec");
	if (rc == 0)
		rc = fd < 0 ? fd : sys_write_all(fd, text.bytes, text.used);
	if (rc < 0 && !err.errnum)
		error_set(&err, -rc, "writing what is to be executed");
	return rc < 0 ? tell(out, &err, rc, 125) : take_fd(&fd);
}

/* What it takes to execute a program, in the way that it travels. */
struct request {
	int words;                /* the spec's words, in memory; -1: none */
	char *plain;              /* else the program and its own words, each with its end */
	size_t size;
};

/* One behind the other, each with its end; NULL: they are too many for a packet, or there is no memory. */
static char *join_words(char *const *argv, size_t *size)
{
	char *plain, *at;

	*size = 0;
	for (size_t i = 0; argv[i]; i++)
		*size += strlen(argv[i]) + 1;
	at = plain = *size <= PACKET_EXEC_TAIL ? malloc(*size) : NULL;
	for (size_t i = 0; plain && argv[i]; i++)
		at = stpcpy(at, argv[i]) + 1;
	return plain;
}

/* Who wishes nothing but a program needs no spec for that. */
static int make_request(struct request *request, const struct immure_exec *exec, struct immure_error *out)
{
	const bool is_plain = !exec->workdir && !exec->user && !exec->group && !exec->groups && !(exec->env && *exec->env) &&
			      !(exec->argv[0] && !*exec->argv[0]);

	request->plain = is_plain ? join_words(exec->argv, &request->size) : NULL;
	if (!request->plain)
		request->words = write_request(exec, out);
	return request->plain || request->words >= 0 ? 0 : request->words;
}

static void take_master(struct immure_jail *jail, struct relay *relay)
{
	if (jail->packet.type != PACKET_DESCRIPTOR || jail->packet.fd_count != 1)
		return;
	relay->master = jail->packet.fds[0];
	jail->packet.fd_count = 0;
}

/* Asks, and hears that it is executed, with its terminal first. */
static int begin(struct immure_jail *jail, struct relay *relay, const struct immure_exec *exec, const struct packet_parts *words,
		 const struct front *front, struct immure_error *out)
{
	struct packet_exec request = { .flags = exec->has_terminal ? EXEC_TERMINAL : 0, .rows = front->rows, .columns = front->columns };
	struct packet_parts parts = *words;
	struct error err = { 0 };
	int rc;

	fill_name(request.name, jail->name);
	parts.fixed = &request;
	rc = jail_ask(jail, &parts, out);
	if (rc < 0)
		return rc;
	take_master(jail, relay);
	packet_close_descriptors(&jail->packet);
	if (relay->master >= 0) {
		rc = keeper_listen(jail->talk, &jail->packet, &err);
		if (rc < 0)
			return tell_reply(out, &jail->packet, &err, rc);
	}
	if (jail->packet.type == PACKET_STARTED && (relay->master >= 0) == !!exec->has_terminal)
		return 0;
	return tell(out, &err, error_set(&err, EPROTO, "executing in %s", jail->name), 125);
}

static void tell_end(const struct relay *relay, const struct front *front, struct immure_end *end)
{
	*end = (struct immure_end){ .is_detached = !relay->has_ended && front->is_leaving,
				    .signal = relay->has_ended ? 0 : front->end_signal };
	if (relay->has_ended)
		end->exit_code = relay->end.exit_code;
}

static int serve(struct immure_jail *jail, struct relay *relay, struct front *front, struct immure_error *out)
{
	struct error err = { 0 };
	int rc;

	relay->talk = jail->talk;
	jail->packet.type = PACKETS;
	rc = relay_serve(relay, front, &jail->packet);
	jail->use = USE_NONE;
	if (rc < 0 && jail->packet.type != PACKET_ERROR)
		error_set(&err, -rc, "with a program in %s: the jail or its keeper has gone", jail->name);
	return tell_reply(out, &jail->packet, &err, rc);
}

static int execute(struct immure_jail *jail, struct relay *relay, struct front *front, const struct immure_exec *exec,
		   const struct request *request, struct streams *streams, struct immure_error *out)
{
	const int fds[] = { request->words, streams->given[0], streams->given[1], streams->given[2] };
	const unsigned first = request->plain ? 1 : 0, last = exec->has_terminal ? 1 : 4;
	const struct packet_parts parts = { .type = PACKET_EXEC, .tail = request->plain, .tail_size = request->plain ? request->size : 0,
					    .fds = fds + first, .fd_count = last - first };
	struct error err = { 0 };
	int rc = front_open(front, exec->has_terminal, streams->relayed);

	if (rc < 0)
		return tell(out, &err, error_set(&err, -rc, "reading signals"), 125);
	rc = begin(jail, relay, exec, &parts, front, out);
	close_streams(streams);
	if (rc == 0)
		rc = serve(jail, relay, front, out);
	front_close(front);
	return rc;
}

int immure_jail_exec(struct immure_jail *jail, const struct immure_exec *exec, struct immure_end *end, struct immure_error *out)
{
	struct relay relay = { .master = -1, .pipes = { -1, -1, -1 } };
	struct request request = { .words = -1 };
	struct front front;
	struct streams streams = { .opened = { -1, -1, -1 } };
	struct error err = { 0 };
	int rc;

	front_clear(&front);
	front.passes_signals = true;
	rc = front_read_keys(&front, exec->detach_keys, &err);
	if (rc == 0)
		rc = open_streams(&streams, &relay, exec);
	if (rc < 0 && !err.errnum)
		error_set(&err, -rc, "opening pipes");
	rc = rc < 0 ? tell(out, &err, rc, 125) : make_request(&request, exec, out);
	if (rc == 0)
		rc = execute(jail, &relay, &front, exec, &request, &streams, out);
	if (rc == 0)
		tell_end(&relay, &front, end);
	close_streams(&streams);
	sys_auto_close(&request.words);
	free(request.plain);
	sys_auto_close(&relay.master);
	for (int i = 0; i < 3; i++)
		sys_auto_close(&relay.pipes[i]);
	return rc;
}
