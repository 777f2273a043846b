/* SPDX-License-Identifier: Apache-2.0 */
#include "jails/kept.h"

#include <errno.h>
#include <stdlib.h>

#include "sys/file.h"
#include "sys/process.h"

int kept_open(struct kept *kept, const struct source *const *sources, void *owner)
{
	*kept = (struct kept){ .timer = -1, .sources = sources, .owner = owner };
	kept->plan = calloc(1, sizeof(*kept->plan));
	return kept->plan ? 0 : -ENOMEM;
}

void kept_free(struct kept *kept)
{
	kept_close(kept);
	kept_stop_timer(kept);
	result_free(&kept->result);
	free(kept->plan);
	arena_free(&kept->arena);
	arena_free(&kept->spec.arena);
}

int kept_set_scope(struct kept *kept, scope_starter *start_scope, struct error *err)
{
	kept->plan->start_scope = start_scope;
	return !start_scope && plan_has(kept->plan, OP_CGROUP_SCOPE) ? explain_no_scope(err) : 0;
}

int kept_begin(struct kept *kept, int rc)
{
	kept->stage = rc < 0 ? KEPT_OVER : rc > 0 ? KEPT_SET_UP : KEPT_WATCHED;
	if (kept->stage != KEPT_WATCHED)
		return rc < 0 ? rc : 0;
	watch_begin(&kept->watch, &kept->run, &kept->result, kept->sources, kept->owner);
	kept->watch.never_waits = true;
	return 0;
}

void kept_close(struct kept *kept)
{
	if (kept->stage != KEPT_PLANNED && kept->stage != KEPT_CLOSED)
		run_close(&kept->run);
	kept->stage = KEPT_CLOSED;
}

unsigned kept_poll(const struct kept *kept, struct pollfd *fds)
{
	unsigned count = 0;

	if (kept->timer >= 0)
		fds[count++] = (struct pollfd){ .fd = kept->timer, .events = POLLIN };
	if (kept->stage == KEPT_SET_UP || kept->stage == KEPT_READY)
		fds[count++] = (struct pollfd){ .fd = kept->run.wire, .events = POLLIN };
	if (kept->stage == KEPT_OVER && kept->run.helper_pidfd >= 0)
		fds[count++] = (struct pollfd){ .fd = kept->run.helper_pidfd, .events = POLLIN };
	for (unsigned i = 0; kept->stage == KEPT_WATCHED && i < kept->watch.count; i++)
		fds[count++] = kept->watch.ready[i];
	return count;
}

bool kept_take_timer(const struct kept *kept, const struct pollfd **polled, unsigned *count)
{
	bool has_fired;

	if (!*count || kept->timer < 0 || (*polled)->fd != kept->timer)
		return false;
	has_fired = (*polled)->revents;
	(*polled)++;
	(*count)--;
	return has_fired;
}

void kept_serve(struct kept *kept, const struct pollfd *polled, unsigned count)
{
	if (kept->stage == KEPT_WATCHED && !watch_serve(&kept->watch, polled, count))
		kept->stage = KEPT_DEAD;
	else if (kept->stage == KEPT_OVER && count && polled->revents)
		reap_helper(&kept->run);
	else if (kept->stage == KEPT_READY && count && polled->revents)
		kept->stage = KEPT_OVER; /* it has nothing to say: it is dead */
	else if (kept->stage == KEPT_SET_UP && kept->waits && count && polled->revents)
		kept->stage = run_take_baton(&kept->run, &kept->result, &kept->err) < 0 ? KEPT_OVER : KEPT_READY;
	else if (kept->stage == KEPT_SET_UP && count && polled->revents)
		(void)!kept_begin(kept, run_go_on(&kept->run, &kept->result, &kept->err));
}

int kept_resume(struct kept *kept)
{
	return kept_begin(kept, run_resume(&kept->run, &kept->result, &kept->err));
}

int kept_finish(struct kept *kept)
{
	kept->stage = KEPT_OVER;
	return watch_finish(&kept->watch, &kept->err);
}

int kept_set_timer(struct kept *kept, uint64_t nanoseconds)
{
	if (kept->timer >= 0)
		return sys_set_timer(kept->timer, nanoseconds);
	kept->timer = sys_timer(nanoseconds);
	return kept->timer < 0 ? kept->timer : 0;
}

void kept_stop_timer(struct kept *kept)
{
	sys_auto_close(&kept->timer);
}
