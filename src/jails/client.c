/* SPDX-License-Identifier: Apache-2.0 */
/* Talking to a keeper. */
#include "jails/client.h"

#include <errno.h>
#include <string.h>

#include "sys/file.h"

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

int keeper_call(int folder, struct error *err)
{
	const struct packet_hello hello = { .version = PACKET_VERSION };
	auto_close int socket = sys_connect(folder, "socket");
	int rc = socket < 0 ? socket : packet_send(socket, &(struct packet_parts){ .type = PACKET_HELLO, .fixed = &hello });

	return rc < 0 ? error_set(err, -rc, "connecting to the keeper") : take_fd(&socket);
}

int keeper_greeted(int socket, struct packet *reply, struct error *err)
{
	int rc = keeper_listen(socket, reply, err);

	if (rc < 0 || reply->type == PACKET_OK)
		return rc;
	packet_close_descriptors(reply);
	return error_set(err, EPROTO, "greeting the keeper");
}

int keeper_connect(int folder, struct error *err)
{
	auto_close int socket = keeper_call(folder, err);
	auto_free struct packet *reply = calloc(1, sizeof(*reply));
	int rc;

	if (socket < 0)
		return socket;
	rc = reply ? keeper_greeted(socket, reply, err) : error_set(err, ENOMEM, "connecting to the keeper");
	return rc < 0 ? rc : take_fd(&socket);
}
