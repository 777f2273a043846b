/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan: one total order of steps, each with the side that performs it, its reason and its undo.
 * It is decided before anything happens, by pure functions, and holds no "if" for run time.
 * Values that only exist at run time (a descriptor, a leased id) live in slots.
 */
#ifndef IMMURE_PLAN_PLAN_H
#define IMMURE_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "host/host.h"
#include "spec/origin.h"
#include "sys/namespace.h"

/* Who acts. The baton passes where the side changes between LAUNCHER and INIT; PAYLOAD is init's child, or init itself where the
 * plan has no OP_FORK. */
enum side { LAUNCHER, INIT, PAYLOAD };

/* The order of everything; a feature names the phase of a step, the plan keeps them sorted and stable. */
enum phase {
	PHASE_LEASE,     /* launcher: ids, state, before anything exists */
	PHASE_GROUP,     /* launcher: the cgroup and its limits */
	PHASE_OPEN,      /* launcher: sources, while it still may */
	PHASE_JOIN,      /* launcher, by a helper that init is born of: namespaces that are there, and one below them */
	PHASE_BIRTH,     /* launcher: init is born */
	PHASE_ADOPT,     /* launcher: id maps, membership of the newborn in groups that it does not enter itself */
	PHASE_MEMBER,    /* init: into groups of version 1, while its ids are those of who made them */
	PHASE_SELF,      /* init: dies with the launcher, ids, joined and unshared namespaces */
	PHASE_NAMES,     /* init: host name, loopback, keyring, clocks */
	PHASE_SOURCES,   /* init: sources that the launcher could not open */
	PHASE_ROOT,      /* init: the new tree, from the root down */
	PHASE_PIVOT,     /* init: into it, and the old one away */
	PHASE_SEAL,      /* init: what must be read-only by now */
	PHASE_READY,     /* init: nobody inside can reach it */
	PHASE_FORK,      /* init: the payload is born */
	PHASE_SESSION,   /* payload: session, terminal, working directory, umask */
	PHASE_LIMITS,    /* payload: resource limits */
	PHASE_IDENTITY,  /* payload: bounding set, groups, gid, uid, capabilities */
	PHASE_PRIVILEGE, /* payload: no_new_privs, then Landlock, which needs it */
	PHASE_CHECK,     /* payload: what is, compared with what was asked */
	PHASE_CLOSE,     /* payload: how many descriptors it may have, behind all that opens one */
	PHASE_FILTER,    /* payload: seccomp, the last thing before the program */
	PHASE_EXEC,
	PHASES,
};

