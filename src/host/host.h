/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host: what this machine allows, observed and nothing else. Probed in sections, each only when
 * a plan needs it; tests load it from JSON.
 */
#ifndef IMMURE_HOST_HOST_H
#define IMMURE_HOST_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "spec/spec.h"

enum { HOST_GROUPS = 64 };

enum controller { CONTROLLER_CPU, CONTROLLER_CPUACCT, CONTROLLER_MEMORY, CONTROLLER_PIDS, CONTROLLER_IO,
		  CONTROLLER_FREEZER, CONTROLLERS };

/* How a group for a jail can be made. */
enum cgroup_way {
	CGROUP_NONE,   /* not at all; "lack" says why */
	CGROUP_DIRECT, /* mkdir under "parent" */
	CGROUP_SCOPE,  /* by systemd, over D-Bus: a transient scope with the limits as properties */
};

/* Why no group can be made. */
enum cgroup_lack {
	LACK_NOTHING,
	LACK_CONTROLLER, /* no hierarchy with the controller is mounted here */
	LACK_OUTSIDE,    /* what is mounted does not hold the caller's own group */
	LACK_READ_ONLY,  /* mounted, but not to be written */
	LACK_DELEGATION, /* not handed down to this user */
	LACK_COMPANY,    /* it would be, but other processes share the caller's group: cgroups(7), no internal processes */
};

struct host_controller {
	int version;           /* 0: absent; 1 or 2 */
	enum cgroup_way way;
	bool is_common;        /* a group is made even where nothing is limited: a pod's, and those of its members below it */
	enum cgroup_lack lack; /* NONE: why */
	const char *parent;    /* the directory under which a group can be made; SCOPE: the slice that will hold it */
	const char *path;      /* the same as /proc/PID/cgroup writes it */
};

/* cgroup v2: one place for all its controllers. */
struct host_unified {
	const char *mount;     /* NULL: mounted nowhere */
	const char *own, *own_path; /* the caller's group: its directory, and as /proc/PID/cgroup writes it; NULL: outside */
	const char *above;     /* the parent's parent, when the parent may have to be made; NULL: the parent is there */
	bool must_step_aside;  /* the parent is the caller's own group: the launcher must go into a leaf before */
};

enum manager { MANAGER_NONE, MANAGER_USER };

/* A block device named by --io-max. */
struct host_device {
	const char *name;      /* the path, as given */
	bool is_block;
	unsigned major, minor;
	struct host_device *next;
};

enum path_kind { PATH_MISSING, PATH_FILE, PATH_DIRECTORY, PATH_LINK, PATH_SOCKET, PATH_OTHER };

/* What stands at a path that a plan may need. */
struct host_path {
	const char *path;      /* absolute and clean */
	enum path_kind kind;   /* links are followed, except for the entries of the system tree */
	const char *link;      /* PATH_LINK: what it says */
	uid_t uid;
	gid_t gid;
	unsigned mode;         /* permission bits */
	int errnum;            /* PATH_MISSING: why it cannot be looked at */
	struct host_path *next;
};

struct sub_range {
	uint32_t first, count; /* count 0: none */
};

struct host {
	struct arena arena;      /* owns the strings; the caller's may be a spec's */
	struct caller caller;

	/* basic facts: always there */
	int kernel_major, kernel_minor;
	char architecture[65];   /* uname -m */
	uid_t uid;
	gid_t gid;
	bool has_fixed_sysctls;  /* /proc/sys is read-only */
	bool has_other_groups;   /* supplementary ones, which a single id map cannot drop */
	bool joined_denies_groups; /* --userns join:PID: that user namespace forbids setgroups(2) */
	uint64_t capabilities;   /* effective, capabilities(7) as a mask */
	unsigned last_capability;
	unsigned processors;     /* that the caller may run on; 0: nobody asked */
	const char *run_id;      /* unique for this run: "immure-PID-RANDOM" */
	bool in_initial_userns;
	bool has_proc;           /* a real procfs on /proc */
	bool has_no_namespaces;  /* tried, and refused: neither root nor user namespaces */
	bool root_is_rootfs;     /* pivot_root(2) cannot replace the initial ramfs */
	int landlock_abi;        /* 0: none */
	bool has_seccomp, has_seccomp_notify;
	bool has_mount_api;      /* mount_setattr(2) and open_tree(2) */
	bool core_pattern_is_pipe;
	const char *skeleton;    /* a folder of root's that nobody else may write, installed with immure; NULL: none. feature/skeleton.h */
	const char *state_folder; /* "/run/immure", or under XDG_RUNTIME_DIR, or /tmp/immure-UID; it need not exist yet */

	struct host_path *paths;    /* looked up for this spec */

	/* accounts: looked up in the jail's own files, when --root names a directory */
	uint32_t found_uid, found_gid; /* --user, --group by name, or what @user found */
	bool has_found_uid, has_found_gid;
	const char *found_home;    /* of --user by name, where DIR has that folder; NULL: none */
	const char *found_group_names[HOST_GROUPS]; /* --groups by name, and their numbers */
	gid_t found_groups[HOST_GROUPS];
	unsigned found_group_count;
	gid_t member_groups[HOST_GROUPS]; /* the groups that list --user, for "--groups @user" */
	unsigned member_group_count;

	/* cgroups: probed when a limit needs them */
	bool has_cgroups;        /* this section was probed */
	bool has_cgroup_v1;      /* mounted, be it without any controller */
	struct host_controller controllers[CONTROLLERS];
	struct host_unified unified;
	enum manager manager;    /* the systemd that would make a scope */
	bool has_swap;           /* swap space is in use */
	bool has_swap_limit;     /* the memory controller can limit it, as far as is known */
	struct host_device *devices;

	/* sub-ids: probed when asked for */
	struct sub_range sub_uid, sub_gid;

	/* the terminal and descriptors */
	bool has_no_pty;           /* a standard descriptor is a terminal, and the host's /dev has no pseudo-terminals */
	bool has_keeper;         /* what the program writes is a keeper's to read, and the standard descriptors here are nobody's */
	uint16_t screen_rows, screen_columns; /* of who started a jail that is kept; 0: none is known */
	bool keeps_input;        /* its input stays open for those who attach */
	const char *resolv_conf; /* the host's, when its network is shared */
};

#define HOST_HAS_CAP(host, cap) (((host)->capabilities >> (cap)) & 1)

/* The facts about PATH; a static "missing" when nobody looked. Never NULL. */
const struct host_path *host_look(const struct host *host, const char *path);

/* The device named NAME; NULL: nobody looked. */
const struct host_device *host_find_device(const struct host *host, const char *name);

/* Whether the kernel is MAJOR.MINOR or newer. */
bool host_kernel_is(const struct host *host, int major, int minor);

#endif
