/* SPDX-License-Identifier: Apache-2.0 */
/* All that is known of a jail that stays. */
#include <errno.h>
#include <string.h>

#include "api/jail.h"
#include "jails/store.h"
#include "sys/append.h"
#include "sys/file.h"

enum { MOST = 64 << 20 };

static int read_descriptor(int fd, char **text, struct error *err)
{
	const int64_t size = sys_size(fd);
	auto_free char *bytes = size >= 0 && size <= MOST ? malloc((size_t)size + 1) : NULL;
	ssize_t got = bytes ? sys_read_at(fd, bytes, (size_t)size, 0) : -ENOMEM;

	if (got < 0)
		return error_set(err, (int)-got, "reading what the keeper says");
	bytes[got] = '\0';
	*text = bytes;
	bytes = NULL;
	return 0;
}

static int read_lost(const struct immure_jail *jail, char **json, struct error *err)
{
	auto_close int folder = jail_open(&jail->state, jail->pod, jail->name, err);
	struct text text = { 0 };
	int rc = folder < 0 ? folder : store_read(folder, STATE_JAIL, STATE_FILE_MOST, &text);

	if (rc < 0 || text.is_short) {
		text_free(&text);
		return folder < 0 ? folder : error_set(err, rc < 0 ? -rc : ENOMEM, "reading the state of %s", jail->name);
	}
	*json = text.bytes;
	return 0;
}

int immure_jail_inspect(struct immure_jail *jail, char **json, struct immure_error *out)
{
	struct packet_name name;
	struct error err = { 0 };
	int rc;

	jail_settle(jail);
	if (jail->talk < 0)
		return tell(out, &err, read_lost(jail, json, &err), 125);
	fill_name(name.name, jail->name);
	rc = jail_ask(jail, &(struct packet_parts){ .type = PACKET_INSPECT, .fixed = &name }, out);
	if (rc < 0)
		return rc;
	if (jail->packet.type == PACKET_DESCRIPTOR && jail->packet.fd_count == 1)
		rc = read_descriptor(jail->packet.fds[0], json, &err);
	else
		rc = error_set(&err, EPROTO, "inspecting %s", jail->name);
	packet_close_descriptors(&jail->packet);
	return tell(out, &err, rc, 125);
}