/* The closed set of primitive actions. Which members of a step each one reads is told in plan/op.c. */
enum op {
	OP_LEASE_IDS, OP_JOURNAL, OP_OPEN, OP_CGROUP_ASIDE, OP_CGROUP_CREATE, OP_CGROUP_SCOPE, OP_CGROUP_WATCH, OP_WRITE, OP_ID_USERNS, OP_SOURCE, OP_CLONE, OP_ID_MAP, OP_SUBID_MAP,
	OP_CGROUP_JOIN, OP_CGROUP_VERIFY,
	OP_TELL_BIRTH, OP_TELL_LIFE, OP_AWAIT, OP_LOCK_FILE, OP_HOLD, OP_CLOSE_ON_EXEC, OP_ASSERT_NO_USERNS, OP_NEST, OP_FILTER,
	OP_DIE_WITH_PARENT, OP_DIE_WITH_LAUNCHER, OP_OUTLIVE, OP_HIDE, OP_OWN_ID_MAP, OP_JOIN_NAMESPACE, OP_UNSHARE, OP_BECOME_ROOT_INSIDE,
	OP_HOST_NAME, OP_LOOPBACK, OP_NETWORK_BEGIN, OP_NETWORK_ENTER, OP_KEYRING,
	OP_OPEN_PROCESS, OP_ADOPT, OP_FENCE,
	OP_OWN_USERNS, OP_WRITE_BELOW, OP_BORROW_MOUNT,
	OP_GIVE_NAMESPACES, OP_GIVE_ROOT, OP_GIVE_FILE, OP_ROOT_AGAIN,
	OP_PRIVATE, OP_NEW_MOUNT, OP_ATTACH, OP_DIRECTORY, OP_FIND, OP_FILE, OP_FILE_COVER, OP_SYMLINK, OP_BIND_INSIDE, OP_BIND_PART, OP_OVERLAY, OP_MASK,
	OP_SET_READ_ONLY, OP_PIVOT, OP_CHROOT,
	OP_TOP, OP_PUT, OP_PLACE, OP_FILL, OP_LINK, OP_CHMOD, OP_SEAL, OP_LAYERS,
	OP_FORK, OP_SESSION, OP_SIGNALS, OP_TERMINAL, OP_CHDIR, OP_UMASK, OP_PERSONALITY, OP_RAISE_LIMIT, OP_RLIMIT,
	OP_DROP_BOUNDING, OP_GROUPS, OP_GID, OP_UID, OP_CAPABILITIES, OP_AMBIENT, OP_SECUREBITS, OP_KEEP_CAPABILITIES,
	OP_NO_NEW_PRIVS, OP_LANDLOCK, OP_DESCRIPTORS,
	OP_CHECK_NAMESPACES, OP_CHECK_JOINED, OP_CHECK_INIT, OP_CHECK_ROOT, OP_CHECK_PROCESS, OP_CHECK_IDENTITY, OP_CHECK_CAPABILITIES, OP_CHECK_MOUNTS,
	OP_CHECK_LIMIT, OP_CHECK_DESCRIPTORS,
	OP_CHECK_PROGRAM, OP_SECCOMP, OP_EXEC,
	OP_WALL_TIME, OP_EVIDENCE, OP_PIPES, OP_LEND, OP_PTY, OP_STANDARD,
	OPS,
};

/* Slots with a meaning of their own; further ones are handed out by plan_slot(). -1: none. */
enum slot { SLOT_NONE = -1, SLOT_IDS, SLOT_CGROUP, SLOT_ROOT, SLOT_TERMINAL, SLOT_LISTENER, SLOT_NULL, SLOT_CHILDREN, SLOT_FILE, SLOT_FREE };

/* How the ops of the tree treat their place. */
#define STEP_OWNED 1    /* what is made belongs to the jail's user, not to set-up's id; OP_LEASE_IDS: so does the user namespace */
#define STEP_DIRECT 2   /* all that leads there was made by immure just now: no link can be on the way */
#define STEP_OPTIONAL 4 /* nothing is wrong when there is no such place; OP_AMBIENT: when securebits forbid it */
/* Ops of the standard descriptors: which of them, a bit each, 1, 2 and 4; and then */
#define STEP_ONE_PIPE 8  /* standard error shares the pipe of standard output */
#define STEP_CONTROLS 16 /* the terminal controls the program's session; otherwise it only takes output */
/* Ops of a resource limit: where the caller's own hard limit is lower, that one stays. */
#define STEP_LOWER_STAYS 32
/* Ops of what is otherwise immure's to decide: it stays as the caller has it. */
#define STEP_LEFT 64
/* In MORE of OP_CHECK_PROCESS and OP_CHECK_CAPABILITIES: what is immure's to decide, and so is compared. */
#define CHECK_KEYRING 1
#define CHECK_SESSION 2
#define CHECK_PERSONALITY 4
#define CHECK_INITS_SESSION 8
#define CHECK_BOUNDING 1
#define CHECK_SETS 2
/* In FLAGS of OP_CHECK_IDENTITY. */
#define CHECK_GROUPS 1
#define CHECK_USER 2
#define CHECK_GROUP 4
/* Ops of the tree again: the place is on a mount of immure's own, and reached by it; and, it is a file's. */
#define STEP_WITHIN 128
#define STEP_OF_FILE 256

