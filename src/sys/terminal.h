/* SPDX-License-Identifier: Apache-2.0 */
/* Terminals and pseudo-terminals. A value from 0, or -errno. */
#ifndef IMMURE_SYS_TERMINAL_H
#define IMMURE_SYS_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

/* 1, 0; -EBADF: FD is not open. */
int sys_is_terminal(int fd);
/* A new pseudo-terminal: its master (non-blocking), from the ptmx device at PATH; and its other side. ioctl_tty(2) */
int sys_open_master(const char *path);
int sys_open_slave(int master);
int sys_get_settings(int fd, struct termios *settings);
int sys_set_settings(int fd, const struct termios *settings);
/* Every byte passes as it is, both ways; or only what is written. */
void sys_make_raw(struct termios *settings);
void sys_make_output_raw(struct termios *settings);
int sys_copy_window_size(int from, int to);
/* Both as they were where FD is no terminal. */
void sys_get_window_size(int fd, uint16_t *rows, uint16_t *columns);
int sys_set_window_size(int fd, unsigned rows, unsigned columns);
/* Whether the caller may use the terminal now. A terminal that does not control the caller knows no job control: true. */
bool sys_in_foreground(int fd);
/* A description of its own and non-blocking for what is open as FD; FLAGS: O_RDONLY, O_WRONLY. Not for files and sockets. */
int sys_reopen(int fd, int flags);
/* Whether reopening gives the same thing: a terminal or a pipe. */
bool sys_can_reopen(int fd);
/* write(2) that does not wait where that can be had without changing FD. */
long sys_write_now(int fd, const void *bytes, unsigned long size);

#endif
