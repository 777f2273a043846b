/* SPDX-License-Identifier: Apache-2.0 */
/* Ops about the standard descriptors: pipes, and a terminal of the jail's own. The relay between them is streams.c. */
#include <errno.h>
#include <fcntl.h>

#include "run/op.h"
#include "sys/channel.h"
#include "sys/process.h"
#include "sys/terminal.h"

enum { STREAMS = 3 };

/* The launcher's end does not wait; the program's does, as it would on any pipe. */
int op_pipes(struct run *run, const struct step *step)
{
	for (int i = 0; i < STREAMS; i++) {
		int ends[2], rc;

		if (!(step->flags >> i & 1))
			continue;
		if (i == 2 && step->flags & STEP_ONE_PIPE) {
			run->far_streams[2] = run->far_streams[1];
			continue;
		}
		rc = sys_pipe(ends);
		if (rc < 0)
			return rc;
		run->near_streams[i] = ends[i == 0];
		run->far_streams[i] = ends[i != 0];
		rc = sys_set_nonblocking(run->near_streams[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int op_standard(struct run *run, const struct step *step)
{
	for (int i = 0; i < STREAMS; i++) {
		int rc = step->flags >> i & 1 ? sys_dup_to(run->far_streams[i], i) : 0;

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A jail without a /dev/pts: its terminal is one of the host's, made for it alone. */
int op_pty(struct run *run, const struct step *step)
{
	return run->slots[SLOT_TERMINAL] = sys_open_master(step->subject);
}

/* As the caller's is: mode, characters, size. One that only takes output leaves the caller's to deal with line ends. */
static int furnish(int slave, uint64_t flags, const struct screen *screen)
{
	struct termios settings;
	int rc = 0;

	if (!(flags & STEP_CONTROLS)) {
		rc = sys_get_settings(slave, &settings);
		sys_make_output_raw(&settings);
		if (rc == 0)
			rc = sys_set_settings(slave, &settings);
	} else if (sys_get_settings(0, &settings) == 0) {
		rc = sys_set_settings(slave, &settings);
	}
	if (screen && screen->rows)
		return sys_set_window_size(slave, screen->rows, screen->columns);
	for (int i = 0; !screen && i < STREAMS; i++)
		if (sys_copy_window_size(i, slave) == 0)
			break;
	return rc;
}

static int take_places(int slave, uint64_t flags)
{
	int rc = flags & STEP_CONTROLS ? sys_set_controlling_terminal(slave) : 0;

	for (int i = 0; rc >= 0 && i < STREAMS; i++)
		if (flags >> i & 1)
			rc = sys_dup_to(slave, i);
	return rc;
}

int op_terminal(struct run *run, const struct step *step)
{
	const uint32_t base = step->slot == SLOT_IDS ? (uint32_t)run->slots[SLOT_IDS] : 0;
	int master = step->subject ? sys_open_master(step->subject) : run->slots[SLOT_TERMINAL];
	int slave = master < 0 ? master : sys_open_slave(master);
	int rc = slave;

	if (rc >= 0)
		rc = furnish(slave, step->flags, step->data);
	if (rc >= 0 && step->subject) /* one of the host's has no path inside, and ids that may have no names there */
		rc = sys_chownat(slave, "", (uid_t)step->number + base, (gid_t)step->more + base, AT_EMPTY_PATH);
	if (rc >= 0)
		rc = take_places(slave, step->flags);
	if (rc >= 0 && step->subject)
		rc = channel_send(run->wire, (struct message){ WIRE_TERMINAL, 0 }, master);
	return rc < 0 ? rc : 0; /* both are closed at exec */
}
