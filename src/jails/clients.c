/* SPDX-License-Identifier: Apache-2.0 */
/* The table of clients, what waits for each, and the flow of output to those that are attached. */
#include "jails/clients.h"

#include <errno.h>
#include <string.h>

#include "sys/file.h"

struct letter {
	struct letter *next;
	enum packet_type type;
	size_t tail_size;
	unsigned fd_count;
	int fds[SYS_PACKET_DESCRIPTORS];
	char bytes[];           /* the fixed part, and the tail */
};

/* So that one who reads as fast as a jail writes does not keep the others from their turn. */
enum { PACKETS_IN_A_TURN = 8 };

void clients_open(struct clients *clients, int listener, uid_t uid)
{
	clients->listener = listener;
	clients->uid = uid;
	clients->count = 0;
	clients->is_short = false;
}

/* A full table leaves those outside at the door; where there is no descriptor for the next, asking for events would go in circles. */
unsigned clients_poll(const struct clients *clients, struct pollfd *fds)
{
	fds[0] = (struct pollfd){ .fd = clients->listener, .events = clients->count < CLIENTS && !clients->is_short ? POLLIN : 0 };
	for (unsigned i = 0; i < clients->count; i++) {
		const struct client *client = clients->client[i];

		fds[1 + i] = (struct pollfd){ .fd = client->socket,
					      .events = (short)((client->is_held ? 0 : POLLIN) | (client_is_behind(client) ? POLLOUT : 0)) };
	}
	return 1 + clients->count;
}

static struct client *admit(const struct clients *clients, int socket)
{
	struct sys_peer peer;
	struct client *client;

	if (sys_peer(socket, &peer) < 0 || (peer.uid != clients->uid && peer.uid != 0))
		return NULL;
	client = calloc(1, sizeof(*client));
	if (!client)
		return NULL;
	client->socket = socket;
	client->peer = peer;
	client->last = &client->first;
	return client;
}

void clients_accept(struct clients *clients)
{
	while (clients->count < CLIENTS) {
		int socket = sys_accept(clients->listener);
		struct client *client = socket < 0 ? NULL : admit(clients, socket);

		clients->is_short = socket < 0 && socket != -EAGAIN;
		if (socket < 0)
			return;
		if (client)
			clients->client[clients->count++] = client;
		else
			sys_close(socket);
	}
}

static void free_letter(struct letter *letter)
{
	if (!letter)
		return;
	for (unsigned i = 0; i < letter->fd_count; i++)
		sys_close(letter->fds[i]);
	free(letter);
}

static void free_client(struct client *client)
{
	while (client->first) {
		struct letter *next = client->first->next;

		free_letter(client->first);
		client->first = next;
	}
	free_letter(client->farewell);
	sys_close(client->socket);
	free(client);
}

/* All are there while those that are over are told of: who is told looks at the others. */
void clients_sweep(struct clients *clients, void (*gone)(void *argument, struct client *client), void *argument)
{
	unsigned kept = 0;

	for (unsigned i = 0; gone && i < clients->count; i++)
		if (clients->client[i]->is_over)
			gone(argument, clients->client[i]);
	for (unsigned i = 0; i < clients->count; i++) {
		struct client *client = clients->client[i];

		if (client->is_over)
			free_client(client);
		else
			clients->client[kept++] = client;
	}
	if (kept < clients->count)
		clients->is_short = false; /* there is room again */
	clients->count = kept;
}

void clients_close(struct clients *clients)
{
	for (unsigned i = 0; i < clients->count; i++)
		free_client(clients->client[i]);
	clients->count = 0;
}

void client_drop(struct client *client)
{
	client->is_over = true;
}

bool client_is_behind(const struct client *client)
{
	return client->first || client->farewell || client->lost || client->is_leaving ||
	       (client->ring && client->at < client->ring->end);
}

int client_hear(struct client *client, struct packet *packet)
{
	int rc;

	if (client->is_over)
		return 0;
	rc = packet_receive(client->socket, true, packet);
	if (rc == -EAGAIN)
		return 0;
	if (rc > 0 && packet_is_permitted(packet->type, client->talk) && !client->is_leaving)
		return 1;
	if (rc > 0)
		packet_close_descriptors(packet);
	client_drop(client);
	return 0;
}

static struct letter *write_letter(const struct packet_parts *parts)
{
	const size_t fixed = packet_fixed(parts->type);
	struct letter *letter = malloc(sizeof(*letter) + fixed + parts->tail_size);

