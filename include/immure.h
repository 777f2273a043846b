/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libimmure: walls for programs you do not trust.
 *
 *	struct immure_spec *spec = immure_spec_new();
 *	struct immure_result *result;
 *	struct immure_error err;
 *
 *	if (immure_spec_set(spec, "rw", "/srv/work", NULL, &err) < 0 ||
 *	    immure_spec_command(spec, argv, &err) < 0 ||
 *	    immure_run(spec, &result, &err) < 0)
 *		fprintf(stderr, "%s\n", err.text);
 *
 * The library never prints and never exits. Functions return 0 or more, or a negative errno, and tell the story of a failure
 * in an immure_error, whose pointer may be NULL. Strings given to it are copied unless it is said otherwise. A spec or a
 * result belongs to one thread at a time; different ones may be used at once.
 */
#ifndef IMMURE_H
#define IMMURE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IMMURE_API __attribute__((visibility("default")))

/* "0.1.0"; static. */
IMMURE_API const char *immure_version(void);

/* ---- errors ---- */

struct immure_error {
	int errnum;       /* positive errno; as a rule EINVAL for a mistake in what was asked */
	int exit_code;    /* what the command immure would exit with: 125, 126 or 127 */
	char id[32];      /* "E-PROC-MASKED": a topic of immure_topic(); "" when there is no remedy */
	char text[2048];  /* "run: step 14, for proc (web.yaml:9:3): ...: Operation not permitted\n  try: ..." */
};

/* ---- specs: what is wanted ---- */

struct immure_spec;

/* A spec with every default. The caller frees it; NULL: no memory. */
IMMURE_API struct immure_spec *immure_spec_new(void);
IMMURE_API void immure_spec_free(struct immure_spec *spec); /* NULL is fine */

/* Sets option KEY ("memory") as --KEY=VALUE would; list options append. VALUE NULL: as a bare flag. WHERE is named in later
 * messages as the value's origin; NULL: "--KEY". */
IMMURE_API int immure_spec_set(struct immure_spec *spec, const char *key, const char *value, const char *where,
			       struct immure_error *err);

/* One thing for the jail's tree, said in members instead of words: paths are taken literally, nothing is an escape. With the
 * flag "ordered" the tree is built from these alone, one by one in the order given, over an empty writable root. */
struct immure_mount {
	/* "ro", "rw", "rw-dev" (device nodes work): a host path, with all that is mounted below it; "tmpfs"; "dir"; "file" (made
	 * there, or overwritten); "symlink". The rest with "ordered" only: "data", "data-ro" (a file mounted on the target),
	 * "new-proc", "new-dev", "mqueue", "seal" (the mount that stands there becomes read-only, alone), "chmod", "layers" and
	 * "layers-ro" (an overlay). */
	const char *key;
	const char *source;      /* of ro, rw, rw-dev: the host path; symlink: what it says; file, data: the content, as text */
	const char *target;      /* where, inside; ro, rw, rw-dev with NULL: on the same path as the source */
	int descriptor;          /* -1: none. Without SOURCE, ro, rw, rw-dev: what it is open on is shown; file, data: read to its end */
	int mode;                /* permission bits of tmpfs, dir, file, data, chmod; -1: the default. Parents that have to be made get
				  * no right for group or others where this gives them none */
	uint64_t size;           /* of tmpfs, in bytes; 0: the default */
	int is_optional;         /* ro, rw, rw-dev: left out when there is no such source */
	const char *const *lowers;  /* layers: host directories, the bottom first; NULL-terminated */
	const char *upper, *work;   /* layers: host directories of one file system, where writes are kept; NULL: thrown away */
};
/* Appends MOUNT; WHERE as in immure_spec_set. Members that do not belong to the key must be 0, NULL or -1 as described. */
IMMURE_API int immure_spec_mount(struct immure_spec *spec, const struct immure_mount *mount, const char *where,
				 struct immure_error *err);

