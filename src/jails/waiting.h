/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helpers that wait for a visit. Most of what it takes to enter a jail is the same for all who do: to be born, to join, to give
 * privileges away, to prove it. So once a program has been executed in a jail and has ended, a helper does all that for the next.
 *
 * Theory. It waits outside the jail's PID namespace, undumpable, as the jail's user without capabilities, under Landlock: nobody inside
 * sees it or signals it. It is in the jail's groups, and counts there as one process; where those are few it is not made. What it holds
 * are the jail's namespaces and one end of a socket. It reads memory that the keeper writes and hears three descriptors; nothing comes back but what
 * comes from any helper. It ends with the keeper, with the jail, or when nobody has come for a while. Where the jail's filter allows all that
 * is left to do, that is loaded as well (feature/enter_filter.h).
 *
 * A client waits for the end of the program, so on the way there nobody is woken who is not needed: of the birth the keeper is told, but
 * reads it with the rest, once the helper hangs up. The helper then goes on sleeping; its exit, which takes as long as that of a small
 * program, is put off until the program's has been told, or for a moment.
 *
 * Who enters by it has no other wishes than a program, its words and variables. For all others, and whenever something goes wrong
 * before anybody is born inside, a helper is born as for the first: so a helper that waits can fail, but make nothing fail. Where the
 * keeper cannot tell, because a word was lost to it, that is a failure: no program is executed twice.
 */
#ifndef IMMURE_JAILS_WAITING_H
#define IMMURE_JAILS_WAITING_H

#include "jails/visit.h"

/* One for MEMBER, if there can be one and is none. */
void waiting_prepare(struct keeper *keeper, struct member *member);

/* What is asked by PACKET goes on in the helper that waits, and has that long to get in. NULL: there is none for that. */
struct visit *waiting_take(struct keeper *keeper, struct member *member, const struct packet *packet, uint64_t patience_ns);

/* Of one that is VISIT_WAITING: what was polled, handed back. */
void waiting_serve(struct visit *visit, const struct pollfd *polled, unsigned count);

/* It was taken, and its program not executed: once more, by a helper of its own. Negative errno: that failed, and is told in kept.err. */
int waiting_repeat(struct visit *visit) MUST_CHECK;

/* MEMBER has ended: no helper that waits, or has waited, is left in its groups. */
void waiting_drop(struct keeper *keeper, const struct member *member);

#endif
