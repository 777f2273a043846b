/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spec: what the user wants, each value with the place it came from. It never holds pids,
 * descriptors that immure opened, or decisions.
 */
#ifndef IMMURE_SPEC_SPEC_H
#define IMMURE_SPEC_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/number.h"
#include "spec/origin.h"

/* A namespace is new, the caller's, or another's. For the network, BARE is new with loopback down. */
enum namespace_mode { NAMESPACE_NEW, NAMESPACE_HOST, NAMESPACE_JOIN, NAMESPACE_BARE };

struct namespace_choice {
	enum namespace_mode mode;
	const char *target; /* JOIN: a pid, the path of a namespace file, or, until it is resolved, the name of a jail that stays */
};

enum mount_kind {
	MOUNT_RO, MOUNT_RW, MOUNT_TMPFS, MOUNT_FILE, MOUNT_DIR, MOUNT_SYMLINK, MOUNT_MASK, MOUNT_OVERLAY,
	/* only where the tree is built in order */
	MOUNT_RW_DEV, MOUNT_DATA, MOUNT_DATA_RO, MOUNT_NEW_PROC, MOUNT_NEW_DEV, MOUNT_MQUEUE, MOUNT_SEAL, MOUNT_CHMOD,
	MOUNT_LAYERS, MOUNT_LAYERS_RO, MOUNT_KINDS,
};

enum file_content { CONTENT_TEXT, CONTENT_PATH, CONTENT_DESCRIPTOR };

/* One thing put into the jail's tree. */
struct mount {
	enum mount_kind kind;
	const char *source;  /* RO, RW, RW_DEV, OVERLAY: a host path as given; SYMLINK: what the link says; FILE, DATA: text or path */
	const char *target;  /* where, inside; NULL: the same path as the source */
	enum file_content content; /* FILE, DATA */
	const char *bytes;   /* FILE, DATA: its content, once it was read; may hold any byte */
	size_t content_size;
	int descriptor;      /* FILE, DATA from a descriptor; RO, RW: shows what it is open on; -1: none */
	uint64_t device, inode; /* RO, RW of a descriptor: of the file, once its path was looked up */
	uint64_t size_bytes, inodes; /* TMPFS; NUMBER_NONE: the common default */
	unsigned mode;       /* TMPFS, DIR, FILE, CHMOD: permission bits */
	bool has_mode;       /* it was said; otherwise it is the kind's default */
	bool is_optional;    /* left out when the source is missing */
	const char **lowers; /* LAYERS: host directories, the bottom first */
	unsigned lower_count;
	const char *upper, *work; /* LAYERS: where writes are kept; NULL: thrown away */
	struct origin origin;
	struct mount *next;
};

struct string_item {
	const char *text;
	struct origin origin;
	struct string_item *next;
};

struct id_map {
	uint32_t inside, outside, count;
	struct origin origin;
	struct id_map *next;
};

struct rlimit_item {
	int resource;        /* RLIMIT_*; getrlimit(2) */
	uint64_t soft, hard; /* NUMBER_NONE: RLIM_INFINITY */
	struct origin origin;
	struct rlimit_item *next;
};

struct port_item {
	uint16_t port;
	struct origin origin;
	struct port_item *next;
};

enum proc_mode { PROC_NEW, PROC_BIND, PROC_NONE };
enum sys_mode { SYS_NONE, SYS_RO };
enum dev_mode { DEV_MINIMAL, DEV_NONE };
enum root_mode { ROOT_RO, ROOT_RW, ROOT_OVERLAY, ROOT_RW_DEV };
enum ids_mode { IDS_AUTO, IDS_SINGLE, IDS_SUBID, IDS_RANGE };
enum landlock_mode { LANDLOCK_AUTO, LANDLOCK_OFF };
enum denied_action { DENIED_ERRNO, DENIED_KILL, DENIED_LOG, DENIED_TRAP };
enum env_base { ENV_SMALL, ENV_NONE, ENV_CALLER };
enum tty_mode { TTY_AUTO, TTY_YES, TTY_NO };
enum init_mode { INIT_OWN, INIT_NONE };
enum lifetime { LIFETIME_LAUNCHER, LIFETIME_OWN };

/* Where a field was last set. Fields are told apart by their offset in the spec. */
struct field_origin {
	size_t offset;
	struct origin origin;
};

/*
 * What comes from the process that asks and not from its words: looked at once, where that process is (host_look_at_caller). It
 * travels with the spec, so that a plan made in another process is the same.
 */
struct caller {
	const char *cwd;         /* NULL: it is gone */
	const char *logical_cwd; /* by the links that led there, as PWD tells; NULL: nobody asked, or it tells nothing of use */
	const char *term, *lang; /* TERM and LANG; NULL: unset */
	const char *runtime;     /* XDG_RUNTIME_DIR; NULL: unset */
	bool stdin_is_tty, stdout_is_tty, stderr_is_tty;
	bool stderr_is_stdout;   /* the same file; looked at where output is limited */
	const char *stdout_path; /* of the terminal, where a new /dev shows it as its console; NULL: there is none */
	unsigned umask;          /* looked at where it is left */
};

enum { SPEC_ORIGINS = 160 };

struct filter;
struct sock_filter;

/* Compiled by somebody else. */
struct compiled_filter {
	const struct sock_filter *program;
	unsigned short count; /* instructions */
};

struct profile;

struct spec {
	struct arena arena; /* owns every string and list below */
	struct caller caller;
	char **command;     /* argv of the program, NULL-terminated */

	/* namespaces */
	struct namespace_choice userns, pidns, mountns, net, utsns, ipcns, cgroupns, timens;
	const char *host_name;
	uint64_t monotonic_offset_ns, boottime_offset_ns;
	const char *userns_parent, *pidns_parent, *inner_userns; /* paths of namespace files */
	bool asserts_no_userns;
	bool may_nest;      /* new user namespaces may be made inside */

