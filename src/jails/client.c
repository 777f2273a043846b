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

int keeper_connect(int folder, struct error *err)
{
	const struct packet_hello hello = { .version = PACKET_VERSION };
	auto_close int socket = sys_connect(folder, "socket");
	auto_free struct packet *reply = calloc(1, sizeof(*reply));
	int rc;

	if (socket < 0 || !reply)
		return error_set(err, socket < 0 ? -socket : ENOMEM, "connecting to the keeper");
	rc = keeper_ask(socket, &(struct packet_parts){ .type = PACKET_HELLO, .fixed = &hello }, reply, err);
	if (rc == 0 && reply->type != PACKET_OK) {
		packet_close_descriptors(reply);
		return error_set(err, EPROTO, "greeting the keeper");
	}
	return rc < 0 ? rc : take_fd(&socket);
}