/* Reads options from ARGV[0..ARGC) up to "--" or the first word that is no option; files and presets first, so that the
 * words win. Returns how many words were read. */
IMMURE_API int immure_spec_arguments(struct immure_spec *spec, int argc, char *const argv[], struct immure_error *err);

/* Adds the settings of a policy file (YAML or JSON; "-": standard input) with what it extends; what was set before by
 * immure_spec_set or from words wins. The same as setting "policy". To replace a preset that files choose, set "preset"
 * before. -ENOTSUP in a build without the reader. */
IMMURE_API int immure_spec_load(struct immure_spec *spec, const char *path, struct immure_error *err);

/* The program and its arguments, NULL-terminated. Without a word (or NULL) a policy file's command stays; it must have one. */
IMMURE_API int immure_spec_command(struct immure_spec *spec, char *const argv[], struct immure_error *err);

/* The value of option KEY as a user would write it, "" when unset; valid until the spec changes. NULL: no such option. */
IMMURE_API const char *immure_spec_get(struct immure_spec *spec, const char *key);

/* ---- explaining: what would happen ---- */

enum immure_format { IMMURE_TEXT, IMMURE_JSON };

/* The whole plan and every setting with its origin; nothing is run. *TEXT is freed with free(). */
IMMURE_API int immure_explain(struct immure_spec *spec, enum immure_format format, char **text, struct immure_error *err);

/* Plans for the machine whose facts (immure_facts) are in the file at PATH, instead of this one. Such a spec can be explained
 * and not run. */
IMMURE_API int immure_spec_host(struct immure_spec *spec, const char *path, struct immure_error *err);

/* ---- what this machine allows ---- */

/* Tries everything that immure needs, in children that end with what they try; at most some seconds. *TEXT, freed with free(),
 * has a row for each thing: whether it can be had, why not, and what to do. *WORKS: whether immure_run with defaults works. */
IMMURE_API int immure_doctor(enum immure_format format, char **text, int *works, struct immure_error *err);
/* What plans are made from, as JSON; freed with free(). */
IMMURE_API int immure_facts(char **text, struct immure_error *err);

/* ---- running ---- */

struct immure_result;

/* Runs the command to its end. 0: it was started, *RESULT says how it ended. Negative: it was not; *RESULT is given all the
 * same when it exists (else NULL). The caller frees it.
 * With "lifetime" own the jail's init may still live then, a child of the caller that sends no SIGCHLD and is seen by wait only
 * with __WCLONE or __WALL. With "init" no the program itself is a child of the caller: nothing else may wait for any child meanwhile,
 * and SIGCHLD has its default disposition until the call returns. "info-fd" and "status-fd" are closed when they were written. */
IMMURE_API int immure_run(struct immure_spec *spec, struct immure_result **result, struct immure_error *err);
IMMURE_API void immure_result_free(struct immure_result *result); /* NULL is fine */

/* The exit code of the command immure: the program's own, 128+n, 124, 125, 126, 127. */
IMMURE_API int immure_result_exit_code(const struct immure_result *result);
/* "exited", "signaled", "wall-time", "cpu-time", "memory", "output", "blocked-call", "setup"; static. */
IMMURE_API const char *immure_result_reason(const struct immure_result *result);
/* Lines for a person, each ended by a newline, about what the exit code does not tell: blocked calls, limits. "" when there is
 * nothing, or with --quiet. Owned by RESULT. */
IMMURE_API const char *immure_result_remark(const struct immure_result *result);

