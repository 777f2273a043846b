/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's side of a talk with a running program. */
#include "jails/front.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/signalfd.h>

#include "sys/file.h"
#include "sys/process.h"
#include "sys/terminal.h"

/* Where a write could wait, poll(2) promises no more room than this: PIPE_BUF; pipe(7) */
enum { LOOK_NS = 250000000, AT_A_TIME = 4096 };

static const int asking_to_end[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

/* "ctrl-x" or one character. Its byte; -1: it is neither. */
static int read_key(const char *key, size_t length)
{
	const char letter = length ? key[length - 1] : '\0';

	if (length == 1 && letter > ' ' && letter < 0x7f)
		return letter;
	if (length != 6 || strncmp(key, "ctrl-", 5) != 0)
		return -1;
	if (letter >= 'a' && letter <= 'z')
		return letter - 'a' + 1;
	return letter >= '@' && letter <= '_' ? letter - '@' : -1;
}

void front_clear(struct front *front)
{
	memset(front, 0, offsetof(struct front, typed));
}

int front_read_keys(struct front *front, const char *keys, struct error *err)
{
	const char *at = keys ? keys : "";

	while (*at) {
		const size_t length = strcspn(at, ",");
		const int key = read_key(at, length);

		if (key < 0 || front->key_count == FRONT_KEYS)
			return error_mistake(err, "\"%.80s\" are no keys to detach by; such as ctrl-p,ctrl-q or ctrl-],q", keys);
		front->keys[front->key_count++] = (char)key;
		at += length + (at[length] == ',');
	}
	return 0;
}

static int open_anew(struct front *front, int fd, int flags)
{
	front->opened[fd] = sys_can_reopen(fd) ? sys_reopen(fd, flags) : -1;
	if (front->opened[fd] < 0)
		front->opened[fd] = -1;
	return front->opened[fd] >= 0 ? front->opened[fd] : fd;
}

static int block_signals(struct front *front)
{
	sigset_t set;
	int rc;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(asking_to_end); i++)
		sigaddset(&set, asking_to_end[i]);
	sigaddset(&set, SIGPIPE);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGCONT);
	sigaddset(&set, SIGTTOU); /* of a terminal that another has by now */
	sigaddset(&set, SIGTTIN);
	rc = sys_block_signals(&set, &front->before);
	if (rc < 0)
		return rc;
	front->signals = sys_signal_descriptor(&set);
	if (front->signals < 0)
		sys_block_signals(&front->before, NULL);
	return front->signals < 0 ? front->signals : 0;
}

static void measure_screen(struct front *front)
{
	for (int fd = 0; fd < 3; fd++)
		if (sys_is_terminal(fd) == 1) {
			sys_get_window_size(fd, &front->rows, &front->columns);
			return;
		}
}

int front_open(struct front *front, bool has_terminal, unsigned used)
{
	const bool reads = used & 1, is_terminal = reads && sys_is_terminal(0) == 1;
	int rc;

	front->look = -1;
	rc = block_signals(front);
	if (rc < 0)
		return rc;
	for (int fd = 0; fd < 3; fd++) {
		front->opened[fd] = -1;
		front->out[fd] = used >> fd & 1 ? open_anew(front, fd, fd ? O_WRONLY : O_RDONLY) : -1;
	}
	front->in = front->out[0];
	if (has_terminal)
		measure_screen(front);
	if (!is_terminal || !has_terminal)
		front->key_count = 0; /* no person types there */
	terminal_open(&front->terminal, is_terminal ? 0 : -1, has_terminal);
	if (is_terminal)
		front->look = sys_timer(LOOK_NS);
	return 0;
}

void front_stop_reading(struct front *front)
{
	front->in = -1;
}

void front_close(struct front *front)
{
	struct signalfd_siginfo info;

	terminal_give_back(&front->terminal);
	for (int i = 0; i < 3; i++)
		sys_auto_close(&front->opened[i]);
	sys_auto_close(&front->look);
	while (sys_read(front->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		; /* what its own writing raised is nobody's; and the talk is over anyway */
	sys_close(front->signals);
	sys_block_signals(&front->before, NULL);
}

unsigned front_poll(const struct front *front, struct pollfd *fds)
{
	fds[0] = (struct pollfd){ .fd = front->signals, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = front->look, .events = POLLIN };
	return FRONT_DESCRIPTORS;
}

/* As Ctrl-Z does to any program; what goes on in the jail goes on. */
static void stop(struct front *front)
{
	terminal_give_back(&front->terminal);
	sys_raise_unblocked(SIGTSTP);
	terminal_take(&front->terminal);
	front->is_resized = true;
}

static void hear_signal(struct front *front, int signal)
{
	bool asks_to_end = false;

	for (size_t i = 0; i < ARRAY_SIZE(asking_to_end); i++)
		asks_to_end |= asking_to_end[i] == signal;
	if (signal == SIGWINCH)
		front->is_resized = true;
	else if (signal == SIGTSTP)
		stop(front);
	else if (signal == SIGCONT)
		terminal_take(&front->terminal);
	else if (asks_to_end && front->passes_signals && signal != SIGHUP)
		front->to_pass |= 1ULL << (signal - 1);
	else if (asks_to_end && !front->end_signal)
		front->end_signal = signal;
}

void front_serve(struct front *front, const struct pollfd *polled, unsigned count)
{
	struct signalfd_siginfo info;

	(void)count;
	while (polled[0].revents && sys_read(front->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		hear_signal(front, (int)info.ssi_signo);
	if (polled[1].revents) {
		terminal_take(&front->terminal); /* coming to the foreground makes no event */
		sys_set_timer(front->look, LOOK_NS);
	}
	if (front->is_resized)
		measure_screen(front);
}

bool front_wants_input(const struct front *front)
{
	if (front->in < 0 || front->is_input_over || front->is_leaving || front->end + FRONT_KEYS >= FRONT_ROOM)
		return false;
	return front->terminal.fd < 0 || front->terminal.may_be_read;
}

/* Byte by byte: what has been seen of the keys is let go as soon as they are not continued. */
static void take_byte(struct front *front, char byte)
{
	if (front->key_count && byte == front->keys[front->keys_seen]) {
		front->is_leaving = ++front->keys_seen == front->key_count;
		return;
	}
	for (unsigned i = 0; i < front->keys_seen; i++)
		front->typed[front->end++] = front->keys[i];
	front->keys_seen = 0;
	if (front->key_count && byte == front->keys[0])
		front->keys_seen = 1;
	else
		front->typed[front->end++] = byte;
}

void front_read(struct front *front)
{
	const bool is_terminal = front->terminal.fd >= 0;
	char bytes[FRONT_ROOM];
	size_t room = FRONT_ROOM - FRONT_KEYS - front->end;
	ssize_t done;

	if (front->terminal.fd >= 0 && !sys_in_foreground(front->terminal.fd)) {
		front->terminal.may_be_read = false;
		return;
	}
	done = sys_read(front->in, bytes, room);
	if (done == -EAGAIN)
		return;
	if (done <= 0) {
		front->is_input_over = true;
		front->is_leaving |= is_terminal && front->terminal.is_raw; /* a raw one has no other end than its hang-up */
		return;
	}
	for (ssize_t i = 0; i < done && !front->is_leaving; i++)
		take_byte(front, bytes[i]);
}

long front_write(const struct front *front, unsigned stream, const char *bytes, size_t size)
{
	const int fd = front->out[stream];

	if (front->opened[stream] >= 0)
		return sys_write(fd, bytes, size);
	return sys_write_now(fd, bytes, size < AT_A_TIME ? size : AT_A_TIME);
}
