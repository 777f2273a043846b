/* SPDX-License-Identifier: Apache-2.0 */
/* Words for ops: one row each, a pattern over the members of a step. */
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "plan/plan.h"

/*
 * In a pattern: %s subject, %t text, %n number, %m more, %o number in octal, %p more in octal, %a mount attributes,
 * %d number as a duration, %i standard descriptors in flags, %f namespaces in flags, %x flags in hexadecimal, %z size.
 */
static const struct {
	const char *name, *pattern;
} ops[OPS] = {
	[OP_LEASE_IDS] = { "lease-ids", "lease a range of %x host ids (%s)" },
	[OP_OPEN] = { "open", "open %s" },
	[OP_JOURNAL] = { "journal", "note in %s what is to be undone" },
	[OP_CGROUP_ASIDE] = { "cgroup-aside", "step aside into cgroup %s" },
	[OP_CGROUP_CREATE] = { "cgroup-create", "create cgroup %s" },
	[OP_CGROUP_WATCH] = { "cgroup-watch", "%t" },
	[OP_CGROUP_SCOPE] = { "cgroup-scope", "ask systemd for the scope %s, and move %t into it" },
	[OP_WRITE] = { "write", "write \"%t\" to %s" },
	[OP_ID_USERNS] = { "id-userns", "make a user namespace for mounts: %s" },
	[OP_SOURCE] = { "source", "open a copy of %s (%a)" },
	[OP_CLONE] = { "clone", "clone init into new namespaces: %f" },
	[OP_ID_MAP] = { "id-map", "write %s of init" },
	[OP_SUBID_MAP] = { "subid-map", "set %s of init" },
	[OP_CGROUP_JOIN] = { "cgroup-join", "move init into cgroup %s" },
	[OP_CGROUP_VERIFY] = { "cgroup-verify", "read back that init is in %z cgroups named %s" },
	[OP_DIE_WITH_LAUNCHER] = { "die-with-launcher", "die when %s dies" },
	[OP_TELL_BIRTH] = { "tell-birth", "tell descriptor %n the pid and the namespaces: %f" },
	[OP_TELL_LIFE] = { "tell-life", "tell descriptor %n the pid and the namespaces: %f; in the end how the program ended" },
	[OP_AWAIT] = { "await", "wait for a byte or the end on descriptor %n" },
	[OP_LOCK_FILE] = { "lock-file", "lock %s for reading" },
	[OP_HOLD] = { "hold", "keep descriptor %n open in init" },
	[OP_CLOSE_ON_EXEC] = { "close-on-exec", "close %z descriptors at exec" },
	[OP_ASSERT_NO_USERNS] = { "assert-no-userns", "try to make a user namespace, which must fail" },
	[OP_FILTER] = { "filter", "load the compiled filter %s (%z instructions)" },
	[OP_NEST] = { "nest", "enter a user namespace within this one, with the same ids" },
	[OP_DIE_WITH_PARENT] = { "die-with-parent", "die when the process that started immure dies" },
	[OP_OUTLIVE] = { "outlive", "live on from here when the launcher is gone" },
	[OP_HIDE] = { "hide", "become undumpable and forget the command line: nobody may trace it, take its descriptors, or read its words" },
	[OP_OWN_ID_MAP] = { "own-id-map", "write its own %s" },
	[OP_JOIN_NAMESPACE] = { "join-namespace", "join %s" },
	[OP_UNSHARE] = { "unshare", "unshare namespaces: %f" },
	[OP_BECOME_ROOT_INSIDE] = { "become-root-inside", "become uid %n, gid %m of the jail" },
	[OP_OPEN_PROCESS] = { "open-process", "open process %s" },
	[OP_ADOPT] = { "adopt", "adopt the jail's orphans" },
	[OP_FENCE] = { "fence", "enter a Landlock domain that signals cannot leave" },
	[OP_OWN_USERNS] = { "own-userns", "make a user namespace below, with uid %n and gid %m" },
	[OP_WRITE_BELOW] = { "write-below", "write \"%t\" to %s" },
	[OP_BORROW_MOUNT] = { "borrow-mount", "take a copy of the pod's %s" },
	[OP_GIVE_NAMESPACES] = { "give-namespaces", "give the launcher its namespaces: %f" },
	[OP_GIVE_ROOT] = { "give-root", "give the launcher its root" },
	[OP_GIVE_FILE] = { "give-file", "open %s (%o) and give it to the launcher" },
	[OP_ROOT_AGAIN] = { "root-again", "chroot into the jail's root" },
	[OP_HOST_NAME] = { "host-name", "set the host name to %s" },
	[OP_LOOPBACK] = { "loopback", "bring lo up" },
	[OP_NETWORK_BEGIN] = { "network-begin", "have a helper make a network namespace, with lo up" },
	[OP_NETWORK_ENTER] = { "network-enter", "enter the network namespace that the helper has made" },
	[OP_KEYRING] = { "keyring", "join a new session keyring" },
	[OP_PRIVATE] = { "private", "make all mounts under %s %t" },
	[OP_NEW_MOUNT] = { "new-mount", "make a file system %s (%a; %t)" },
	[OP_ATTACH] = { "attach", "attach it on %s" },
	[OP_DIRECTORY] = { "directory", "make directory %s (%o)" },
	[OP_FIND] = { "find", "find directory %s, which is not immure's to make" },
	[OP_FILE_COVER] = { "file-cover", "make a file to cover %s (%o, %z bytes)" },
	[OP_FILE] = { "file", "make file %s (%o, %z bytes)" },
	[OP_SYMLINK] = { "symlink", "make link %s -> %t" },
	[OP_BIND_INSIDE] = { "bind-inside", "mount %s onto itself (%a)" },
	[OP_BIND_PART] = { "bind-part", "mount %t on %s (%a)" },
	[OP_OVERLAY] = { "overlay", "lay a writable layer over %s (%a)" },
	[OP_MASK] = { "mask", "cover %s" },
	[OP_SET_READ_ONLY] = { "set-read-only", "make the mount on %s (%a)" },
	[OP_PIVOT] = { "pivot", "pivot into the new root, detach the old one" },
	[OP_CHROOT] = { "chroot", "chroot into the new root (the initial ramfs cannot be pivoted)" },
	[OP_TOP] = { "top", "attach it over the root: what follows is found in it" },
	[OP_PUT] = { "put", "attach it on %s, made if it is missing (%o, what leads there %p)" },
	[OP_PLACE] = { "place", "see to directory %s (%o, what leads there %p)" },
	[OP_FILL] = { "fill", "write file %s (%o, what leads there %p; %z bytes)" },
	[OP_LINK] = { "link", "see to link %s -> %t (what leads there %p)" },
	[OP_CHMOD] = { "chmod", "change the mode of %s to %o" },
	[OP_SEAL] = { "seal", "make the mount on %s (%a), alone" },
	[OP_LAYERS] = { "layers", "lay %z directories over each other: %s" },
	[OP_FORK] = { "fork", "fork the payload" },
	[OP_SESSION] = { "session", "start a session" },
	[OP_SIGNALS] = { "signals", "%t" },
	[OP_TERMINAL] = { "terminal", "put a terminal of its own on %i" },
	[OP_CHDIR] = { "chdir", "change directory to %s" },
	[OP_UMASK] = { "umask", "set the umask to %o" },
	[OP_PERSONALITY] = { "personality", "set personality %x" },
	[OP_RAISE_LIMIT] = { "raise-limit", "raise the most of %r to %m where it is lower" },
	[OP_RLIMIT] = { "rlimit", "limit %r to %n, at most %m" },
	[OP_DROP_BOUNDING] = { "drop-bounding", "drop the bounding set except %x" },
	[OP_GROUPS] = { "groups", "set %z supplementary groups" },
	[OP_GID] = { "gid", "become gid %n" },
	[OP_UID] = { "uid", "become uid %n" },
	[OP_CAPABILITIES] = { "capabilities", "set capabilities to %x" },
	[OP_AMBIENT] = { "ambient", "raise ambient capabilities %x" },
	[OP_SECUREBITS] = { "securebits", "set securebits %n" },
	[OP_KEEP_CAPABILITIES] = { "keep-capabilities", "keep capabilities across the change of uid" },
	[OP_NO_NEW_PRIVS] = { "no-new-privs", "set no_new_privs" },
	[OP_LANDLOCK] = { "landlock", "enter a Landlock ruleset (ABI %n)" },
	[OP_DESCRIPTORS] = { "descriptors", "%t" },
	[OP_CHECK_NAMESPACES] = { "check-namespaces", "check that these namespaces are not the launcher's: %f" },
	[OP_CHECK_JOINED] = { "check-joined", "check that this namespace is %s" },
	[OP_CHECK_INIT] = { "check-init", "check that init is undumpable, and which signal it gets when the launcher dies (%n)" },
	[OP_CHECK_ROOT] = { "check-root", "check that the root is the new one and the working directory is %s" },
	[OP_CHECK_PROCESS] = { "check-process", "check %t" },
	[OP_CHECK_IDENTITY] = { "check-identity", "check %t" },
	[OP_CHECK_CAPABILITIES] = { "check-capabilities", "check %t" },
	[OP_CHECK_MOUNTS] = { "check-mounts", "check the flags of %z mounts" },
	[OP_CHECK_LIMIT] = { "check-limit", "check that %r is %n, at most %m" },
	[OP_CHECK_DESCRIPTORS] = { "check-descriptors", "check that only the named descriptors survive exec" },
	[OP_SECCOMP] = { "seccomp", "load the filter %s (%z instructions)" },
	[OP_CHECK_PROGRAM] = { "check-program", "check that %s is not a link to immure itself" },
	[OP_EXEC] = { "exec", "execute %s%t" },
	[OP_WALL_TIME] = { "wall-time", "end the jail after %d" },
	[OP_EVIDENCE] = { "evidence", "read back what is in force once the program is executed" },
	[OP_PIPES] = { "pipes", "make pipes for %i%t" },
	[OP_LEND] = { "lend", "hand over what it gets as %i" },
	[OP_PTY] = { "pty", "make a pseudo-terminal on the host" },
	[OP_STANDARD] = { "standard", "take %i from the pipes" },
};