/* A step of the plan, as explain prints it in JSON. */
struct immure_step {
	unsigned number;      /* its place in the plan, from 1 */
	const char *op;       /* the act, one of a closed set that grows: "clone", "put", "exec" */
	const char *subject;  /* what it acts on, literally: a path, a name; "" */
	const char *origin;   /* of the value that led to it: WHERE of immure_spec_set, "web.yaml:9:3"; "": a rule of immure's own */
	uint64_t flags;       /* of its call: CLONE_NEW*, MOUNT_ATTR_* */
	int is_file;          /* "put": of a file, not of a directory */
	int errnum;           /* why it failed, positive */
};
/* The step that failed, owned by RESULT. NULL: none did; the program was started, or there was no plan to begin with. */
IMMURE_API const struct immure_step *immure_result_failed_step(const struct immure_result *result);

/* ---- jails that stay ---- */

/*
 * A jail that stays is run by a keeper, a process of immure's own, and found by its name, by its user only. It lives on when who
 * started it ends. A struct immure_jail is a talk with its keeper; it belongs to one thread at a time, and closing it does nothing
 * to the jail. Where the keeper was killed its jails have died with it and are "lost": they can be opened, looked at and removed.
 */
struct immure_jail;

/* Starts SPEC's command as the options "name", "pod", "rm", "interactive", "log-size" and "stop-signal" say, and returns when the
 * program is executed; without a name one is made up. The caller closes *JAIL. -EEXIST: the name is taken. */
IMMURE_API int immure_start(struct immure_spec *spec, struct immure_jail **jail, struct immure_error *err);
/* The caller closes *JAIL. -ENOENT: there is none of that name. */
IMMURE_API int immure_jail_open(const char *name, struct immure_jail **jail, struct immure_error *err);
IMMURE_API void immure_jail_close(struct immure_jail *jail); /* NULL is fine */
IMMURE_API const char *immure_jail_name(const struct immure_jail *jail);

struct immure_jail_info {
	const char *name, *pod;
	const char *state;        /* "starting", "running", "paused", "ended", "lost", "silent": its keeper does not answer */
	const char *command;      /* its words with spaces between; control characters are shown as "?" */
	const char *ports;        /* TCP ports on which somebody listens in the jail's network, unless that is the host's: "80,443"; "" */
	const char *paused_by;    /* of one that is paused: "cgroup" or "freezer" (version 1), which it does not notice; or "signals"; "" */
	const char *health;       /* "starting", "healthy", "unhealthy"; "": it does not live, or has no health check */
	const char *reason;       /* of one that has ended, as immure_result_reason says; "" */
	const char *started;      /* "2026-11-22T03:41:28.123456789Z", so that order of letters is order of time; "": not known */
	int64_t pid;              /* of its first process, as the host sees it. Of numbers: -1: not known */
	int64_t pids, memory_bytes, cpu_ns, uptime_ns;
	int64_t exit_code;        /* of one that has ended */
	const char *json;         /* all that is known, as an object on one line */
};
/* Calls SEE for each jail in the order of names, or for that of NAME alone, until it answers other than 0, which is returned. */
IMMURE_API int immure_jails(const char *name, int (*see)(void *argument, const struct immure_jail_info *info), void *argument,
			    struct immure_error *err);

/* The same with what is known without asking keepers, so that one that does not answer keeps nobody waiting: STATE is "running" for all
 * that live. */
IMMURE_API int immure_jail_names(int (*see)(void *argument, const char *name, const char *state), void *argument, struct immure_error *err);

/* SIGNAL: "SIGTERM", "TERM" or "15", for the program. */
IMMURE_API int immure_jail_signal(struct immure_jail *jail, const char *signal, struct immure_error *err);
/* Asks the program to end, by the jail's stop signal, and kills the jail after GRACE_MS. Returns when it has ended. */
IMMURE_API int immure_jail_stop(struct immure_jail *jail, uint64_t grace_ms, struct immure_error *err);
IMMURE_API int immure_jail_kill(struct immure_jail *jail, struct immure_error *err);
IMMURE_API int immure_jail_pause(struct immure_jail *jail, struct immure_error *err);
IMMURE_API int immure_jail_resume(struct immure_jail *jail, struct immure_error *err);
/* Returns when it has ended; *EXIT_CODE: as immure_result_exit_code. -ETIMEDOUT, exit code 124: it did not within TIMEOUT_MS; a
 * negative one never comes. */
