/* SPDX-License-Identifier: Apache-2.0 */
/* Ops of the launcher. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/op.h"
#include "run/state.h"
#include "sys/process.h"

enum { MAP_TEXT = 4096 };

/* The folder is nearly always there. */
static int open_lease(const char *path)
{
	int fd = sys_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);

	if (fd == -ENOENT) {
		auto_close int folder = state_open_folder(path);

		fd = folder < 0 ? folder : sys_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	}
	return fd;
}

/* One byte of the lease file stands for one range; its lock dies with the launcher, however that dies. */
int op_lease_ids(struct run *run, const struct step *step)
{
	auto_close int fd = open_lease(step->subject);
	const uint64_t start = sys_now_ns() / 1000;

	if (fd < 0)
		return fd;
	for (uint64_t i = 0; i < step->more; i++) {
		const uint64_t range = (start + i) % step->more;
		int rc = sys_lock_byte(fd, (int64_t)range);

		if (rc == -EAGAIN || rc == -EACCES)
			continue;
		if (rc < 0)
			return rc;
		run->slots[SLOT_IDS] = (int)(step->number + range * step->flags);
		run->lease = take_fd(&fd);
		if (step->how & STEP_OWNED)
			run->owner = (uint32_t)run->slots[SLOT_IDS];
		return 0;
	}
	return -EUSERS;
}

int op_open(struct run *run, const struct step *step)
{
	return run->slots[step->slot] = sys_open(step->subject, (int)step->number, 0);
}

int op_write(struct run *run, const struct step *step)
{
	int rc = sys_write_file(step->subject, step->text);

	(void)run;
	return rc == -ENOENT && step->how & STEP_OPTIONAL ? 0 : rc;
}

/* One line of a map behind the USED bytes of TEXT, which holds MAP_TEXT. user_namespaces(7) */
static int add_map_line(char *text, size_t *used, uint32_t inside, uint32_t outside, uint32_t count)
{
	int length = snprintf(text + *used, MAP_TEXT - *used, "%" PRIu32 " %" PRIu32 " %" PRIu32 "\n", inside, outside, count);

	if (length < 0 || (size_t)length >= MAP_TEXT - *used)
		return -E2BIG;
	*used += (size_t)length;
	return 0;
}

/* The lines of a map; a leased range is added to the outside ids. */
static int print_map(const struct run *run, const struct step *step, char *text)
{
	const struct id_row *row = step->data;
	const uint32_t base = step->slot == SLOT_IDS ? (uint32_t)run->slots[SLOT_IDS] : 0;
	size_t used = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < step->size; i++)
		rc = add_map_line(text, &used, row[i].inside, row[i].outside + base, row[i].count);
	return rc;
}

int op_id_map(struct run *run, const struct step *step)
{
	char path[64], text[MAP_TEXT];
	int rc = print_map(run, step, text);

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)run->init, step->subject);
	return rc < 0 ? rc : sys_write_file(path, text);
}

static int print_mount_ids(const struct run *run, const struct mount_id_row *row, unsigned count, char *text)
{
	size_t used = 0;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < count; i++) {
		const uint32_t base = row[i].is_leased ? (uint32_t)run->slots[SLOT_IDS] : 0;

		rc = add_map_line(text, &used, row[i].inside, row[i].outside + base, row[i].count);
	}
	return rc;
}

int op_id_userns(struct run *run, const struct step *step)
{
	const struct mount_ids *ids = step->data;
	char uids[MAP_TEXT], gids[MAP_TEXT];
	int rc = print_mount_ids(run, ids->uids, ids->uid_count, uids);

	if (rc == 0)
		rc = print_mount_ids(run, ids->gids, ids->gid_count, gids);
	return rc < 0 ? rc : (run->slots[step->slot] = sys_new_userns(uids, gids));
}

/* newuidmap(1), newgidmap(1): set-user-id helpers of the host that check /etc/subuid and /etc/subgid. */
int op_subid_map(struct run *run, const struct step *step)
{
	const struct id_row *row = step->data;
	const char *helper = strcmp(step->subject, "uid_map") == 0 ? "/usr/bin/newuidmap" : "/usr/bin/newgidmap";
	char numbers[3 * 64 + 1][12], *argv[3 * 64 + 3] = { (char *)helper };
	size_t count = 1;

	if (step->size > 64)
		return -E2BIG;
	snprintf(numbers[0], sizeof(numbers[0]), "%d", (int)run->init);
	for (size_t i = 0; i < step->size; i++) {
		snprintf(numbers[count], sizeof(numbers[0]), "%" PRIu32, row[i].inside);
		snprintf(numbers[count + 1], sizeof(numbers[0]), "%" PRIu32, row[i].outside);
		snprintf(numbers[count + 2], sizeof(numbers[0]), "%" PRIu32, row[i].count);
		count += 3;
	}
	for (size_t i = 0; i < count; i++)
		argv[i + 1] = numbers[i];
	return sys_run_helper(helper, argv);
}
