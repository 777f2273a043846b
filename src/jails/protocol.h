/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeper and clients say to each other: packets over SOCK_SEQPACKET, so that none is ever half there. A packet is
 * { type, size } and a payload of SIZE bytes, at most PACKET_ROOM; some bring descriptors. The payload begins with a struct
 * of fixed size, by type; in some a tail of bytes follows. All integers are the machine's own: both sides are on it.
 *
 * Everything is checked where it arrives, by one table (protocol.c): who may say it, how long it may be, how many descriptors
 * come along, that names are terminated. What a client may say also depends on the state of its talk. Whoever breaks a
 * rule is dropped, without an answer.
 */
#ifndef IMMURE_JAILS_PROTOCOL_H
#define IMMURE_JAILS_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "sys/socket.h"

enum { PACKET_VERSION = 3, PACKET_ROOM = 16 << 10, PACKET_NAME = 64, PACKET_IDENTIFIER = 32 };

enum packet_type {
	/* a client's */
	PACKET_HELLO, PACKET_RUN, PACKET_EXEC, PACKET_STATUS, PACKET_ATTACH, PACKET_INPUT, PACKET_RESIZE, PACKET_DETACH,
	PACKET_SIGNAL, PACKET_STOP, PACKET_KILL, PACKET_PAUSE, PACKET_RESUME, PACKET_WAIT, PACKET_REMOVE, PACKET_EVENTS,
	PACKET_OPEN, PACKET_INSPECT, PACKET_SHARE, PACKET_LIST, PACKET_HEALTHY,
	/* the keeper's */
	PACKET_OK, PACKET_ERROR, PACKET_STARTED, PACKET_ENDED, PACKET_OUTPUT, PACKET_LOST, PACKET_DESCRIPTOR, PACKET_STATE,
	PACKET_EVENT,
	PACKETS,
};

/* Of one client's talk with the keeper. */
enum talk {
	TALK_NEW,       /* it has not said which version it speaks */
	TALK_READY,     /* it may ask for anything */
	TALK_WAITING,   /* its question is not answered yet */
	TALK_ATTACHED,  /* to a jail's output, and input perhaps */
	TALK_LISTENING, /* to events */
	TALK_VISITING,  /* its program is executed in a jail */
	TALKS,
};

/* Which member of the pod is meant; in a pod of one "" is that one. First in every struct that has it. */
struct packet_name {
	char name[PACKET_NAME];
};
/* The beginning of those that also have flags. */
struct packet_flags {
	char name[PACKET_NAME];
	uint32_t flags;
};
/*
 * Descriptor: the pod's lock, open for reading and writing. A program in a jail of its user's may reach the socket though it cannot write
 * the file: a folder shown read-only has its sockets, and Landlock does not know connect(2). It is to be greeted by nobody.
 */
struct packet_hello {
	uint32_t version, unused;
};
/* Descriptors: the spec's words, in a file in memory (sys_memory_file). */
struct packet_run {
	char name[PACKET_NAME];
	uint32_t flags;       /* RUN_* */
	uint32_t stop_signal; /* 0: SIGTERM */
	uint64_t log_bytes;   /* of the log and of the one before; 0: no log */
	uint16_t rows, columns, unused[2];
};
enum { RUN_INPUT = 1 /* its input stays open for those who attach */, RUN_REMOVE = 2 /* it goes when it has ended */,
       RUN_ATTACH = 4 /* who asks is attached as soon as it is started, with input and from its first byte on */, RUN_FLAGS = 7 };
/* The program and its words follow, each with its end; or the request is a spec's words, in the first descriptor. Then the three standard descriptors of the program, unless it gets a
 * terminal. */
struct packet_exec {
	char name[PACKET_NAME];
	uint32_t flags, unused; /* EXEC_* */
	uint16_t rows, columns, unused2[2];
};
enum { EXEC_TERMINAL = 1 /* of the jail's; its master comes as a descriptor */, EXEC_ALONE = 2 /* it goes on without its client */,
       EXEC_FLAGS = 3 };