IMMURE_API int immure_jail_wait(struct immure_jail *jail, int64_t timeout_ms, int *exit_code, struct immure_error *err);
/* 0 when its health check ("health") says so. -EAGAIN, exit code 1: it is unhealthy; -ESRCH: it has ended; -ETIMEDOUT as above;
 * -EINVAL: nobody looks. */
IMMURE_API int immure_jail_wait_healthy(struct immure_jail *jail, int64_t timeout_ms, struct immure_error *err);
/* Removes one that has ended, with its log; FORCE: kills it before. The name is free afterwards. -EBUSY: it lives. */
IMMURE_API int immure_jail_remove(struct immure_jail *jail, int force, struct immure_error *err);
/* State, what was asked, and plan as JSON; freed with free(). Of one that is lost there is no plan. */
IMMURE_API int immure_jail_inspect(struct immure_jail *jail, char **json, struct immure_error *err);
/* What was asked, as a policy file for immure_spec_load; freed with free(). Also of one that has ended or is lost. -EINVAL: it was
 * given bytes that no policy file can say. */
IMMURE_API int immure_jail_spec(struct immure_jail *jail, char **policy, struct immure_error *err);

/* How a talk with a running program ended. */
struct immure_end {
	int exit_code;            /* of the program; 0 when it goes on */
	int is_detached;          /* by the keys, or since nobody reads any more or the terminal is gone */
	int signal;               /* that ended the talk; 0: none. The program goes on */
	uint64_t lost_bytes;      /* of output, since it was not read fast enough */
};
enum {
	IMMURE_ATTACH_INPUT = 1,  /* what comes from standard input is typed */
	IMMURE_ATTACH_REPLAY = 2, /* first what was written before, as far as it is kept */
	IMMURE_ATTACH_ENDS_INPUT = 4, /* the end of standard input is the end of the program's */
	IMMURE_ATTACH_SIGNALS = 8, /* signals that ask to end are the program's, and do not end the talk */
};
/* Joins the caller's standard descriptors with the jail until the program or the talk ends. A terminal is raw meanwhile where the jail
 * has one too, and as before afterwards. DETACH_KEYS: "ctrl-p,ctrl-q", or letters; NULL: none. */
IMMURE_API int immure_jail_attach(struct immure_jail *jail, unsigned flags, const char *detach_keys, struct immure_end *end,
				  struct immure_error *err);

struct immure_exec {
	char *const *argv;        /* NULL-terminated */
	const char *const *env;   /* "NAME=VALUE", added to the jail's; NULL-terminated; NULL: none */
	const char *workdir;      /* NULL: the jail's */
	const char *user, *group; /* as the options of that name: who it is inside; NULL: the jail's user. Without GROUP that user's own */
	const char *groups;       /* as the option; NULL: the jail's, but none of another user's */
	int has_input;            /* it reads the caller's standard input; otherwise that is empty */
	int has_terminal;         /* a new one of the jail's; standard input and output are joined with it */
	const char *detach_keys;  /* with a terminal: the program is hung up; NULL: none */
};
/* Runs a program in the jail, confined as the jail's own, to its end. */
IMMURE_API int immure_jail_exec(struct immure_jail *jail, const struct immure_exec *exec, struct immure_end *end, struct immure_error *err);

struct immure_log_query {
	const char *since;        /* "10m": in the last ten minutes; or a time, "2026-11-22T03:41:28Z"; NULL: all */
	int64_t tail;             /* the last so many lines; -1: all */
	int stream;               /* 1, 2: standard output, error; 0: both */
	int follows;              /* goes on until the jail has ended */
};
struct immure_log_piece {
	const char *time;         /* "2026-11-22T03:41:28.123456789Z" */
	int stream, begins_line, ends_line;
	const char *bytes;        /* not terminated; without the line's end */
	size_t size;
};
IMMURE_API int immure_jail_logs(struct immure_jail *jail, const struct immure_log_query *query,
				int (*see)(void *argument, const struct immure_log_piece *piece), void *argument, struct immure_error *err);

