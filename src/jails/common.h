/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the jails of a pod share (feature/pod.h): made once, when the pod is created, by a run whose init has no program; held by the
 * keeper by descriptor until the pod is removed, whatever becomes of the jails. The pod has an order, that of their starts; they are
 * stopped in the reverse one, each when the one after it has ended.
 */
#ifndef IMMURE_JAILS_COMMON_H
#define IMMURE_JAILS_COMMON_H

#include "base/text.h"
#include "feature/pod.h"
#include "jails/kept.h"
#include "jails/protocol.h"

struct keeper;
struct client;

enum { COMMON_PATH = 32 };

struct common {
	bool is_made;            /* the pod stays when it has no jail */
	bool is_ready;           /* what is shared is in hand */
	bool is_lost;            /* the first process of its PID namespace was killed, and with it all that was in there */
	bool is_stopping;        /* its jails, one after another */
	bool is_leaving;         /* and then the pod itself */
	uint64_t grace_ms;       /* for each of them */
	uint64_t created_ns;

	struct pod_share share;
	char paths[NAMESPACES][COMMON_PATH];
	struct kept kept;
	struct host host;
};

/* PACKET_SHARE: the client is answered when all is there, or why it is not. */
void common_make(struct keeper *keeper, struct client *client, const struct packet *packet);
void common_serve(struct keeper *keeper, const struct pollfd *polled, unsigned count);
/* It ends, with all processes that are in its PID namespace; its group goes. */
void common_close(struct common *common);

/* SPEC, of a jail to be started, takes its part; HOST is as probed so far. And, when HOST is known, its place. */
int common_join(const struct common *common, struct spec *spec, struct error *err) MUST_CHECK;
void common_place(const struct common *common, struct host *host);

/* Whether NAME is the pod itself, and not a jail of it. */
bool common_is(const struct keeper *keeper, const char *name);
/* From the last to the first, each with GRACE_MS to end by itself. */
void common_stop(struct keeper *keeper, uint64_t grace_ms);
/* The same, and then the pod goes with all that is left of its jails. */
void common_remove(struct keeper *keeper, uint64_t grace_ms);
/* One step further on that way; after each turn. */
void common_go_on(struct keeper *keeper);

/* A JSON object without line ends: the pod, and, with HAS_JAILS, each of its jails in their order. */
void common_print(const struct keeper *keeper, bool has_jails, struct text *out);

#endif
