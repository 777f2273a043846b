/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's terminal while the jail has one of its own. */
#include "run/terminal.h"

#include "sys/terminal.h"

void terminal_open(struct terminal *terminal, int fd, bool wants_raw)
{
	*terminal = (struct terminal){ .fd = fd, .wants_raw = wants_raw };
	terminal_take(terminal);
}

void terminal_take(struct terminal *terminal)
{
	struct termios raw;

	terminal->may_be_read = terminal->fd >= 0 && sys_in_foreground(terminal->fd);
	if (!terminal->may_be_read || !terminal->wants_raw || terminal->is_raw)
		return;
	if (sys_get_settings(terminal->fd, &terminal->before) < 0)
		return;
	raw = terminal->before;
	sys_make_raw(&raw);
	terminal->is_raw = sys_set_settings(terminal->fd, &raw) == 0;
}

/* Whoever has the foreground by now has set the terminal to its own liking. */
void terminal_give_back(struct terminal *terminal)
{
	terminal->may_be_read = false;
	if (!terminal->is_raw)
		return;
	terminal->is_raw = false;
	if (sys_in_foreground(terminal->fd))
		sys_set_settings(terminal->fd, &terminal->before);
}