	if (!letter)
		return NULL;
	letter->next = NULL;
	letter->type = parts->type;
	letter->tail_size = parts->tail_size;
	letter->fd_count = 0;
	if (parts->fixed)
		memcpy(letter->bytes, parts->fixed, fixed);
	if (parts->tail_size)
		memcpy(letter->bytes + fixed, parts->tail, parts->tail_size);
	for (unsigned i = 0; i < parts->fd_count; i++) {
		int fd = sys_duplicate(parts->fds[i]);

		if (fd < 0) {
			free_letter(letter);
			return NULL;
		}
		letter->fds[letter->fd_count++] = fd;
	}
	return letter;
}

static int send_letter(const struct client *client, const struct letter *letter)
{
	const struct packet_parts parts = { .type = letter->type, .fixed = letter->bytes,
		.tail = letter->bytes + packet_fixed(letter->type), .tail_size = letter->tail_size,
		.fds = letter->fds, .fd_count = letter->fd_count };

	return packet_send(client->socket, &parts);
}

void client_greet(struct client *client)
{
	if (!client->greeted_ns)
		return;
	client->greeted_ns = 0;
	client_post(client, &(struct packet_parts){ .type = PACKET_OK });
}

void client_post(struct client *client, const struct packet_parts *parts)
{
	struct letter *letter;
	int rc;

	client_greet(client);
	rc = client->is_over ? 0 : client->first ? -EAGAIN : packet_send(client->socket, parts);
	if (rc != -EAGAIN) {
		if (rc < 0)
			client_drop(client);
		return;
	}
	letter = client->waiting < CLIENT_LETTERS ? write_letter(parts) : NULL;
	if (!letter) {
		client_drop(client);
		return;
	}
	*client->last = letter;
	client->last = &letter->next;
	client->waiting++;
}

void client_part(struct client *client, const struct packet_parts *parts)
{
	client_greet(client);
	if (client->is_over)
		return;
	free_letter(client->farewell);
	client->farewell = write_letter(parts);
	if (!client->farewell)
		client_drop(client);
	else
		client_flush(client);
}

/* 0; -EAGAIN: it has no room; otherwise it is gone. */
static int send_letters(struct client *client)
{
	while (client->first) {
		struct letter *letter = client->first;
		int rc = send_letter(client, letter);

		if (rc < 0)
			return rc;
		client->first = letter->next;
		if (!client->first)
			client->last = &client->first;
		client->waiting--;
		free_letter(letter);
	}
	return 0;
}

static int tell_loss(struct client *client)
{
	const struct packet_lost lost = { client->lost };
	int rc = packet_send(client->socket, &(struct packet_parts){ .type = PACKET_LOST, .fixed = &lost });

	if (rc == 0)
		client->lost = 0;
	return rc;
}

/* -EAGAIN as well when its turn is over. */
static int send_output(struct client *client)
{
	for (int i = 0; i < PACKETS_IN_A_TURN; i++) {
		const char *piece;
		unsigned stream;
		size_t size = client->ring ? ring_read(client->ring, &client->at, &client->lost, &piece, &stream) : 0;
		struct packet_output output;
		int rc = client->lost ? tell_loss(client) : 0;

		if (rc < 0 || !size)
			return rc;
		if (size > PACKET_ROOM - sizeof(output))
			size = PACKET_ROOM - sizeof(output);
		output.stream = stream;
		rc = packet_send(client->socket, &(struct packet_parts){ .type = PACKET_OUTPUT, .fixed = &output, .tail = piece,
									 .tail_size = size });
		if (rc < 0)
			return rc;
		client->at += size;
	}
	return -EAGAIN;
}

static int say_farewell(struct client *client)
{
	int rc = client->farewell ? send_letter(client, client->farewell) : 0;

	if (rc < 0 || !client->farewell)
		return rc;
	free_letter(client->farewell);
	client->farewell = NULL;
	client->ring = NULL;
	client->subject = NULL;
	client->talk = TALK_READY;
	return 0;
}

void client_flush(struct client *client)
{
	int rc = client->is_over ? -EPIPE : send_letters(client);

	if (rc == 0)
		rc = send_output(client);
	if (rc == 0)
		rc = say_farewell(client);
	if ((rc < 0 && rc != -EAGAIN) || (rc == 0 && client->is_leaving))
		client_drop(client);
}
