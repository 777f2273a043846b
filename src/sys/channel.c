/* SPDX-License-Identifier: Apache-2.0 */
/* Messages over a socket pair. */
#include "sys/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "sys/file.h"

union control {
	char bytes[CMSG_SPACE(CHANNEL_DESCRIPTORS * sizeof(int))];
	struct cmsghdr align;
};

int channel_open(int ends[2])
{
	return minus_errno(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
}

static int send_some(int end, struct message message, const int *fds, unsigned count)
{
	union control control = { 0 };
	struct iovec part = { &message, sizeof(message) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t sent;

	if (count) {
		control.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(count * sizeof(int)), .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.align), fds, count * sizeof(int));
		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	do
		sent = sendmsg(end, &header, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

int channel_send(int end, struct message message, int fd)
{
	return send_some(end, message, &fd, fd >= 0);
}

int channel_send_all(int end, struct message message, const int fds[CHANNEL_DESCRIPTORS])
{
	return send_some(end, message, fds, CHANNEL_DESCRIPTORS);
}

static void take_descriptors(struct msghdr *header, int fds[CHANNEL_DESCRIPTORS])
{
	struct cmsghdr *control = CMSG_FIRSTHDR(header);

	for (unsigned i = 0; i < CHANNEL_DESCRIPTORS; i++)
		fds[i] = -1;
	if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(control), control->cmsg_len - CMSG_LEN(0)); /* the control buffer holds no more */
}

int channel_receive_all(int end, struct message *message, int fds[CHANNEL_DESCRIPTORS])
{
	union control control;
	struct iovec part = { message, sizeof(*message) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
				 .msg_controllen = CMSG_LEN(CHANNEL_DESCRIPTORS * sizeof(int)) };
	ssize_t got;

	do
		got = recvmsg(end, &header, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		header.msg_controllen = 0;
	take_descriptors(&header, fds);
	if (got == -1 && errno == ECONNRESET)
		return 0;
	if (got <= 0)
		return got < 0 ? -errno : 0;
	return got == sizeof(*message) ? 1 : -EBADMSG;
}

/* One is expected; whoever sends more is not to have them stay open here. */
int channel_receive(int end, struct message *message, int *fd)
{
	int fds[CHANNEL_DESCRIPTORS], rc = channel_receive_all(end, message, fds);

	*fd = fds[0];
	for (unsigned i = 1; i < CHANNEL_DESCRIPTORS; i++)
		sys_auto_close(&fds[i]);
	return rc;
}
