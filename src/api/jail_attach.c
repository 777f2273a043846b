/* SPDX-License-Identifier: Apache-2.0 */
/* Being attached to a jail that stays. */
#include <errno.h>
#include <string.h>

#include "api/jail.h"
#include "jails/attach.h"
#include "sys/file.h"

/* The talk is the attachment's: signals go by another. What the keeper answers does not matter to who is about to hear how it ends. */
static void pass_signal(void *argument, int signal)
{
	struct immure_jail *jail = argument;
	struct packet_signal packet = { .signal = (uint32_t)signal };
	auto_free struct packet *reply = malloc(sizeof(*reply));
	auto_close int talk = reply ? keeper_connect(jail->folder, KEEPER_PATIENCE_MS, NULL) : -1;

	fill_name(packet.name, jail->name);
	if (talk >= 0 && keeper_ask(talk, &(struct packet_parts){ .type = PACKET_SIGNAL, .fixed = &packet }, reply, NULL) == 0)
		packet_close_descriptors(reply);
}

/* Whether the jail has a terminal, as the keeper says. */
static int ask_for_terminal(struct immure_jail *jail, bool *has_terminal, struct error *err)
{
	auto_close int talk = keeper_connect(jail->folder, KEEPER_PATIENCE_MS, err);
	struct packet_name name;
	int rc = talk < 0 ? talk : 0;

	fill_name(name.name, jail->name);
	if (rc == 0)
		rc = keeper_ask(talk, &(struct packet_parts){ .type = PACKET_STATUS, .fixed = &name }, &jail->packet, err);
	if (rc == 0) {
		size_t size;
		const char *tail = packet_tail(&jail->packet, &size);

		*has_terminal = memmem(tail, size, "\"terminal\": true", 16) != NULL;
		packet_close_descriptors(&jail->packet);
	}
	return rc;
}

static int ask_to_attach(struct immure_jail *jail, unsigned flags, const struct front *front, struct immure_error *out)
{
	struct packet_attach how = { .flags = (flags & IMMURE_ATTACH_INPUT ? ATTACH_INPUT : 0) |
					      (flags & IMMURE_ATTACH_REPLAY ? ATTACH_REPLAY : 0),
				     .rows = front->rows, .columns = front->columns };
	int rc;

	if (jail->use == USE_ATTACH)
		return 0;
	fill_name(how.name, jail->name);
	rc = jail_ask(jail, &(struct packet_parts){ .type = PACKET_ATTACH, .fixed = &how }, out);
	packet_close_descriptors(&jail->packet);
	return rc;
}

static void tell_end(const struct attachment *attachment, const struct front *front, struct immure_end *end)
{
	*end = (struct immure_end){ .lost_bytes = attachment->lost, .is_detached = !attachment->has_ended && front->is_leaving,
				    .signal = attachment->has_ended ? 0 : front->end_signal };
	if (attachment->has_ended)
		end->exit_code = attachment->end.exit_code;
}

static int serve(struct immure_jail *jail, struct attachment *attachment, struct front *front, struct error *err)
{
	int rc;

	attachment->talk = jail->talk;
	rc = attach_serve(attachment, front);
	jail->use = USE_NONE;
	if (rc == -EPIPE || rc == -ECONNRESET) {
		sys_auto_close(&jail->talk);
		return needs_keeper(jail, err);
	}
	return rc < 0 ? error_set(err, -rc, "being attached to %s", jail->name) : 0;
}

int immure_jail_attach(struct immure_jail *jail, unsigned flags, const char *detach_keys, struct immure_end *end, struct immure_error *out)
{
	struct attachment attachment = { .ends_input = flags & IMMURE_ATTACH_ENDS_INPUT, .pass = pass_signal, .argument = jail };
	struct front front;
	struct error err = { 0 };
	bool has_terminal = jail->has_terminal;
	int rc;

	front_clear(&front);
	front.passes_signals = flags & IMMURE_ATTACH_SIGNALS;
	rc = front_read_keys(&front, detach_keys, &err);
	if (rc == 0)
		rc = needs_keeper(jail, &err);
	if (rc == 0 && jail->use != USE_ATTACH)
		rc = ask_for_terminal(jail, &has_terminal, &err);
	if (rc == 0)
		rc = front_open(&front, has_terminal, flags & IMMURE_ATTACH_INPUT ? 7 : 6);
	if (rc < 0)
		return tell(out, &err, rc, 125);
	rc = ask_to_attach(jail, flags, &front, out);
	if (rc == 0) {
		rc = serve(jail, &attachment, &front, &err);
		tell(out, &err, rc, 125);
	}
	front_close(&front);
	if (rc == 0)
		tell_end(&attachment, &front, end);
	return rc;
}
