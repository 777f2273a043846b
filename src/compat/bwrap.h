/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside src/compat only: bubblewrap's command line in immure's words. Three steps, each of which can be tested without the
 * others: bwrap_read() understands the words, bwrap_check() refuses what does not go together, bwrap_tell() says it to a spec.
 * What they need to know of the machine is in struct bwrap_caller, which a test may make up.
 */
#ifndef IMMURE_COMPAT_BWRAP_H
#define IMMURE_COMPAT_BWRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "immure.h"

/* The release of bubblewrap whose words these are. */
#define BWRAP_SPOKEN "0.11.0"

enum {
	BWRAP_MOST_WORDS = 9000,        /* all words together, those of --args included */
	BWRAP_MOST_BYTES = 64 << 20,    /* of one --args */
	BWRAP_UNSET_ID = -1,
};

struct bwrap_caller {
	uint32_t uid, gid;
	uint64_t capabilities;          /* effective; root's, where it keeps them */
	unsigned last_capability;       /* of this kernel */
	bool has_userns, has_cgroupns;  /* this kernel has them, and they are not switched off */
	bool has_selinux;
	bool is_hardened;               /* IMMURE_HARDEN=1 */
};

struct bwrap_operation {
	struct immure_mount mount;
	const char *where; /* "--ro-bind" */
};

struct bwrap_variable {
	const char *name, *pair; /* NAME=VALUE; NULL: unset */
};

/* A descriptor that an option uses up: the program does not get it. */
struct bwrap_consumed {
	int descriptor;
	const char *where;
};

/* What the words say. Strings belong to the words and to the data of --args; lists to this. */
struct bwrap {
	const struct bwrap_caller *caller;
	const char *own_name;                 /* argv[0] */
	FILE *output, *complaints;
	char error[2560];                     /* why a step returned -1; may have further lines, which begin with two spaces */
	bool is_answered;                     /* --help, --version: there is nothing more to do */
	size_t words_seen;
	bool is_in_data;                      /* the words come from --args */
	char **owned;                         /* strings made here: what --args held, paths with a "/" put before them */
	size_t owned_count;

	/* modifiers of the next operation */
	int next_mode;                        /* -1: none */
	uint64_t next_size;                   /* 0: none */
	const char **next_lowers;
	size_t next_lower_count;

	bool has_level_prefix;
	/* each as the words say, until bwrap_check() has settled what is to be */
	bool unshare_user, unshare_user_try, unshare_ipc, unshare_pid, unshare_net, unshare_uts, unshare_cgroup, unshare_cgroup_try;
	bool disable_userns, assert_userns_disabled;
	const char *label;                    /* the option that asks for a label of SELinux's; NULL: none */
	bool new_session, die_with_parent, as_pid_1;
	int userns_fd, userns2_fd, pidns_fd, sync_fd, block_fd, userns_block_fd, info_fd, json_status_fd; /* -1: none */
	int64_t uid, gid;                     /* BWRAP_UNSET_ID: the caller's */
	const char *hostname, *start_folder, *argv0; /* NULL: not given */
	bool is_environment_cleared;
	bool has_capability_words;
	uint64_t capabilities;

	int seccomp_fd;                       /* --seccomp; -1: none */
	int *filters;                         /* --add-seccomp-fd, in order */
	size_t filter_count;
	const char **lock_files;
	size_t lock_count;
	struct bwrap_variable *variables;     /* one for each name: the last word about it */
	size_t variable_count;
	struct bwrap_operation *operations;
	size_t operation_count;
	struct bwrap_consumed *consumed;
	size_t consumed_count;
	bool needs_init;                      /* a process of immure's own lives in the sandbox; settled by bwrap_check() */
};

/* ---- the table ---- */

enum bwrap_flags {
	TAKES_MODE = 1,    /* --perms before it counts */
	TAKES_SIZE = 2,
	TAKES_LOWERS = 4,  /* --overlay-src before it count */
	IS_MODIFIER = 8,   /* it says something about the next operation */
	IS_OPTIONAL = 16,  /* a missing source is skipped */
};

