/* SPDX-License-Identifier: Apache-2.0 */
/* Terminals and pseudo-terminals. */
#include "sys/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/file.h"

int sys_is_terminal(int fd)
{
	struct termios settings;

	if (sys_get_settings(fd, &settings) == 0)
		return 1;
	return errno == EBADF ? -EBADF : 0;
}

int sys_open_master(const char *path)
{
	auto_close int fd = sys_open(path, O_RDWR | O_NOCTTY | O_NONBLOCK, 0);
	int locked = 0;

	if (fd < 0)
		return fd;
	return ioctl(fd, TIOCSPTLCK, &locked) < 0 ? -errno : take_fd(&fd);
}

int sys_open_slave(int master)
{
	return minus_errno(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
}

int sys_get_settings(int fd, struct termios *settings)
{
	return minus_errno(tcgetattr(fd, settings));
}

int sys_set_settings(int fd, const struct termios *settings)
{
	int rc;

	do
		rc = tcsetattr(fd, TCSANOW, settings);
	while (rc < 0 && errno == EINTR);
	return minus_errno(rc);
}

void sys_make_raw(struct termios *settings)
{
	settings->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXOFF);
	settings->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	settings->c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
	settings->c_cflag |= CS8;
	settings->c_cc[VMIN] = 1;
	settings->c_cc[VTIME] = 0;
	sys_make_output_raw(settings);
}

void sys_make_output_raw(struct termios *settings)
{
	settings->c_oflag &= ~(tcflag_t)OPOST;
}

int sys_copy_window_size(int from, int to)
{
	struct winsize size;

	if (ioctl(from, TIOCGWINSZ, &size) < 0)
		return -errno;
	return minus_errno(ioctl(to, TIOCSWINSZ, &size));
}

void sys_get_window_size(int fd, uint16_t *rows, uint16_t *columns)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0)
		return;
	*rows = size.ws_row;
	*columns = size.ws_col;
}

int sys_set_window_size(int fd, unsigned rows, unsigned columns)
{
	const struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };

	return minus_errno(ioctl(fd, TIOCSWINSZ, &size));
}

bool sys_in_foreground(int fd)
{
	pid_t group = tcgetpgrp(fd);

	return group < 0 || group == getpgrp();
}

int sys_reopen(int fd, int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return sys_open(path, flags | O_NONBLOCK | O_NOCTTY, 0);
}

bool sys_can_reopen(int fd)
{
	struct stat state;

	if (fstat(fd, &state) < 0)
		return false;
	return S_ISFIFO(state.st_mode) || (S_ISCHR(state.st_mode) && sys_is_terminal(fd) == 1);
}

long sys_write_now(int fd, const void *bytes, unsigned long size)
{
	ssize_t done;

	do
		done = send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (done < 0 && errno == EINTR);
	if (done < 0 && errno == ENOTSOCK)
		return sys_write(fd, bytes, size);
	return done < 0 ? -errno : done;
}
