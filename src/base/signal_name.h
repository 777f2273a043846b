/* SPDX-License-Identifier: Apache-2.0 */
/* Names of signals, the same on every libc. */
#ifndef IMMURE_BASE_SIGNAL_NAME_H
#define IMMURE_BASE_SIGNAL_NAME_H

enum { SIGNAL_TEXT = 16 };

/* "SIGKILL", "SIGRTMIN+3"; BUFFER has SIGNAL_TEXT bytes. */
const char *signal_name(int signal, char *buffer);

/* Of "SIGTERM", "TERM", "15", "SIGRTMIN+3"; 0: it is none. */
int signal_number(const char *text);

#endif