/* A descriptor of a file or folder in the jail, opened there by its user and by nobody's other rights. FLAGS as open(2); O_CREAT with
 * O_DIRECTORY: a folder that is made. */
IMMURE_API int immure_jail_file(struct immure_jail *jail, const char *path, int flags, unsigned mode, struct immure_error *err);
/* Copies a file, or a folder with all below it; links are copied as links. DIRECTION 0: out of the jail; 1: into it. */
IMMURE_API int immure_jail_copy(struct immure_jail *jail, int direction, const char *inside, const char *outside, struct immure_error *err);

/* Calls SEE with a line of JSON for what has happened to jails that are there, and, with FOLLOWS, for what happens. */
IMMURE_API int immure_events(int follows, int (*see)(void *argument, const char *line), void *argument, struct immure_error *err);

struct immure_pod_info {
	const char *name, *state; /* "running"; "ended": its shared processes have; "lost" */
	unsigned jails;
	const char *json;
};
/* A pod that is there without a jail. SHARE: what its jails have in common, "net,ipc"; "": nothing. SPEC: the options that shape that. */
IMMURE_API int immure_pod_create(struct immure_spec *spec, const char *name, const char *share, struct immure_error *err);
IMMURE_API int immure_pods(int (*see)(void *argument, const struct immure_pod_info *info), void *argument, struct immure_error *err);
/* Stops its jails, the last first. */
IMMURE_API int immure_pod_stop(const char *name, uint64_t grace_ms, struct immure_error *err);
/* FORCE: jails of it that live are killed; else -EBUSY. */
IMMURE_API int immure_pod_remove(const char *name, int force, struct immure_error *err);

/* ---- cleaning up ---- */

/* Undoes what runs that were killed have left on the host; running ones are not touched. Returns how many were cleaned up;
 * negative when something could not be removed: it stays noted for the next time. */
IMMURE_API int immure_gc(struct immure_error *err);

/* ---- what there is ---- */

struct immure_option {
	const char *key, *metavar, *help, *detail, *example, *fallback, *since, *section; /* static; NULL: none */
	const char *type;           /* "flag", "count", "size", "duration", "share", "octal", "enum", "name", "path", "strings",
				     * "words", "mounts", "id-maps", "rlimits", "ports", "namespace"; static */
	const char *const *choices; /* the words that are permitted, NULL-terminated; NULL: any */
	char letter;                /* 0: none */
	int is_list;
	int is_for_words_only;      /* has no meaning in a policy file */
};
/* The option at INDEX, in the order of help; 0, or -ENOENT past the end. */
IMMURE_API int immure_option_at(unsigned index, struct immure_option *option);

struct immure_text {
	const char *name, *summary, *text; /* static */
};
/* The presets and seccomp profiles as their files say them, and the topics of help (each "E-..." of an error is one), in order
 * of name. 0, or -ENOENT past the end. Only in the full library. */
IMMURE_API int immure_preset_at(unsigned index, struct immure_text *preset);
IMMURE_API int immure_profile_at(unsigned index, struct immure_text *profile);
IMMURE_API int immure_topic_at(unsigned index, struct immure_text *topic);

/* How far apart two words are, for "did you mean": the number of single-character edits. */
IMMURE_API unsigned immure_word_distance(const char *left, const char *right);

/* The life of the keeper of POD; returns its exit code when its last jail is gone. For the command's own use: it expects the
 * descriptors with which a keeper is started. */
IMMURE_API int immure_keeper(const char *pod);

#ifdef __cplusplus
}
#endif

#endif
