/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets between immure's own processes: whole packets, with descriptors. A value from 0, or -errno. unix(7) */
#ifndef IMMURE_SYS_SOCKET_H
#define IMMURE_SYS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SYS_PACKET_DESCRIPTORS = 8, SYS_PACKET_PARTS = 3 };

struct iovec;

/* A listening socket NAME in the folder DIRECTORY, for its owner alone; it does not wait. -EADDRINUSE: the name is taken. */
int sys_listen(int directory, const char *name);
/* Goes on listening on a socket that another process made: who connects from now on sees this one as its peer. */
int sys_listen_on(int listener);
/* -ECONNREFUSED: nobody listens any more. It waits so long where too many wait already, and so does sending on it: -EAGAIN. */
int sys_connect(int directory, const char *name, int patience_ms);
/* The same by a path, which may lead anywhere: see sys_peer. Cheaper, since the way by a descriptor leads through /proc. */
int sys_connect_path(const char *path, int patience_ms);
/* The next who wants to talk; the descriptor does not wait. -EAGAIN: nobody. */
int sys_accept(int listener);

struct sys_peer {
	pid_t pid;
	uid_t uid;
};
/* Who was on the other side when it was connected. SO_PEERCRED */
int sys_peer(int socket, struct sys_peer *peer);

/* One packet made of PARTS, at most SYS_PACKET_PARTS. -EAGAIN: there is no room, nothing was sent; -EPIPE: nobody is there. */
int sys_send_packet(int socket, const struct iovec *parts, unsigned count, const int *fds, unsigned fd_count);
/* The first SIZE bytes of the next packet, which stays. -EAGAIN: none is there; -ENODATA: it is shorter, or the other side is gone. */
int sys_peek(int socket, void *bytes, size_t size);
/*
 * One packet into PARTS; FDS has room for SYS_PACKET_DESCRIPTORS, they are closed on exec and the caller's. Its size; 0: the
 * other side is gone; -EMSGSIZE: it or its descriptors did not fit, and all of them are closed; -EAGAIN: none is there.
 */
ssize_t sys_receive_packet(int socket, const struct iovec *parts, unsigned count, int *fds, unsigned *fd_count);

#endif
