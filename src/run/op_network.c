/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network namespace that is made while init goes on. Making one and raising lo takes the kernel about as long as all of the tree,
 * so a helper of init's does it on another processor: it shares the descriptor table, leaves the namespace in a slot and ends, with
 * an errno as its status. Init enters when nothing else is left to do, and only then has to succeed in raising lo. Nothing of the jail
 * runs meanwhile.
 */
#include <errno.h>
#include <sys/wait.h>

#include "run/op.h"
#include "sys/process.h"

/* The table is init's as well: what is not closed here stays open there. Where it fails, PLACE is nothing to enter by. */
static void leave_network(int place)
{
	enum { NETWORK = 3 }; /* in namespace_names */
	auto_close int self = sys_open_pid(sys_pid());
	auto_close int network = sys_open_own_namespace(self, -1, NETWORK);

	if (network >= 0)
		sys_dup_to(network, place);
}

static _Noreturn void make_network(int place)
{
	int rc = sys_new_network();

	if (rc == 0)
		leave_network(place);
	sys_exit(-rc);
}

int op_network_begin(struct run *run, const struct step *step)
{
	const int place = run->slots[step->slot] = sys_duplicate(run->wire); /* a number that stays free */

	if (place < 0)
		return place;
	run->network_helper = sys_fork_as(HELPER_PID);
	if (run->network_helper == 0)
		make_network(place);
	return 0; /* without a helper init makes it */
}

static int await_helper(pid_t helper)
{
	int status = 0, rc = sys_wait(helper, &status, 0, NULL);

	if (rc < 0)
		return rc;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

/*
 * Init makes it here where there was no helper, by a limit on processes, where nothing was left to enter by, without /proc on an older
 * kernel, or where an outer filter allows unshare(2) and not setns(2).
 */
int op_network_enter(struct run *run, const struct step *step)
{
	auto_close int network = run->slots[step->slot];
	const bool is_made = run->network_helper > 0;
	int rc = is_made ? await_helper(run->network_helper) : run->network_helper < 0 ? 0 : -ECHILD;

	run->slots[step->slot] = -1;
	run->network_helper = 0;
	if (rc < 0 || (is_made && sys_join_network(network) == 0))
		return rc;
	return sys_new_network();
}

int blame_network(struct run *run, int rc)
{
	int earlier = run->network_helper > 0 ? await_helper(run->network_helper) : 0;

	if (earlier == 0)
		return rc;
	while (run->plan->steps[run->at].op != OP_NETWORK_ENTER)
		run->at++;
	return earlier;
}
