/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pods: what several jails share, and nothing else. It is made by the plan of a holder, which has no program: its init makes the
 * namespaces, gives them to the keeper and ends, unless it is the first process of a PID namespace. A member's plan joins them.
 *
 *	root      net, ipc, uts, pid: of the host's user namespace; each member leases ids of its own
 *	          mounts: the pod has a user namespace with leased ids, and those of the members lie below it with the same ids, so
 *	          that files have owners whom all members know
 *	others    the pod has a user namespace, which owns all that is shared; those of the members lie below it
 *	cgroup    the members' groups lie below the pod's, whose limits bound them together
 */
#ifndef IMMURE_FEATURE_POD_H
#define IMMURE_FEATURE_POD_H

#include "feature/feature.h"

enum { SHARE_NET = 1, SHARE_IPC = 2, SHARE_UTS = 4, SHARE_PID = 8, SHARE_MOUNTS = 16, SHARE_CGROUP = 32, SHARE_ALL = 63, SHARES = 6 };

/* "net", "ipc", "uts", "pid", "mounts", "cgroup", in the order of the bits. */
extern const char *const share_names[SHARES];
/* "net,ipc": the bits. -EINVAL and the story. */
int share_parse(const char *text, unsigned *kinds, struct error *err) MUST_CHECK;

/* SPEC, as the user wants the pod, becomes that of the holder of KINDS; what is not shared is refused where it was asked for. */
int pod_shape(struct spec *spec, unsigned kinds, const struct host *host, struct error *err) MUST_CHECK;

/* What a keeper has of its pod. */
struct pod_share {
	const char *pod;                    /* its name */
	unsigned kinds;
	enum ids_mode ids;                  /* of the members, where the pod has a user namespace */
	const char *worlds[NAMESPACES];     /* paths of the pod's namespaces, in the order of namespace_names; NULL: it has none */
};

/* SPEC of a jail that is to be a member joins what is shared. What it asked for itself and cannot have is refused. */
int pod_join(struct spec *spec, const struct pod_share *share, struct error *err) MUST_CHECK;

/* The groups of HOST under which a member's groups are made, from the plan of the holder. For the holder itself, where HOLDER is
 * NULL: one is made for each controller that can be had. Where systemd makes it the keeper goes into the scope, whose groups are its
 * own from then on. */
void pod_place(struct host *host, const struct plan *holder);

/* Leaves in PLAN what a holder does; the payload's part goes. */
void pod_hold(struct plan *plan);

#endif
