/* SPDX-License-Identifier: Apache-2.0 */
/* The wire between launcher and init: whole messages of two integers, now and then with a descriptor, or three. */
#ifndef IMMURE_SYS_CHANNEL_H
#define IMMURE_SYS_CHANNEL_H

#include <stdint.h>

enum { CHANNEL_DESCRIPTORS = 3 };

struct message {
	int32_t what, value;
};

/* A connected pair; SOCK_SEQPACKET keeps messages whole and reports the other side's death as an end. 0 or -errno */
int channel_open(int ends[2]);
/* FD: sent along; -1: none. -EPIPE: nobody is there. */
int channel_send(int end, struct message message, int fd);
/* 1: a message; 0: the other side is gone; -errno. *FD: a descriptor that came along, owned by the caller, or -1. */
int channel_receive(int end, struct message *message, int *fd);
/* The same with all the descriptors that a message may bring; those that do not come are -1. */
int channel_send_all(int end, struct message message, const int fds[CHANNEL_DESCRIPTORS]);
int channel_receive_all(int end, struct message *message, int fds[CHANNEL_DESCRIPTORS]);

#endif
