/* SPDX-License-Identifier: Apache-2.0 */
/* Messages over a socket pair. */
#include "sys/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "sys/file.h"

union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int channel_open(int ends[2])
{
	return minus_errno(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
}

int channel_send(int end, struct message message, int fd)
{
	union control control = { 0 };
	struct iovec part = { &message, sizeof(message) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t sent;

	if (fd >= 0) {
		control.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
		header.msg_control = control.bytes;
		header.msg_controllen = sizeof(control.bytes);
	}
	do
		sent = sendmsg(end, &header, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

static int take_descriptor(struct msghdr *header)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(header);
	int fd = -1;

	if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS &&
	    control->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(control), sizeof(fd));
	return fd;
}

int channel_receive(int end, struct message *message, int *fd)
{
	union control control;
	struct iovec part = { message, sizeof(*message) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes) };
	ssize_t got;

	*fd = -1;
	do
		got = recvmsg(end, &header, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got == -1 && errno == ECONNRESET)
		return 0;
	if (got <= 0)
		return got < 0 ? -errno : 0;
	*fd = take_descriptor(&header);
	return got == sizeof(*message) ? 1 : -EBADMSG;
}
