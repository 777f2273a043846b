/* SPDX-License-Identifier: Apache-2.0 */
/* Packets over sockets of the file system. */
#include "sys/socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "sys/file.h"

enum { WAITING_PEERS = 64 };

union control {
	char bytes[CMSG_SPACE(SYS_PACKET_DESCRIPTORS * sizeof(int))];
	struct cmsghdr align;
};

/* By way of the folder's descriptor: the name of a socket has 108 bytes, its path may have more. unix(7) */
static int address_of(int directory, const char *name, struct sockaddr_un *address)
{
	int length;

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	length = snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s", directory, name);
	return length < (int)sizeof(address->sun_path) ? 0 : -ENAMETOOLONG;
}

int sys_listen(int directory, const char *name)
{
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	int rc = fd < 0 ? -errno : address_of(directory, name, &address);

	/* The mode it is made with is its descriptor's: nobody else can connect, not even for a moment. unix(7) */
	if (rc == 0)
		rc = minus_errno(fchmod(fd, 0600));
	if (rc == 0)
		rc = minus_errno(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	if (rc == 0)
		rc = minus_errno(listen(fd, WAITING_PEERS));
	return rc < 0 ? rc : take_fd(&fd);
}

int sys_listen_on(int listener)
{
	return minus_errno(listen(listener, WAITING_PEERS));
}

static int connect_to(const struct sockaddr_un *address, int patience_ms)
{
	const struct timeval patience = { patience_ms / 1000, patience_ms % 1000 * 1000 };
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int rc = fd < 0 ? -errno : 0;

	if (rc == 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		rc = -errno;
	while (rc == 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		if (errno != EINTR)
			rc = -errno;
	return rc < 0 ? rc : take_fd(&fd);
}

int sys_connect(int directory, const char *name, int patience_ms)
{
	struct sockaddr_un address;
	int rc = address_of(directory, name, &address);

	return rc < 0 ? rc : connect_to(&address, patience_ms);
}

int sys_connect_path(const char *path, int patience_ms)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	return connect_to(&address, patience_ms);
}

int sys_accept(int listener)
{
	int fd;

	do
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	return minus_errno(fd);
}

int sys_peer(int socket, struct sys_peer *peer)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);

	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
		return -errno;
	*peer = (struct sys_peer){ .pid = credentials.pid, .uid = credentials.uid };
	return 0;
}

int sys_send_packet(int socket, const struct iovec *parts, unsigned count, const int *fds, unsigned fd_count)
{
	union control control = { 0 };
	struct msghdr header = { .msg_iov = (struct iovec *)parts, .msg_iovlen = count };
	ssize_t sent;

	if (fd_count > SYS_PACKET_DESCRIPTORS)
		return -EINVAL;
	if (fd_count) {
		control.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(fd_count * sizeof(int)), .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.align), fds, fd_count * sizeof(int));
		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
	}
	do
		sent = sendmsg(socket, &header, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

static unsigned take_descriptors(struct msghdr *header, int *fds)
{
	unsigned count = 0;

	for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control; control = CMSG_NXTHDR(header, control)) {
		const unsigned bytes = (unsigned)(control->cmsg_len - CMSG_LEN(0));

		if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(fds + count, CMSG_DATA(control), bytes); /* all together fit: so does the control buffer */
		count += bytes / (unsigned)sizeof(int);
	}
	return count;
}

int sys_peek(int socket, void *bytes, size_t size)
{
	ssize_t got = recv(socket, bytes, size, MSG_PEEK | MSG_DONTWAIT);

	return got < 0 ? -errno : (size_t)got < size ? -ENODATA : 0;
}

ssize_t sys_receive_packet(int socket, const struct iovec *parts, unsigned count, int *fds, unsigned *fd_count)
{
	union control control;
	struct msghdr header = { .msg_iov = (struct iovec *)parts, .msg_iovlen = count, .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes) };
	ssize_t got;

	*fd_count = 0;
	/* That the other side went without reading everything is told once, and before what it sent. */
	do
		got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
	while (got < 0 && (errno == EINTR || errno == ECONNRESET));
	if (got < 0)
		return -errno;
	*fd_count = take_descriptors(&header, fds);
	if (!(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return got;
	while (*fd_count)
		sys_close(fds[--*fd_count]);
	return -EMSGSIZE;
}