static const struct {
	uint64_t flag;
	const char *name;
} attributes[] = {
	{ MOUNT_ATTR_RDONLY, "ro" }, { MOUNT_ATTR_NOSUID, "nosuid" }, { MOUNT_ATTR_NODEV, "nodev" }, { MOUNT_ATTR_NOEXEC, "noexec" },
	{ 0x00100000 /* MOUNT_ATTR_IDMAP */, "idmapped" }, { 0x00200000 /* MOUNT_ATTR_NOSYMFOLLOW */, "nosymfollow" },
}, namespaces[] = {
	{ 0x10000000, "user" }, { 0x20000000, "pid" }, { 0x00020000, "mount" }, { 0x40000000, "net" }, { 0x04000000, "uts" },
	{ 0x08000000, "ipc" }, { 0x02000000, "cgroup" }, { 0x00000080, "time" },
};

/* By number, RLIMIT_*. */
static const char *const resources[] = { "cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock", "as", "locks",
					 "sigpending", "msgqueue", "nice", "rtprio", "rttime" };

const char *op_name(enum op op)
{
	return ops[op].name;
}

const char *side_name(enum side side)
{
	static const char *const names[] = { [LAUNCHER] = "launcher", [INIT] = "init", [PAYLOAD] = "payload" };

	return names[side];
}

