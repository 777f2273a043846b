/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile: which system calls a program may make, as people write it. A list of rules is read in order and
 * for each call the LAST rule that holds decides; where none does, the profile's default. So whatever is added
 * later wins and nothing is dropped. Pure: no system call, libc only.
 *
 * A rule's text, the same in files and on the command line:
 *
 *	NAME                          openat
 *	NAME(CONDITION, ...)          socket(arg0 == AF_NETLINK, arg2 == NETLINK_ROUTE)      all must hold
 *	CONDITION                     arg0..arg5 [& MASK] ==|!=|<|<=|>|>= VALUE              all 64 bits
 *	                              low(argN) ...           the low 32 bits: what the kernel reads of an int
 *	MASK, VALUE                   a decimal, octal or 0x number, a known constant, or several joined by "|"
 *	NAME                          may be a number below 1024, for calls newer than this build
 *
 * Pointers cannot be looked through: the text of a path is never a condition.
 */
#ifndef IMMURE_FILTER_PROFILE_H
#define IMMURE_FILTER_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "spec/node.h"

enum { FILTER_ARGS = 6, PROFILE_MOST_RULES = 8192, RULE_MOST_CONDITIONS = 16 };

/* What is done about a call. DENY is "as denied calls are treated": chosen when the filter is installed. */
enum filter_action {
	FILTER_ALLOW, FILTER_DENY, FILTER_ERRNO, FILTER_KILL, FILTER_LOG, FILTER_TRAP, FILTER_NOTIFY,
};

enum filter_compare { COMPARE_EQ, COMPARE_NE, COMPARE_LT, COMPARE_LE, COMPARE_GT, COMPARE_GE };

/* Unsigned: (arg & mask) COMPARE value. */
struct filter_condition {
	uint8_t arg;                 /* 0..5 */
	bool is_low_word;            /* the upper 32 bits of the argument are not looked at */
	enum filter_compare compare;
	uint64_t mask, value;        /* mask: all ones where none was given */
};

struct filter_rule {
	const char *name;            /* as written */
	int number, foreign_number;  /* -1: not of that architecture; never both */
	enum filter_action action;   /* not NOTIFY */
	uint16_t errnum;             /* ERRNO */
	uint8_t condition_count;
	const struct filter_condition *conditions;
	const char *reason;          /* why it is blocked; NULL: not said */
	struct origin origin;
};

struct profile {
	const char *name;            /* "default", or the file */
	const char *summary;         /* one sentence; NULL: none */
	enum filter_action fallback; /* for calls without a rule: ALLOW, DENY or KILL */
	enum filter_action denied;   /* what DENY means unless the user says otherwise: ERRNO, KILL, LOG, TRAP */
	uint16_t denied_errnum;      /* ERRNO */
	const struct filter_rule *rules;
	unsigned rule_count;
	const char *const *ignored;  /* names that no architecture here knows, left out; NULL-terminated or NULL */
};

/*
 * Reads a profile from a file's tree, NAME being what messages call it. Two forms, told apart by "defaultAction":
 *
 * immure's own:
 *	summary: one sentence
 *	extends: default              # a shipped profile whose rules come first; optional
 *	default: deny                 # or allow, or kill whatever the user says; needed unless extends is given
 *	denied: errno EPERM           # or kill, log, trap; optional
 *	elsewhere: [arch_prctl]       # calls that not every architecture has: left out, and listed in ignored, where there is none
 *	rules:
 *	  - allow: [read, write]
 *	  - deny: [mount, umount2]    # also kill, log, trap, "errno ENOSYS"
 *	    reason: why
 *
 * Docker's and OCI's JSON: defaultAction, defaultErrnoRet, syscalls of name or names, action, errnoRet, args,
 * includes and excludes. architectures and archMap are not used: the native architecture is meant, and others
 * are governed by compile options. The jail has no capabilities: a row that includes "caps" is left out, one
 * that excludes them applies. minKernel is taken as fulfilled. SCMP_ACT_KILL ends the process, not a thread.
 * A row whose args name one argument twice holds if any of them does, as runc has it. SCMP_ACT_TRACE and
 * SCMP_ACT_NOTIFY are refused. Names no architecture here knows are listed in ignored.
 *
 * On success *PROFILE, in ARENA. On failure the negative errno and the story with the place.
 */
int profile_read(struct arena *arena, const struct node *root, const char *name, const struct profile **profile,
		 struct error *err) MUST_CHECK;

/* The shipped profile NAME; an error that lists the names if there is none. */
int profile_shipped(struct arena *arena, const char *name, const struct profile **profile, struct error *err) MUST_CHECK;

/*
 * *PROFILE becomes a copy in ARENA with one rule more: --seccomp-allow TEXT, --seccomp-deny TEXT; hidden, TEXT fails as on a kernel
 * without it. An unknown name is an error that names the nearest one.
 */
int profile_allow(struct arena *arena, const struct profile **profile, const char *text, const struct origin *origin,
		  struct error *err) MUST_CHECK;
int profile_deny(struct arena *arena, const struct profile **profile, const char *text, const struct origin *origin,
		 struct error *err) MUST_CHECK;
int profile_hide(struct arena *arena, const struct profile **profile, const char *text, const struct origin *origin,
		 struct error *err) MUST_CHECK;

/* The rule that decides about a native call; NULL: the fallback does. ARGS may be NULL: unknown, taken as zeros. */
const struct filter_rule *profile_judge(const struct profile *profile, int number, const uint64_t args[FILTER_ARGS]);

/* Why the call is blocked, in a few words; never NULL. For the result, and "immure profiles NAME". */
const char *profile_explain(const struct profile *profile, int number, const uint64_t args[FILTER_ARGS]);

/* A rule as it would be written, "socket(arg0 == 1)"; in ARENA; NULL: no memory. */
const char *rule_print(struct arena *arena, const struct filter_rule *rule);

/* "allow", "deny", "errno EPERM", "kill", "log", "trap", "notify"; BUFFER holds ACTION_TEXT bytes. */
enum { ACTION_TEXT = 32 };
const char *action_print(enum filter_action action, uint16_t errnum, char *buffer);

#endif