struct step {
	enum op op;
	enum side side;
	enum phase phase;
	const char *feature;     /* who asked for it; filled in by plan_add */
	const struct origin *origin; /* the value that led to it; NULL: a rule of immure's own */
	const char *why;         /* one short clause; NULL: the feature's name says enough */
	const char *subject;     /* what is acted on: a path, a name */
	const char *text;        /* what it gets: a value, a link's target, mount options */
	uint64_t flags;          /* flags of the call: clone, mount attributes, access */
	uint64_t number, more;   /* quantities; plan/op.c says which */
	unsigned how;            /* STEP_* */
	int within;              /* STEP_WITHIN: the slot of that mount */
	const void *data;        /* a table the op walks */
	size_t size;             /* its length, in items */
	int slot;                /* the descriptor or value made, or used; SLOT_NONE */
	unsigned skip;           /* STEP_WITHIN: how much of the subject leads to that mount */
};

/* Rows of data for ops that walk a table. */
struct landlock_path {
	const char *path;
	uint64_t access;
};
struct mount_expectation {
	const char *path;
	unsigned long set;       /* ST_* flags that must be in force; statfs(2) */
	unsigned long clear;     /* and that must not */
	bool is_optional;        /* it may be missing */
};
/* OP_LAYERS: host directories, the bottom first; UPPER NULL: writes are thrown away. */
struct layer_paths {
	const char *const *lowers;
	unsigned count;
	bool is_writable;
	const char *upper, *work;
};
/* OP_SOURCE: what must be found there. */
struct file_identity {
	uint64_t device, inode;
};
struct id_row {
	uint32_t inside, outside, count;
};
struct mount_id_row {
	uint32_t inside, outside, count;
	uint32_t is_leased;      /* outside counts from the first leased id */
};
/* How a mount shows the ids of its file system: "inside" is what the disk says. mount_setattr(2), MOUNT_ATTR_IDMAP */
struct mount_ids {
	struct mount_id_row uids[6], gids[6];
	unsigned uid_count, gid_count;
};
struct landlock_rules {
	const struct landlock_path *paths;
	unsigned path_count;
	const uint16_t *bind_ports, *connect_ports;
	unsigned bind_count, connect_count;
	uint64_t files, ports, scopes; /* what is governed at all */
};
/* OP_CGROUP_VERIFY: a line that /proc/PID/cgroup must have. */
struct group_row {
	const char *controller;  /* as version 1 names it; "": version 2 */
	const char *path;
};
/* OP_CGROUP_WATCH: the slots that hold the jail's group directories, by controller; SLOT_NONE: there is no such group. */
struct group_slots {
	int slot[CONTROLLERS], version[CONTROLLERS];
};
/* OP_CGROUP_SCOPE: where systemd will put the scope. */
struct scope_place {
	const char *slice;       /* "app.slice" */
	const char *runtime;     /* the folder in which the user's systemd has its bus */
	const char *directory, *path; /* the scope's, in the file system and as /proc/PID/cgroup writes it */
	bool is_launchers;       /* the launcher goes there itself and stays; init does not */
};
/* What is asked of it. */
struct scope {
	const char *name, *slice, *runtime;
	uint32_t pids[2];
	unsigned pid_count;
};
typedef int scope_starter(const struct scope *scope);
/* OP_TERMINAL: the size of the screen, in characters; 0: not known. Without one it is that of the caller's. */
struct screen {
	uint16_t rows, columns;
};
struct program {
	char *const *argv;
	char *const *const *environments; /* one for each row of OP_CHDIR */
	char **script;           /* the shell's words for a file that the kernel cannot execute, whose path goes into [1]; NULL: it is refused */
	const char *const *candidates; /* absolute paths to try, in order; NULL-terminated */
};

enum {
	PLAN_STEPS = 4096, /* a front end's tree may have a thousand places */
	PLAN_HELD = 240,   /* locks and descriptors that init holds for others: a desktop's runtime has a lock for each of its extensions */
};

struct plan {
	struct arena *arena;     /* owns every string; outlives the plan */
	int count;
	int slots;               /* how many slots a run must provide */
	const char *feature;     /* the feature that is adding now */
	bool is_short;           /* memory or room ran out: the plan must not be used */