enum { PACKET_EXEC_TAIL = PACKET_ROOM - (int)sizeof(struct packet_exec) };
struct packet_attach {
	char name[PACKET_NAME];
	uint32_t flags;       /* ATTACH_* */
	uint16_t rows, columns; /* 0: no screen */
};
enum { ATTACH_INPUT = 1, ATTACH_REPLAY = 2 /* what was written before, as far as it is kept */, ATTACH_FLAGS = 3 };
struct packet_resize {
	uint16_t rows, columns;
};
struct packet_signal {
	char name[PACKET_NAME];
	uint32_t signal;
	uint32_t is_for_visit; /* to the program that this client executes, and to nothing else */
};
struct packet_stop {
	char name[PACKET_NAME];
	uint32_t flags, unused; /* STOP_POD: the name is the pod's, and all its jails are meant */
	uint64_t grace_ms;    /* then it is killed */
};
enum { STOP_POD = 1 };
struct packet_remove {
	char name[PACKET_NAME];
	uint32_t flags, unused; /* REMOVE_FORCE: it is killed before; REMOVE_POD: the name is the pod's, which goes with all its jails */
};
enum { REMOVE_FORCE = 1, REMOVE_POD = 2, REMOVE_FLAGS = 3 };
/* Descriptors: the words of what is shared. The name is the pod's. */
struct packet_share {
	char name[PACKET_NAME];
	uint32_t kinds, unused; /* SHARE_* of feature/pod.h */
};
/* A path follows. */
struct packet_open {
	char name[PACKET_NAME];
	uint32_t flags, mode;
};

/* Text follows: frames of the story from the outside in. */
struct packet_error {
	int32_t errnum, exit_code;
	uint32_t is_mistake, unused;
	char identifier[PACKET_IDENTIFIER]; /* "E-...", or "" */
};
struct packet_started {
	int32_t pid, unused;  /* init's, as the host sees it */
};
struct packet_ended {
	int32_t exit_code, reason, signal, unused;
};
/* Bytes follow. */
struct packet_output {
	uint32_t stream;      /* 1, 2 */
};
/* So many bytes of output were dropped, since this client did not read. */
struct packet_lost {
	uint64_t bytes;
};

struct packet {
	uint32_t type, size;  /* size: of the payload */
	union {
		struct packet_name name;
		struct packet_flags flags;
		struct packet_hello hello;
		struct packet_run run;
		struct packet_exec exec;
		struct packet_attach attach;
		struct packet_resize resize;
		struct packet_signal signal;
		struct packet_stop stop;
		struct packet_remove remove;
		struct packet_share share;
		struct packet_open open;
		struct packet_error error;
		struct packet_started started;
		struct packet_ended ended;
		struct packet_output output;
		struct packet_lost lost;
		char bytes[PACKET_ROOM];
	};
	/* not on the wire: */
	unsigned fd_count;
	int fds[SYS_PACKET_DESCRIPTORS];
};

/* The fixed part of a packet of TYPE; what follows it are bytes. */
size_t packet_fixed(enum packet_type type);
/* What follows the fixed part: *SIZE bytes, not terminated. */
const char *packet_tail(const struct packet *packet, size_t *size);
const char *packet_type_name(enum packet_type type);
/* Whether the client of a talk in this state may say TYPE. */
bool packet_is_permitted(enum packet_type type, enum talk state);

/* GOT bytes of PACKET arrived, header included; it came from a client, or from the keeper. 0 or -EBADMSG. */
int packet_check(const struct packet *packet, size_t got, bool is_from_client) MUST_CHECK;

/* The type that the next packet claims to have, or -errno. */
int packet_next(int socket) MUST_CHECK;
/* 1: a whole and lawful packet; its descriptors are the caller's. 0: the other side is gone. -EAGAIN: none is there; -EBADMSG and
 * others: the talk is over, and no descriptor is left open. */
int packet_receive(int socket, bool is_from_client, struct packet *packet) MUST_CHECK;
void packet_close_descriptors(struct packet *packet);

struct packet_parts {
	enum packet_type type;
	const void *fixed;    /* packet_fixed(type) bytes; NULL where that is 0 */
	const void *tail;
	size_t tail_size;
	const int *fds;
	unsigned fd_count;
};
/* 0; -EAGAIN: there is no room now; -EMSGSIZE: too long; -errno. Nothing is sent in part. */
int packet_send(int socket, const struct packet_parts *parts) MUST_CHECK;

#endif