static void add_attributes(struct text *out, uint64_t flags)
{
	const char *comma = "";

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		if (!(flags & attributes[i].flag))
			continue;
		text_add(out, "%s%s", comma, attributes[i].name);
		comma = ",";
	}
}

static void add_namespaces(struct text *out, uint64_t flags)
{
	const char *comma = "";

	if (!flags)
		text_add(out, "none");
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		if (!(flags & namespaces[i].flag))
			continue;
		text_add(out, "%s%s", comma, namespaces[i].name);
		comma = ", ";
	}
}

static void add_streams(struct text *out, uint64_t flags)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };
	const char *comma = "";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(flags >> i & 1))
			continue;
		text_add(out, "%s%s", comma, names[i]);
		comma = ", ";
	}
}

static void add_number(struct text *out, uint64_t number)
{
	if (number == UINT64_MAX)
		text_add(out, "unlimited");
	else
		text_add(out, "%llu", (unsigned long long)number);
}

static void add_member(struct text *out, const struct step *step, char member)
{
	char duration[NUMBER_TEXT];

	switch (member) {
	case 's': text_add(out, "%s", step->subject ? step->subject : ""); break;
	case 't': text_add(out, "%.*s", step->text ? (int)strcspn(step->text, "\n") : 0, step->text ? step->text : ""); break;
	case 'n': add_number(out, step->number); break;
	case 'm': add_number(out, step->more); break;
	case 'd': text_add(out, "%s", number_print_duration(step->number, duration)); break;
	case 'i': add_streams(out, step->flags); break;
	case 'o': text_add(out, "%04llo", (unsigned long long)step->number); break;
	case 'p': text_add(out, "%04llo", (unsigned long long)step->more); break;
	case 'x': text_add(out, step->flags ? "0x%llx" : "%llu", (unsigned long long)step->flags); break;
	case 'z': text_add(out, "%zu", step->size); break;
	case 'a': add_attributes(out, step->flags); break;
	case 'f': add_namespaces(out, step->flags); break;
	case 'r': text_add(out, "%s", step->flags < ARRAY_SIZE(resources) ? resources[step->flags] : "?"); break;
	default: break;
	}
}

static void add_words(struct text *out, const struct step *step)
{
	for (const char *at = ops[step->op].pattern; *at; at++) {
		if (*at == '%' && at[1])
			add_member(out, step, *++at);
		else
			text_add_bytes(out, at, 1);
	}
}

const char *step_words(const struct step *step, struct arena *arena)
{
	auto_text struct text out = { 0 };
	const char *words;

	add_words(&out, step);
	words = arena_copy(arena, out.bytes);
	return words ? words : ops[step->op].name;
}

void plan_print(const struct plan *plan, struct text *out)
{
	for (int i = 0; i < plan->count; i++) {
		const struct step *step = &plan->steps[i];
		const size_t start = out->used;
		char where[ORIGIN_TEXT];

		text_add(out, "%3d  %-8s  ", i + 1, side_name(step->side));
		add_words(out, step);
		text_add(out, "  [%s", step->feature);
		if (step->origin)
			text_add(out, ", %s", origin_print(step->origin, where));
		text_add(out, step->why ? ": %s]" : "]", step->why);
		text_end_line(out, start);
	}
	for (unsigned i = 0; i < plan->note_count; i++) {
		const size_t start = out->used;

		text_add(out, "note: %s", plan->notes[i]);
		text_end_line(out, start);
	}
	for (unsigned i = 0; i < plan->lacking_count; i++)
		text_add(out, "lacks %s\n", plan->lacks[i]);
}