	/* file system */
	const char *root;   /* NULL: host view; "empty"; a directory */
	enum root_mode root_mode;
	struct mount *mounts;
	bool is_ordered;    /* the tree is built from mounts alone, one by one */
	enum proc_mode proc;
	enum sys_mode sys;
	enum dev_mode dev;
	uint64_t tmp_bytes, tmp_inodes;
	const char *workdir;

	/* identity */
	enum ids_mode ids;
	struct id_map *uid_maps, *gid_maps;
	const char *user, *group; /* name or number */
	struct string_item *groups;
	bool allow_host_root;
	struct string_item *env;  /* NAME=VALUE, or NAME: the caller's value */
	enum env_base env_base;   /* what they are added to */
	struct string_item *unset_env;
	const char *const *caller_environment; /* ENV_CALLER: a copy, once it was read; NULL-terminated */
	const char *argv0;
	struct string_item *keep_fds;
	unsigned umask;
	bool no_aslr;
	bool keep_keyring;

	/* privileges */
	struct string_item *cap_add;
	const char *securebits;
	bool raises_ambient;
	const char *seccomp;      /* a shipped profile, a file, or "off" */
	struct string_item *seccomp_allow, *seccomp_deny, *seccomp_fds;
	enum denied_action seccomp_action;
	bool foreign_arch;
	const struct profile *custom_profile; /* what custom_filter was compiled from */
	const struct filter *custom_filter; /* compiled from a file or edits, before planning; NULL: a shipped one */
	const struct compiled_filter *compiled_filters; /* one for each of seccomp_fds, once they were read; NULL before */
	enum landlock_mode landlock;
	struct port_item *tcp_bind, *tcp_connect;

	/* limits */
	uint64_t memory_bytes, swap_bytes;
	uint64_t cpus_thousandths;
	uint64_t cpu_time_ns, wall_time_ns;
	uint64_t pids;
	uint64_t output_bytes;
	struct string_item *io_max; /* DEVICE:rbps=N,wbps=N,riops=N,wiops=N */
	struct rlimit_item *rlimits;

	/* life cycle */
	enum init_mode init;
	enum lifetime lifetime;
	bool dies_with_parent;
	struct string_item *lock_files, *hold_fds;
	const char *info_fd, *status_fd, *block_fd, *maps_fd; /* numbers of descriptors */

	/* a jail that stays */
	const char *name, *pod;
	bool is_detached, goes_at_end, keeps_input;
	uint64_t log_bytes;       /* NUMBER_NONE: no log */
	const char *stop_signal;
	const char *health;       /* a command, base/command.h; NULL: nobody looks */
	uint64_t health_interval_ns, health_timeout_ns, health_start_ns; /* NUMBER_NONE: no such time */
	uint64_t health_retries;

	/* running */
	enum tty_mode tty;
	struct string_item *require, *may_lack;
	/* not settings either, but what a pod's keeper sees to; feature/pod.h */
	bool is_holder;           /* there is no program: it is what a pod's members share */
	const char *pod_mounts;   /* path of the mount namespace from which a member takes /proc or /dev/shm; NULL: none */
	bool borrows_proc, borrows_shm;
	bool has_common_group;    /* of the pod, in which its members' lie */
	bool is_kept;             /* not a setting: its launcher is a keeper, who lets others in later */
	struct string_item *leave; /* what stays as the caller has it */
	const char *result_path, *meta_path;
	bool is_quiet;
	struct string_item *policy_files;
	const char *preset;

	unsigned origin_count;
	struct field_origin origins[SPEC_ORIGINS]; /* last: it is long */
};

/* Where the field at OFFSET was set; a default's origin when it never was. */
const struct origin *spec_origin(const struct spec *spec, size_t offset);
#define SPEC_ORIGIN(spec, member) spec_origin(spec, offsetof(struct spec, member))

/* Remembers that the field at OFFSET was set by ORIGIN. */
void spec_set_origin(struct spec *spec, size_t offset, const struct origin *origin);

/* Defaults of immure's own limits that --leave limits takes away; what was asked for stays. */
void spec_leave_limits(struct spec *spec);
/* The first choice of a namespace that names a jail and no process; NULL: none. */
struct namespace_choice *spec_joins_jail(struct spec *spec);

/* Makes relative host paths absolute, from CWD (NULL: it is gone), and gives each mount its target. */
int spec_make_absolute(struct spec *spec, const char *cwd, struct error *err) MUST_CHECK;

/* Whether a keeper runs it, and not the caller. */
bool spec_stays(const struct spec *spec);

/* Whether the user named WHAT in --may-lack (or "all"). */
bool spec_may_lack(const struct spec *spec, const char *what);
bool spec_requires(const struct spec *spec, const char *what);
/* Whether WHAT stays as the caller has it (--leave). */
bool spec_leaves(const struct spec *spec, const char *what);

/* A mount with its kind's defaults; NULL: no memory. */
struct mount *mount_new(struct arena *arena, enum mount_kind kind, const struct origin *origin);
/* Whether MOUNT can be meant at all. */
int mount_check(const struct mount *mount, struct error *err) MUST_CHECK;
/* Behind those of its own layer and below. */
void mount_insert(struct mount **list, struct mount *mount);
/* Whether its source is a path of the host's. */
bool mount_is_of_host(const struct mount *mount);
/* Whether a plan can be made from it: it has what its kind needs, content has been read. For what came from elsewhere. */
bool mount_is_whole(const struct mount *mount);
/* Whether it is a file whose content is given. */
bool mount_has_content(enum mount_kind kind);

bool string_list_has(const struct string_item *list, const char *text);

#endif
