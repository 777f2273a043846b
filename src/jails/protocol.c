/* SPDX-License-Identifier: Apache-2.0 */
/* The table of packets, and the checks that follow from it. */
#include "jails/protocol.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "feature/pod.h"
#include "sys/file.h"

enum { READY = 1 << TALK_READY, ATTACHED = 1 << TALK_ATTACHED, VISITING = 1 << TALK_VISITING, BOTH = READY | ATTACHED };
enum { HEADER = 8, HELLO_DESCRIPTORS = 1, RUN_DESCRIPTORS = 1, EXEC_DESCRIPTORS = 4 };

struct row {
	const char *name;
	bool is_client;       /* said by clients; otherwise by the keeper */
	bool has_name;        /* begins with a member's name */
	uint16_t fixed, tail; /* bytes: exactly, at most */
	uint8_t least_fds, most_fds;
	uint8_t talks;        /* a bit for each state in which a client may say it */
	uint32_t flags;       /* which it may set; 0: it has none */
};

#define TAIL_AFTER(type) (PACKET_ROOM - sizeof(struct type))

static const struct row rows[PACKETS] = {
	[PACKET_HELLO] = { "hello", true, false, sizeof(struct packet_hello), 0, 0, HELLO_DESCRIPTORS, 1 << TALK_NEW },
	[PACKET_RUN] = { "run", true, true, sizeof(struct packet_run), 0, RUN_DESCRIPTORS, RUN_DESCRIPTORS, READY,
			 RUN_FLAGS },
	[PACKET_EXEC] = { "exec", true, true, sizeof(struct packet_exec), PACKET_EXEC_TAIL, 0, EXEC_DESCRIPTORS, READY, EXEC_FLAGS },
	[PACKET_STATUS] = { "status", true, true, sizeof(struct packet_name), 0, 0, 0, READY },
	[PACKET_ATTACH] = { "attach", true, true, sizeof(struct packet_attach), 0, 0, 0, READY, ATTACH_FLAGS },
	/* on their way while the jail ended, they are no mistake: they mean nothing then */
	[PACKET_INPUT] = { "input", true, false, 0, PACKET_ROOM, 0, 0, BOTH },
	[PACKET_RESIZE] = { "resize", true, false, sizeof(struct packet_resize), 0, 0, 0, BOTH },
	[PACKET_DETACH] = { "detach", true, false, 0, 0, 0, 0, BOTH },
	[PACKET_SIGNAL] = { "signal", true, true, sizeof(struct packet_signal), 0, 0, 0, READY | VISITING },
	[PACKET_STOP] = { "stop", true, true, sizeof(struct packet_stop), 0, 0, 0, READY, STOP_POD },
	[PACKET_KILL] = { "kill", true, true, sizeof(struct packet_name), 0, 0, 0, READY },
	[PACKET_PAUSE] = { "pause", true, true, sizeof(struct packet_name), 0, 0, 0, READY },
	[PACKET_RESUME] = { "resume", true, true, sizeof(struct packet_name), 0, 0, 0, READY },
	[PACKET_WAIT] = { "wait", true, true, sizeof(struct packet_name), 0, 0, 0, READY },
	[PACKET_REMOVE] = { "remove", true, true, sizeof(struct packet_remove), 0, 0, 0, READY, REMOVE_FLAGS },
	[PACKET_EVENTS] = { "events", true, false, 0, 0, 0, 0, READY },
	[PACKET_OPEN] = { "open", true, true, sizeof(struct packet_open), 4096, 0, 0, READY, ~0u },
	[PACKET_INSPECT] = { "inspect", true, true, sizeof(struct packet_name), 0, 0, 0, READY },
	[PACKET_SHARE] = { "share", true, true, sizeof(struct packet_share), 0, RUN_DESCRIPTORS, RUN_DESCRIPTORS, READY, SHARE_ALL },
	[PACKET_LIST] = { "list", true, false, 0, 0, 0, 0, READY },
	[PACKET_HEALTHY] = { "healthy", true, true, sizeof(struct packet_name), 0, 0, 0, READY },

	[PACKET_OK] = { "ok" },
	[PACKET_ERROR] = { "error", .fixed = sizeof(struct packet_error), .tail = 4096 },
	[PACKET_STARTED] = { "started", .fixed = sizeof(struct packet_started) },
	[PACKET_ENDED] = { "ended", .fixed = sizeof(struct packet_ended) },
	[PACKET_OUTPUT] = { "output", .fixed = sizeof(struct packet_output), .tail = TAIL_AFTER(packet_output) },
	[PACKET_LOST] = { "lost", .fixed = sizeof(struct packet_lost) },
	[PACKET_DESCRIPTOR] = { "descriptor", .least_fds = 1, .most_fds = SYS_PACKET_DESCRIPTORS },
	[PACKET_STATE] = { "state", .tail = PACKET_ROOM },
	[PACKET_EVENT] = { "event", .tail = PACKET_ROOM },
};