	/* what several features share; decided by the first that knows */
	uint64_t clone_flags;    /* CLONE_NEW* at birth */
	bool joins_mountns;      /* the tree is another jail's, and unknown */
	bool owns_pids;          /* all processes of the jail end with init, by the PID namespace */
	bool has_userns, has_pidns, has_mountns; /* the jail has one of its own (new, or joined) */
	bool has_no_init;        /* what is born becomes the program: no process of immure's own in the jail */
	bool outlives;           /* the jail goes on to its own end, whatever becomes of the launcher */
	bool leaves_teardown;    /* once all processes but init have ended, nobody waits for the end of init */
	bool leaves_signals;     /* the launcher catches none and passes none on */
	bool opens_as_launcher;  /* the launcher may clone mounts: sources are opened before birth */
	uint64_t propagation;    /* of all mounts of the host's: MS_PRIVATE, or MS_SLAVE */
	bool has_leased_ids;     /* a host id range of its own */
	bool may_set_groups;     /* setgroups(2) works inside */
	bool has_root_inside;    /* id 0 is mapped: set-up runs as it */
	uint64_t init_capabilities; /* what init keeps: to signal a program of another id */
	uint32_t uid, gid;       /* of the program, as seen inside */
	const char *home;
	bool is_holder;          /* it has no program: init holds namespaces for a pod, by descriptor where that is enough. feature/pod.h */
	bool is_born_hidden;     /* others see init from its birth on, so it is never dumpable */
	int process, sysctls;    /* slots of the helper's /proc/self, where a user namespace below another is made, and of /proc/sys/user; 0: none is */
	int proc;                /* slot of a /proc that is not this jail's, to read its own namespaces in; 0: none is needed */
	int parent_world;        /* slot of the user namespace that the jail's own lies below; 0: the launcher's */
	uint64_t shared_worlds;  /* CLONE_NEW*: those that it shares with others, and that are not of its own user namespace */
	bool is_entry;           /* into a jail that is there, beside its own program: feature/enter.h */
	int worlds[NAMESPACES + 1]; /* slots of the jail's own namespaces, which its keeper holds; 0: not its own. The last: the inner user's */
	struct tree *tree;       /* once it is planned, as tree_copy makes it */
	const struct mount_expectation *mounts; /* what must be in force in a tree that was built in order; NULL: it was not */
	size_t mount_count;
	scope_starter *start_scope; /* how OP_CGROUP_SCOPE asks; set by whoever runs the plan; NULL: it cannot */
	struct error *err;       /* where a refusal is told */
	bool is_refused;         /* what was asked for cannot be planned; ERR says why */
	unsigned note_count;
	const char *notes[16];   /* defaults that were left out here, and what that means */
	unsigned left_count;     /* words of --leave */
	const char *left[24];
	unsigned lacking_count;  /* words of --may-lack that were asked for and are not in force */
	const char *lacks[16];
	struct step steps[PLAN_STEPS]; /* last, for most of it is never touched */
};

/* Adds STEP; until plan_sort() the steps stand in the order in which they were added. */
void plan_add(struct plan *plan, struct step step);
/* Into the order of phases; steps of one phase keep their order. */
void plan_sort(struct plan *plan);
int plan_slot(struct plan *plan);
bool plan_has(const struct plan *plan, enum op op);
/* The first step of OP; NULL: there is none. */
const struct step *plan_find(const struct plan *plan, enum op op);
/* Formats into the plan's arena; "" and is_short when memory is exhausted. */
const char *plan_format(struct plan *plan, const char *format, ...) PRINTF_LIKE(2, 3);
const char *plan_copy(struct plan *plan, const char *text);
/* Notes that WHAT (a word of --may-lack) is asked for and not in force. */
void plan_lacks(struct plan *plan, const char *what);

/* Notes for the reader of the plan that a default of immure's is left out. */
void plan_note(struct plan *plan, const char *format, ...) PRINTF_LIKE(2, 3);

/* The words for a step: "mount proc on /proc (nosuid,nodev,noexec)". In ARENA. */
const char *step_words(const struct step *step, struct arena *arena);
const char *op_name(enum op op);
const char *side_name(enum side side);

/* The plan as text: a line a step; or as JSON. */
void plan_print(const struct plan *plan, struct text *out);
/* Members of a JSON object: "plan", a list, "lacks" and "left". */
void plan_print_json(const struct plan *plan, struct text *out);

#endif
