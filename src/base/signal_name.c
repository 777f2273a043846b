/* SPDX-License-Identifier: Apache-2.0 */
/* Names of signals. */
#include "base/signal_name.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/own.h"

enum { FIRST_REAL_TIME = 34, LAST = 64 }; /* the kernel has them from 32; libc keeps the first two for itself: signal(7) */

static const char *const names[] = {
	[SIGHUP] = "SIGHUP", [SIGINT] = "SIGINT", [SIGQUIT] = "SIGQUIT", [SIGILL] = "SIGILL", [SIGTRAP] = "SIGTRAP",
	[SIGABRT] = "SIGABRT", [SIGBUS] = "SIGBUS", [SIGFPE] = "SIGFPE", [SIGKILL] = "SIGKILL", [SIGUSR1] = "SIGUSR1",
	[SIGSEGV] = "SIGSEGV", [SIGUSR2] = "SIGUSR2", [SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM",
	[SIGSTKFLT] = "SIGSTKFLT", [SIGCHLD] = "SIGCHLD", [SIGCONT] = "SIGCONT", [SIGSTOP] = "SIGSTOP", [SIGTSTP] = "SIGTSTP",
	[SIGTTIN] = "SIGTTIN", [SIGTTOU] = "SIGTTOU", [SIGURG] = "SIGURG", [SIGXCPU] = "SIGXCPU", [SIGXFSZ] = "SIGXFSZ",
	[SIGVTALRM] = "SIGVTALRM", [SIGPROF] = "SIGPROF", [SIGWINCH] = "SIGWINCH", [SIGIO] = "SIGIO", [SIGPWR] = "SIGPWR",
	[SIGSYS] = "SIGSYS",
};

const char *signal_name(int signal, char *buffer)
{
	if (signal > 0 && (size_t)signal < ARRAY_SIZE(names) && names[signal])
		return names[signal];
	if (signal == FIRST_REAL_TIME)
		return "SIGRTMIN";
	if (signal > FIRST_REAL_TIME && signal <= LAST)
		snprintf(buffer, SIGNAL_TEXT, "SIGRTMIN+%d", signal - FIRST_REAL_TIME);
	else
		snprintf(buffer, SIGNAL_TEXT, "signal %d", signal);
	return buffer;
}

int signal_number(const char *text)
{
	const bool has_prefix = strncmp(text, "SIG", 3) == 0;
	uint64_t number;
	char buffer[SIGNAL_TEXT];

	if (number_parse(text, LAST, &number) == 0)
		return (int)number;
	for (int signal = 1; signal <= LAST; signal++) {
		const char *name = signal_name(signal, buffer);

		if (strncmp(name, "SIG", 3) == 0 && strcmp(name + 3, has_prefix ? text + 3 : text) == 0)
			return signal;
	}
	return 0;
}