/* Holes would carry whatever the stack held. */
_Static_assert(sizeof(struct packet_run) == PACKET_NAME + 24 && sizeof(struct packet_exec) == PACKET_NAME + 16 &&
	       sizeof(struct packet_attach) == PACKET_NAME + 8 && sizeof(struct packet_error) == 16 + PACKET_IDENTIFIER &&
	       offsetof(struct packet, bytes) == HEADER, "a packet has holes");

size_t packet_fixed(enum packet_type type)
{
	return rows[type].fixed;
}

const char *packet_tail(const struct packet *packet, size_t *size)
{
	*size = packet->size - rows[packet->type].fixed;
	return packet->bytes + rows[packet->type].fixed;
}

const char *packet_type_name(enum packet_type type)
{
	return rows[type].name;
}

bool packet_is_permitted(enum packet_type type, enum talk state)
{
	return rows[type].talks >> state & 1;
}

static bool is_terminated(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

int packet_check(const struct packet *packet, size_t got, bool is_from_client)
{
	const struct row *row;

	if (got < HEADER || packet->type >= PACKETS || packet->size != got - HEADER)
		return -EBADMSG;
	row = &rows[packet->type];
	if (row->is_client != is_from_client || packet->fd_count < row->least_fds || packet->fd_count > row->most_fds)
		return -EBADMSG;
	if (packet->size < row->fixed || packet->size > (size_t)row->fixed + row->tail)
		return -EBADMSG;
	if (row->has_name && !is_terminated(packet->name.name, PACKET_NAME))
		return -EBADMSG;
	if (row->flags && packet->flags.flags & ~row->flags)
		return -EBADMSG;
	if (packet->type == PACKET_ERROR && !is_terminated(packet->error.identifier, PACKET_IDENTIFIER))
		return -EBADMSG;
	return 0;
}

void packet_close_descriptors(struct packet *packet)
{
	for (unsigned i = 0; i < packet->fd_count; i++)
		if (packet->fds[i] >= 0)
			sys_close(packet->fds[i]);
	packet->fd_count = 0;
}

int packet_next(int socket)
{
	uint32_t type;
	int rc = sys_peek(socket, &type, sizeof(type));

	return rc < 0 ? rc : (int)type;
}

int packet_receive(int socket, bool is_from_client, struct packet *packet)
{
	struct iovec part = { packet, HEADER + PACKET_ROOM };
	ssize_t got = sys_receive_packet(socket, &part, 1, packet->fds, &packet->fd_count);
	int rc;

	if (got < 0)
		return (int)got;
	/* An empty packet looks like the end; it is no lawful one either way. */
	if (got == 0) {
		packet_close_descriptors(packet);
		return 0;
	}
	rc = packet_check(packet, (size_t)got, is_from_client);
	if (rc < 0)
		packet_close_descriptors(packet);
	return rc < 0 ? rc : 1;
}

int packet_send(int socket, const struct packet_parts *parts)
{
	const size_t fixed = rows[parts->type].fixed;
	const uint32_t header[2] = { parts->type, (uint32_t)(fixed + parts->tail_size) };
	const struct iovec pieces[SYS_PACKET_PARTS] = {
		{ (void *)header, sizeof(header) }, { (void *)parts->fixed, fixed }, { (void *)parts->tail, parts->tail_size },
	};

	if (parts->tail_size > rows[parts->type].tail)
		return -EMSGSIZE;
	return sys_send_packet(socket, pieces, SYS_PACKET_PARTS, parts->fds, parts->fd_count);
}
