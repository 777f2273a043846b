/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a client sends: a packet that keeps the table's bounds, or none; reading what passed stays within it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jails/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_all(const struct packet *packet)
{
	size_t tail_size;
	const char *tail = packet_tail(packet, &tail_size);
	unsigned sum = 0;

	if (tail < packet->bytes || tail + tail_size > packet->bytes + PACKET_ROOM)
		abort();
	for (size_t i = 0; i < tail_size; i++)
		sum += (unsigned char)tail[i];
	if (packet_is_permitted(packet->type, TALK_READY) && packet_fixed(packet->type) >= PACKET_NAME)
		sum += (unsigned)strlen(packet->name.name);
	if (packet->type == PACKET_ERROR)
		sum += (unsigned)strlen(packet->error.identifier);
	if (!packet_type_name(packet->type) || sum > PACKET_ROOM * 256u)
		abort();
}

/* The first byte: who says it, and how many descriptors come along. On the heap, so that the sanitizer sees its end. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct packet *packet;

	if (!size || size - 1 > 8 + PACKET_ROOM)
		return 0;
	packet = calloc(1, sizeof(*packet));
	if (!packet)
		return 0;
	memcpy(packet, bytes + 1, size - 1);
	packet->fd_count = bytes[0] & 15;
	if (packet->fd_count <= SYS_PACKET_DESCRIPTORS && packet_check(packet, size - 1, bytes[0] >> 7) == 0)
		read_all(packet);
	free(packet);
	return 0;
}