struct bwrap_option {
	const char *name, *arguments; /* "SRC DEST": a word each; "" */
	const char *help;
	/* ARGUMENTS: as many as the row has. 0, or -1 with the error set. */
	int (*act)(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
	const char *key;              /* of an operation: that of struct immure_mount */
	size_t member;                /* of struct bwrap: what it sets */
	unsigned flags;               /* enum bwrap_flags */
	int mode;                     /* of what it makes, without --perms; -1: immure's default */
};

/* Ended by a row without a name. */
extern const struct bwrap_option bwrap_options[];

const struct bwrap_option *bwrap_find_option(const char *name);
unsigned bwrap_argument_count(const struct bwrap_option *option);
void bwrap_print_usage(FILE *out, const char *own_name);

/* ---- bubblewrap's sentences for steps that failed ---- */

/* Which operation a sentence names; where there is none, another sentence is looked for. */
enum bwrap_about {
	BWRAP_NONE,
	BWRAP_FIRST,       /* the first of its option */
	BWRAP_SOURCE, BWRAP_TARGET, /* what is shown, by its source or by its place */
};

enum { BWRAP_PLACE_ERRNUM = -1 };   /* each that tells of a place that it could not be made or used */

struct bwrap_sentence {
	const char *op;               /* members of struct immure_step */
	const char *subject, *origin; /* NULL: any */
	uint64_t flags;               /* one of them at least; 0: any */
	int errnum;                   /* BWRAP_PLACE_ERRNUM; 0: any */
	bool is_file;
	enum bwrap_about about;
	const char *said;             /* with %s, %o, %t, %l, %e */
};

/* Ended by a row without an op. */
extern const struct bwrap_sentence bwrap_sentences[];

/* Whether bubblewrap has a sentence for STEP; in TEXT. */
bool bwrap_print_sentence(const struct bwrap *bwrap, const struct immure_step *step, char *text, size_t room);

/* ---- steps; 0, or -1 with bwrap->error set ---- */

void bwrap_init(struct bwrap *bwrap, const struct bwrap_caller *caller, const char *own_name);
void bwrap_free(struct bwrap *bwrap);

/* Reads the words that are options, up to "--" or the first that is none; returns how many. */
int bwrap_read(struct bwrap *bwrap, int count, char *const words[]);
/* What does not go together; and what follows from other words is settled here. */
int bwrap_check(struct bwrap *bwrap);
/* Sources that are not there: found before anything is done, with bubblewrap's words. */
int bwrap_check_sources(struct bwrap *bwrap);
/* Descriptors that options use up will close when the program starts. */
int bwrap_close_consumed(struct bwrap *bwrap);
int bwrap_tell(const struct bwrap *bwrap, struct immure_spec *spec, struct immure_error *err);

/* The facts about who calls; and, once the words are read, those about the machine that they depend on: each costs a walk through /proc. */
void bwrap_find_caller(struct bwrap_caller *caller);
void bwrap_find_kinds(struct bwrap_caller *caller, const struct bwrap *bwrap);

/* ---- what several files use ---- */

int bwrap_refuse(struct bwrap *bwrap, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bwrap_warn(const struct bwrap *bwrap, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints TEXT as bubblewrap prints errors (LEVEL 3) and warnings (4); each line with <LEVEL> after --level-prefix. */
void bwrap_print(const struct bwrap *bwrap, int level, const char *text);

/* What immure says went wrong; at STEP (NULL: at none), with PROGRAM being run (NULL: not yet). */
void bwrap_complain(const struct bwrap *bwrap, const struct immure_error *err, const struct immure_step *step, const char *program);

/* What stands at PLACE, where no link could be made, as far as it can be told; in TEXT, which is returned. */
const char *bwrap_describe_place(const struct bwrap *bwrap, const char *place, char *text, size_t room);

/* LIST, which has COUNT items of SIZE, with room for one more; NULL, with the error set: no memory, and LIST stays. */
void *bwrap_room(struct bwrap *bwrap, void *list, size_t count, size_t size);
/* Keeps TEXT, which may be NULL for "no memory", to be freed at the end; returns it, or NULL with the error set. */
char *bwrap_own(struct bwrap *bwrap, char *text);
/* PATH as seen from the sandbox's root; NULL: the error is set. */
const char *bwrap_rooted(struct bwrap *bwrap, const char *path);
/* Notes that DESCRIPTOR is used up by WHERE. */
int bwrap_consume(struct bwrap *bwrap, int descriptor, const char *where);
/* 0 to MOST as strtol(3) reads it, which scripts may rely on, but all of TEXT; 0, or -1 without an error set. */
int bwrap_read_number(const char *text, long most, long *number);
int bwrap_read_descriptor(struct bwrap *bwrap, const char *text, int *descriptor);

/* 0 to 40, or -1. As capabilities(7) writes them, in any case. */
int bwrap_capability_number(const char *name);
const char *bwrap_capability_name(unsigned number);

/* The handlers of the table. */
int act_help(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_version(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_arguments(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_once(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_text(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_nothing(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_flag(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_clear_flag(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_unshare_all(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_descriptor(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_id(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_set_variable(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_unset_variable(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_clear_environment(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_lock_file(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_seccomp(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_add_seccomp(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_capability(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_label(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_mode(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_size(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
int act_lower(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
/* DEST */
int act_target(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
/* SRC DEST */
int act_source(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
/* FD DEST */
int act_descriptor_target(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
/* OCTAL PATH */
int act_chmod(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);
/* RWSRC WORKDIR DEST */
int act_overlay(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[]);

#endif
