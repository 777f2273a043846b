/* SPDX-License-Identifier: Apache-2.0 */
/* Undoing the launcher's steps, last first. A leased id is undone by closing its lock. */
#include "run/undo.h"

#include <fcntl.h>

#include "run/group.h"
#include "run/state.h"
#include "sys/folder.h"
#include "sys/process.h"

enum { KEPT_PATIENCE_MS = 100 };

/* Others are served beside a kept run: what its journal names is taken away by a later run, or by immure gc. */
static int patience_of(const struct run *run)
{
	return run->is_kept ? KEPT_PATIENCE_MS : GROUP_PATIENCE_MS;
}

/* Below the true root the group's parent is immure's own: the last run that leaves takes it away. */
static int undo_create(const struct run *run, const struct step *step)
{
	const char *const *folders = step->data;
	int rc = group_remove(step->subject, patience_of(run));

	for (size_t i = step->size; i > 1; i--)
		sys_unlinkat(AT_FDCWD, folders[i - 1], AT_REMOVEDIR);
	return rc;
}

/* The group may hold processes again once it no longer hands anything down. */
static int undo_aside(const struct run *run, const struct step *step)
{
	auto_close int own = sys_open(step->text, O_RDONLY | O_DIRECTORY, 0);
	int rc = own < 0 ? own : 0;

	if (rc == 0 && *(const char *)step->data)
		rc = sys_write_below(own, "cgroup.subtree_control", step->data);
	if (rc == 0)
		rc = sys_write_below(own, "cgroup.procs", "0");
	return rc < 0 ? rc : group_remove(step->subject, patience_of(run));
}

void undo_steps(struct run *run)
{
	bool is_whole = true;

	for (int i = run->at < run->plan->count ? run->at : run->plan->count - 1; i >= 0; i--) {
		const struct step *step = &run->plan->steps[i];

		if (step->op == OP_CGROUP_CREATE)
			is_whole &= undo_create(run, step) == 0;
		else if (step->op == OP_CGROUP_ASIDE)
			is_whole &= undo_aside(run, step) == 0;
		else if (step->op == OP_DIE_WITH_PARENT && run->parent_signal >= 0)
			sys_die_with_parent(run->parent_signal);
		else if (step->op == OP_JOURNAL && is_whole && run->slots[step->slot] >= 0)
			journal_remove(step->subject);
	}
}
