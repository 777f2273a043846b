/* SPDX-License-Identifier: Apache-2.0 */
/* Ops that give privileges away for good. */
#include <errno.h>
#include <fcntl.h>

#include "run/op.h"
#include "sys/confine.h"

static uint32_t with_lease(const struct run *run, const struct step *step)
{
	return (uint32_t)step->number + (step->slot == SLOT_IDS ? (uint32_t)run->slots[SLOT_IDS] : 0);
}

int op_drop_bounding(struct run *run, const struct step *step)
{
	(void)run;
	for (unsigned capability = 0; capability <= step->number; capability++) {
		int rc = step->flags >> capability & 1 ? 0 : sys_drop_bounding(capability);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int op_groups(struct run *run, const struct step *step)
{
	(void)run;
	return sys_set_groups(step->data, step->size);
}

int op_gid(struct run *run, const struct step *step)
{
	return sys_set_gid(with_lease(run, step));
}

int op_uid(struct run *run, const struct step *step)
{
	return sys_set_uid(with_lease(run, step));
}

/* Inheritable as well, or the ambient set could not be raised; without --cap-add all are empty. */
int op_capabilities(struct run *run, const struct step *step)
{
	const struct sys_capabilities caps = { step->flags, step->flags, step->flags };
	int rc = sys_clear_ambient();

	(void)run;
	return rc < 0 ? rc : sys_set_capabilities(&caps);
}

/* Of those that are left as they are, the kernel takes what is permitted and inheritable: the others are not tried. capabilities(7) */
int op_ambient(struct run *run, const struct step *step)
{
	struct sys_capabilities held;
	uint64_t wanted = step->flags;

	(void)run;
	if (step->how & STEP_LEFT && sys_get_capabilities(&held) == 0)
		wanted &= held.permitted & held.inheritable;
	for (unsigned capability = 0; capability < 64; capability++) {
		int rc = wanted >> capability & 1 ? sys_raise_ambient(capability) : 0;

		if (rc == -EPERM && step->how & STEP_LEFT)
			continue;
		if (rc == -EPERM && step->how & STEP_OPTIONAL)
			return sys_clear_ambient();
		if (rc < 0)
			return rc;
	}
	return 0;
}

int op_securebits(struct run *run, const struct step *step)
{
	(void)run;
	return sys_set_securebits((unsigned)step->number);
}

int op_keep_capabilities(struct run *run, const struct step *step)
{
	(void)run;
	(void)step;
	return sys_keep_capabilities(true);
}

int op_no_new_privs(struct run *run, const struct step *step)
{
	(void)run;
	(void)step;
	return sys_no_new_privileges();
}

static int allow_paths(int ruleset, const struct landlock_rules *rules)
{
	for (unsigned i = 0; i < rules->path_count; i++) {
		auto_close int fd = sys_open(rules->paths[i].path, O_PATH, 0);
		int rc = fd < 0 ? fd : sys_landlock_allow_path(ruleset, fd, rules->paths[i].access);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int allow_ports(int ruleset, const uint16_t *ports, unsigned count, uint64_t access)
{
	for (unsigned i = 0; i < count; i++) {
		int rc = sys_landlock_allow_port(ruleset, ports[i], access);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int op_landlock(struct run *run, const struct step *step)
{
	const struct landlock_rules *rules = step->data;
	auto_close int ruleset = sys_landlock_create(rules->files, rules->ports, rules->scopes);
	int rc = ruleset;

	(void)run;
	if (rc >= 0)
		rc = allow_paths(ruleset, rules);
	if (rc >= 0)
		rc = allow_ports(ruleset, rules->bind_ports, rules->bind_count, 1);
	if (rc >= 0)
		rc = allow_ports(ruleset, rules->connect_ports, rules->connect_count, 2);
	return rc < 0 ? rc : sys_landlock_enter(ruleset);
}

/* Init goes on with the wire and what it holds; the program keeps what stays open at exec. All else was set-up's, or the caller's. */
static bool is_in_use(const struct run *run, int fd)
{
	bool is_held = fd == run->wire || fd == run->lease || fd == run->slots[SLOT_CHILDREN] || sys_stays_open(fd);

	for (unsigned i = 0; i < run->held_count; i++)
		is_held |= fd == run->held[i];
	return is_held;
}

static int free_a_number(const struct run *run)
{
	int fd = 3;

	while (is_in_use(run, fd))
		fd++;
	return sys_close(fd);
}

/* The descriptor of the notifications lands in the table shared with init, which sends it out. */
int op_seccomp(struct run *run, const struct step *step)
{
	int rc = sys_seccomp_load(step->data, (unsigned short)step->size, step->number);

	if (rc == -EMFILE && free_a_number(run) == 0)
		rc = sys_seccomp_load(step->data, (unsigned short)step->size, step->number);
	if (rc >= 0 && step->number)
		run->slots[SLOT_LISTENER] = rc;
	return rc < 0 ? rc : 0;
}

int op_filter(struct run *run, const struct step *step)
{
	(void)run;
	return sys_seccomp_load(step->data, (unsigned short)step->size, false);
}
