/* SPDX-License-Identifier: Apache-2.0 */
/* Talking to a keeper. */
#include "jails/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "jails/lock.h"
#include "jails/state.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/socket.h"

int keeper_listen(int socket, struct packet *packet, struct error *err)
{
	char text[ERROR_TEXT];
	size_t size;
	const char *tail;
	int rc = packet_receive(socket, false, packet);

	if (rc <= 0)
		return error_set(err, rc < 0 ? -rc : EPIPE, "listening to the keeper");
	if (packet->type != PACKET_ERROR)
		return 0;
	tail = packet_tail(packet, &size);
	if (size >= sizeof(text))
		size = sizeof(text) - 1;
	memcpy(text, tail, size);
	text[size] = '\0';
	rc = packet->error.errnum > 0 ? packet->error.errnum : EPROTO;
	error_mistake(err, "%s", text); /* its own words are in the text */
	if (err)
		err->errnum = rc;
	return -rc;
}

int keeper_ask(int socket, const struct packet_parts *question, struct packet *reply, struct error *err)
{
	int rc = packet_send(socket, question);

	return rc < 0 ? error_set(err, -rc, "asking the keeper") : keeper_listen(socket, reply, err);
}

/* It waits for a processor, or for a disk, and not for somebody to let it go on. proc_pid_stat(5) */
static bool is_busy(pid_t pid)
{
	char path[32], text[512] = "";
	const char *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (sys_read_file(path, text, sizeof(text)) <= 0)
		return false;
	state = strrchr(text, ')');
	return state && (strncmp(state, ") R", 3) == 0 || strncmp(state, ") D", 3) == 0);
}

/* The peer of a connection is who listens: the keeper, or, until that has begun, whoever starts it. unix(7), SO_PEERCRED */
static int await(int socket, int patience_ms, struct error *err)
{
	struct pollfd talk = { .fd = socket, .events = POLLIN };
	struct sys_peer peer = { 0 };
	int waited_ms = 0, rc;

	do {
		rc = sys_wait_ready(&talk, 1, patience_ms);
		waited_ms += patience_ms;
	} while (rc == 0 && waited_ms < KEEPER_PATIENCE_MS && sys_peer(socket, &peer) == 0 && is_busy(peer.pid));
	if (rc > 0)
		return 0;
	rc = error_set(err, rc < 0 ? -rc : ETIMEDOUT, "waiting for the keeper's answer");
	if (rc == -ETIMEDOUT && sys_peer(socket, &peer) == 0)
		error_remedy(err, "E-KEEPER-SILENT", "see whether process %d is stopped: kill -CONT %d; or kill -KILL %d, and then immure gc",
			     (int)peer.pid, (int)peer.pid, (int)peer.pid);
	return rc;
}

int keeper_look(int socket, const struct packet_parts *question, struct packet *reply, struct error *err)
{
	int rc = packet_send(socket, question);

	if (rc < 0)
		return error_set(err, -rc, "asking the keeper");
	rc = await(socket, KEEPER_LOOK_MS, err);
	return rc < 0 ? rc : keeper_listen(socket, reply, err);
}

/* By PATH a stranger may be met, whose folders lie on the way; FOLDER is known to be the user's own. */
static int call(int folder, const char *path)
{
	auto_close int socket = *path ? sys_connect_path(path, KEEPER_PATIENCE_MS) : -ENOENT;
	struct sys_peer peer;

	if (socket >= 0 && sys_peer(socket, &peer) == 0 && peer.uid == sys_effective_user())
		return take_fd(&socket);
	return socket >= 0 || socket == -ENOENT || socket == -ENAMETOOLONG ? sys_connect(folder, STATE_SOCKET, KEEPER_PATIENCE_MS) : socket;
}

int keeper_call(int folder, const char *path, struct error *err)
{
	int socket = call(folder, path);

	return socket < 0 ? error_set(err, -socket, "connecting to the keeper") : socket;
}

int keeper_greet(int socket, int folder)
{
	const struct packet_hello hello = { .version = PACKET_VERSION };
	auto_close int lock = open_pod_lock(folder, 0);

	if (lock < 0)
		return lock;
	return packet_send(socket, &(struct packet_parts){ .type = PACKET_HELLO, .fixed = &hello, .fds = &lock, .fd_count = 1 });
}

int keeper_greeted(int socket, int patience_ms, struct packet *reply, struct error *err)
{
	int rc = await(socket, patience_ms, err);

	if (rc == 0)
		rc = keeper_listen(socket, reply, err);
	if (rc < 0 || reply->type == PACKET_OK)
		return rc;
	packet_close_descriptors(reply);
	return error_set(err, EPROTO, "greeting the keeper");
}

int keeper_connect(int folder, int patience_ms, struct error *err)
{
	auto_close int socket = keeper_call(folder, "", err);
	auto_free struct packet *reply = calloc(1, sizeof(*reply));
	int rc;

	if (socket < 0)
		return socket;
	rc = keeper_greet(socket, folder);
	if (rc < 0)
		return error_set(err, -rc, "greeting the keeper");
	rc = reply ? keeper_greeted(socket, patience_ms, reply, err) : error_set(err, ENOMEM, "connecting to the keeper");
	return rc < 0 ? rc : take_fd(&socket);
}
