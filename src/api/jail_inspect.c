/* SPDX-License-Identifier: Apache-2.0 */
/* All that is known of a jail that stays. */
#include <errno.h>
#include <string.h>

#include "api/jail.h"
#include "feature/record.h"
#include "feature/words.h"
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

static int read_own(const struct immure_jail *jail, const char *name, size_t most, struct text *text, struct error *err)
{
	auto_close int folder = jail_open(&jail->state, jail->pod, jail->name, err);
	int rc = folder < 0 ? folder : store_read(folder, name, most, text);

	if (rc == 0 && !text->is_short)
		return 0;
	return folder < 0 ? folder : error_set(err, rc < 0 ? -rc : ENOMEM, "reading %s of %s", name, jail->name);
}

/* What is on disk was true when the keeper lived. */
static int read_lost(const struct immure_jail *jail, char **json, struct error *err)
{
	auto_text struct text state = { 0 }, spec = { 0 };
	struct text text = { 0 };
	const char *rest;
	int rc = read_own(jail, STATE_JAIL, STATE_FILE_MOST, &state, err);

	if (rc == 0)
		rc = read_own(jail, STATE_SPEC, WORDS_MOST, &spec, err);
	if (rc < 0)
		return rc;
	rest = state.bytes ? strchr(state.bytes, ',') : NULL;
	text_add(&text, "{\"state\":" STATE_BEGIN "\"%s\"%s,\n\"spec\": %s}\n", jail_state_name(JAIL_LOST), rest ? rest : "}", spec.bytes);
	if (text.is_short) {
		text_free(&text);
		return error_set(err, ENOMEM, "describing %s", jail->name);
	}
	*json = text.bytes;
	return 0;
}

int immure_jail_spec(struct immure_jail *jail, char **policy, struct immure_error *out)
{
	struct text text = { 0 };
	struct error err = { 0 };
	int rc = read_own(jail, STATE_SPEC, WORDS_MOST, &text, &err);

	if (rc == 0 && strstr(text.bytes, RECORD_LOSS)) {
		rc = error_mistake(&err, "%s was given bytes that are no UTF-8, which a policy file cannot say", jail->name);
		error_remedy(&err, "E-RECORD-BYTES", "immure inspect %s shows where, as U+FFFD", jail->name);
	}
	if (rc == 0)
		*policy = text.bytes;
	else
		text_free(&text);
	return tell(out, &err, rc, 125);
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
