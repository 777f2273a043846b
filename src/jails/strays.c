/* SPDX-License-Identifier: Apache-2.0 */
/* Children that a program of a jail has given to the keeper. Whoever is the keeper's own is left to those who await it. */
#include <sys/wait.h>

#include "jails/keeper.h"
#include "jails/visit.h"
#include "sys/process.h"

/* Who bears them does so as fast as it can. */
enum { IN_A_TURN = 64 };

/* A child may be its program, of whom nothing was heard yet. */
static bool is_letting_in(const struct visit *visit)
{
	const bool is_program = visit->kind == VISIT_PROGRAM || visit->kind == VISIT_CHECK;

	return visit->kept.stage == KEPT_WATCHED && is_program && !visit->kept.watch.is_started;
}

static bool is_letting_anybody_in(const struct keeper *keeper)
{
	for (const struct visit *visit = keeper->visits; visit; visit = visit->next)
		if (is_letting_in(visit))
			return true;
	return false;
}

static bool awaits(const struct kept *kept, pid_t pid)
{
	return kept->stage != KEPT_PLANNED && kept->stage != KEPT_CLOSED && run_awaits(&kept->run, pid);
}

static bool is_own(const struct keeper *keeper, pid_t pid)
{
	if (keeper->common.is_made && awaits(&keeper->common.kept, pid))
		return true;
	for (const struct member *member = keeper->members; member; member = member->next)
		if (awaits(&member->kept, pid))
			return true;
	for (const struct visit *visit = keeper->visits; visit; visit = visit->next)
		if (awaits(&visit->kept, pid))
			return true;
	return false;
}

/* One of the keeper's own is reaped in a later turn, and after it whoever it hides. */
void strays_reap(struct keeper *keeper)
{
	pid_t dead = 0;
	int status, left = IN_A_TURN;

	keeper->has_strays = false;
	if (!keeper->has_dead_children || is_letting_anybody_in(keeper))
		return;
	while (left && (dead = sys_first_dead_child()) > 0 && !is_own(keeper, dead)) {
		(void)!sys_wait(dead, &status, WNOHANG, NULL);
		left--;
	}
	keeper->has_dead_children = dead > 0;
	keeper->has_strays = !left;
}
