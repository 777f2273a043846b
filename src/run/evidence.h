/* SPDX-License-Identifier: Apache-2.0 */
/* What is in force, read from the kernel when the program has been executed; not from the plan. Only for --result. */
#ifndef IMMURE_RUN_EVIDENCE_H
#define IMMURE_RUN_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct evidence {
	pid_t init, program;              /* as the launcher sees them; 0: not found */
	struct {
		uint64_t inode;               /* 0: could not be read */
		bool is_own;                  /* another one than the launcher's */
	} namespaces[8];                  /* in the order of namespace_names */
	bool has_status;                  /* the following was read from the program's own state */
	uint32_t uid[4], gid[4];          /* real, effective, saved, file system: host ids */
	uint64_t capabilities[5];         /* inheritable, permitted, effective, bounding, ambient */
	int no_new_privileges, seccomp, seccomp_filters; /* seccomp: 0 none, 2 a filter */
	char uid_map[512], gid_map[512], groups[256], cgroup[2048]; /* as the kernel prints them; "": could not be read */
};

#endif
