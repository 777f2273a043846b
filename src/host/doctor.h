/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this machine allows, found out by trying; for each "no" the cause and what to do. Trials happen in children that end
 * with them: nothing is left and nothing of the host changes.
 */
#ifndef IMMURE_HOST_DOCTOR_H
#define IMMURE_HOST_DOCTOR_H

#include "host/host.h"

enum verdict { VERDICT_NO, VERDICT_PARTLY, VERDICT_YES };

/* One row of the answer. Texts are static or owned by the doctor's arena; NULL: nothing to say. */
struct finding {
	const char *name, *meaning;  /* what is looked at, and what it is for */
	enum verdict verdict;
	const char *found, *cause, *remedy;
};

struct doctor {
	struct arena *arena;
	const struct host *host;
	bool has_userns;             /* a user namespace was made and mapped */
	uint64_t namespaces;         /* that the jail's other namespaces are made with: CLONE_NEWUSER, or 0 for root */
};

typedef void check_function(struct doctor *doctor, struct finding *finding);

enum { DOCTOR_FINDINGS = 48 };

/* Fills at most DOCTOR_FINDINGS rows and returns how many. HOST: its basic facts and cgroups were probed. */
unsigned doctor_examine(struct arena *arena, const struct host *host, struct finding *findings);

const char *verdict_name(enum verdict verdict);

/* For the checks: answers in words. */
void answer(struct doctor *doctor, struct finding *finding, enum verdict verdict, const char *found, ...) PRINTF_LIKE(4, 5);
void blame(struct doctor *doctor, struct finding *finding, const char *cause, ...) PRINTF_LIKE(3, 4);
void advise(struct doctor *doctor, struct finding *finding, const char *remedy, ...) PRINTF_LIKE(3, 4);

/* A small file's first line, "" when it cannot be read. Returns BUFFER. */
const char *doctor_read(const char *path, char *buffer, size_t size);

/* Whether the caller is under a seccomp filter, as in most containers. */
bool doctor_is_filtered(void);

/* doctor_*.c, by family */
check_function check_userns, check_pidns, check_mountns, check_netns, check_utsns, check_ipcns, check_cgroupns, check_timens;
check_function check_mount, check_mount_api, check_proc, check_overlay, check_idmap, check_devices, check_root;
check_function check_ranges, check_subids;
check_function check_landlock, check_landlock_ports, check_landlock_scopes, check_seccomp, check_notify, check_no_new_privs;
check_function check_clone3, check_pidfd, check_close_range, check_openat2, check_terminal, check_core, check_state, check_loopback, check_login;
check_function check_cgroup_layout, check_cgroup_way, check_controllers, check_cgroup_kill, check_pause, check_systemd;

#endif
