/* SPDX-License-Identifier: Apache-2.0 */
/* What helps when a step fails. The first row that fits is used: special ones come before general ones. */
#include "run/hint.h"

#include <errno.h>
#include <string.h>

#include "run/run.h"

static const struct hint hints[] = {
	{ OP_CLONE, EPERM, NULL, "E-USERNS-DENIED",
	  "namespaces are forbidden here (a sysctl, AppArmor, or an outer container: immure doctor says which); --may-lack namespaces does without" },
	{ OP_CLONE, ENOSPC, NULL, "E-USERNS-LIMIT", "a limit in /proc/sys/user/max_*_namespaces is used up or zero; immure doctor" },
	{ OP_CLONE, EUSERS, NULL, "E-USERNS-DEPTH", "namespaces are nested 32 deep already" },
	{ OP_CLONE, EINVAL, NULL, "E-NAMESPACE-MISSING", "this kernel lacks one of the namespaces; immure doctor says which" },
	{ OP_CLONE, EAGAIN, NULL, "E-PROCESS-LIMIT", "the caller's limit on processes is reached; see ulimit -u" },
	{ OP_OWN_ID_MAP, EPERM, NULL, "E-USERNS-MAP", "AppArmor lets the user namespace be made but not used; immure doctor" },
	{ OP_WRITE, ENOENT, "/proc/self/setgroups", "E-PROC-MISSING", "immure needs the host's /proc" },
	{ OP_ID_MAP, ENOENT, NULL, "E-PROC-MISSING", "immure needs the host's /proc" },
	{ OP_ID_MAP, EINVAL, NULL, "E-ID-MAP", "ranges must not overlap, nor reach beyond 4294967294 or what the caller's own namespace maps" },
	{ OP_ID_MAP, EPERM, NULL, "E-ID-MAP", "the caller may not map these ids: it needs CAP_SETUID and CAP_SETGID over them" },
	{ OP_JOIN_NAMESPACE, EPERM, NULL, "E-JOIN-DENIED", "joining wants rights in the user namespace that owns it: --userns join: it as well" },
	{ OP_JOIN_NAMESPACE, EINVAL, NULL, "E-JOIN-KIND", "it is not a namespace of this kind, or this kernel lacks the kind" },
	{ OP_DIE_WITH_PARENT, ESRCH, NULL, "E-PARENT-GONE", "the process that started immure has died: nothing was started" },
	{ OP_TELL_BIRTH, 0, NULL, "E-MONITOR-FD", "the descriptor must be open, and writable" },
	{ OP_TELL_LIFE, 0, NULL, "E-MONITOR-FD", "the descriptor must be open, and writable" },
	{ OP_AWAIT, EBADF, NULL, "E-MONITOR-FD", "the descriptor must be open, and readable" },
	{ OP_HOLD, EBADF, NULL, "E-MONITOR-FD", "the descriptor must be open" },
	{ OP_LOCK_FILE, EAGAIN, NULL, "E-LOCK-FILE", "somebody has locked it for writing" },
	{ OP_LOCK_FILE, 0, NULL, "E-LOCK-FILE", "it must exist inside the jail, on a file system that has locks" },
	{ OP_ASSERT_NO_USERNS, EBADE, NULL, "E-ASSERT-USERNS", "a user namespace could be made inside: nothing was started; leave out --nested-userns" },
	{ OP_NEST, 0, NULL, "E-NEST", "immure could not keep the program from making user namespaces; give it fewer capabilities, or --nested-userns" },
	{ OP_FILTER, EINVAL, NULL, "E-SECCOMP-FD", "the kernel refused the filter: it holds struct sock_filter as classic BPF for seccomp(2)" },
	{ OP_FILTER, 0, NULL, "E-SECCOMP-NEXT", "a filter that was loaded before it forbids to load another" },
	{ OP_OPEN_PROCESS, ESRCH, NULL, "E-JOIN-GONE", "there is no such process any more" },
	{ OP_OPEN_PROCESS, EINVAL, NULL, "E-JOIN-GONE", "it is not the number of a process" },
	{ OP_UNSHARE, EINVAL, NULL, "E-NAMESPACE-MISSING", "this kernel lacks one of the namespaces; immure doctor says which" },
	{ OP_UNSHARE, ENOSPC, NULL, "E-USERNS-LIMIT", "a limit in /proc/sys/user/max_*_namespaces is used up or zero; immure doctor" },
	{ OP_UNSHARE, EPERM, NULL, "E-NAMESPACE-DENIED", "an outer container forbids it; immure doctor" },
	{ OP_NETWORK_ENTER, EINVAL, NULL, "E-NAMESPACE-MISSING", "this kernel has no network namespaces; use --net host" },
	{ OP_NETWORK_ENTER, ENOSPC, NULL, "E-USERNS-LIMIT", "a limit in /proc/sys/user/max_*_namespaces is used up or zero; immure doctor" },
	{ OP_NETWORK_ENTER, EPERM, NULL, "E-NAMESPACE-DENIED", "an outer container forbids it; immure doctor" },
	{ OP_WRITE, EROFS, "/proc/sys/user/max_user_namespaces", "E-NESTED-USERNS", "/proc/sys is read-only here; use --nested-userns" },
	{ OP_HOST_NAME, EPERM, NULL, "E-HOSTNAME-DENIED", "an outer container forbids sethostname(2); use --utsns host" },
	{ OP_KEYRING, EDQUOT, NULL, "E-KEYS-LIMIT", "the caller has too many keys; see /proc/key-users, or use --keep-keyring" },
	{ OP_PERSONALITY, EPERM, NULL, "E-PERSONALITY", "an outer filter forbids it; leave out --no-aslr" },
	{ OP_GROUPS, EPERM, NULL, "E-GROUPS-DENIED", "the joined user namespace forbids setgroups(2); join it by its PID, so that this can be seen" },
	{ OP_SECUREBITS, EPERM, NULL, "E-SECUREBITS", "the caller's securebits are locked to something else; use a user namespace, or --securebits none" },
	{ OP_AMBIENT, EPERM, NULL, "E-CAP-AMBIENT", "the caller's securebits forbid ambient capabilities; use a user namespace" },
	{ OP_UID, EINVAL, NULL, "E-ID-UNMAPPED", "the user namespace does not map this id; choose one that is mapped" },
	{ OP_GID, EINVAL, NULL, "E-ID-UNMAPPED", "the user namespace does not map this id; choose one that is mapped" },
	{ OP_BECOME_ROOT_INSIDE, EINVAL, NULL, "E-ID-UNMAPPED", "the user namespace does not map this id; choose one with --user and --group" },
	{ OP_FENCE, 0, NULL, "E-FENCE", "an outer filter forbids Landlock; use a PID namespace" },
	{ OP_ADOPT, ENOENT, NULL, "E-PROC-MISSING", "without a PID namespace immure needs /proc, or Landlock's scopes (Linux 6.12)" },
	{ OP_CHECK_JOINED, EBADE, NULL, "E-CHECK", "the self-check found another namespace than the one to join: nothing was started" },
	{ OP_CHECK_INIT, EBADE, NULL, "E-CHECK", "the self-check found an init that could be reached from inside: nothing was started" },
	{ OP_CHECK_ROOT, EBADE, NULL, "E-CHECK", "the self-check found another root or working directory than asked: nothing was started" },
	{ OP_CHECK_PROCESS, EBADE, NULL, "E-CHECK", "the self-check found another session, keyring, umask or personality than asked: nothing was started" },
	{ OP_OWN_ID_MAP, ENOENT, NULL, "E-PROC-MISSING", "immure needs the host's /proc" },
	{ OP_SUBID_MAP, ENOENT, NULL, "E-NEWUIDMAP-MISSING", "install newuidmap and newgidmap (package uidmap), or use --ids single" },
	{ OP_SUBID_MAP, EPERM, NULL, "E-SUBID-DENIED", "newuidmap refused: the map must lie within /etc/subuid and /etc/subgid" },
	{ OP_LEASE_IDS, EUSERS, NULL, "E-IDS-EXHAUSTED", "all host id ranges are in use by other jails" },
	{ OP_LEASE_IDS, 0, NULL, "E-STATE-FOLDER", "immure keeps locks and journals in a folder of its own; set XDG_RUNTIME_DIR to a folder that you own" },
	{ OP_JOURNAL, 0, NULL, "E-STATE-FOLDER", "immure keeps locks and journals in a folder of its own; set XDG_RUNTIME_DIR to a folder that you own" },
	{ OP_CGROUP_ASIDE, 0, NULL, "E-CGROUP-DELEGATION", "this user may not use its own cgroup; immure doctor" },
	{ OP_CGROUP_CREATE, ENOSPC, NULL, "E-CGROUP-FULL", "cgroup.max.descendants or cgroup.max.depth above is reached" },
	{ OP_CGROUP_CREATE, EBUSY, NULL, "E-CGROUP-COMPANY",
	  "a group that holds processes cannot hand controllers down; start immure in a cgroup of its own" },
	{ OP_CGROUP_CREATE, 0, NULL, "E-CGROUP-DELEGATION", "this user may not make a cgroup here; immure doctor" },
	{ OP_CGROUP_SCOPE, ENOTSUP, NULL, "E-CGROUP-SCOPE",
	  "libsystemd.so.0 cannot be loaded (Debian: libsystemd0); without it: systemd-run --user --scope -p Delegate=yes immure ..." },
	{ OP_CGROUP_SCOPE, 0, NULL, "E-CGROUP-SCOPE", "systemd did not make the scope; journalctl --user says why" },
	{ OP_CGROUP_JOIN, 0, NULL, "E-CGROUP-DELEGATION", "this user may not move a process into the group; immure doctor" },
	{ OP_CGROUP_VERIFY, EBADE, NULL, "E-CHECK", "init is not in the group that limits it: nothing was started" },
	{ OP_CGROUP_WATCH, 0, NULL, "E-CGROUP-EVENTS", "the kernel does not tell when the group's memory is exhausted" },
	{ OP_NEW_MOUNT, EPERM, "proc", "E-PROC-MASKED",
	  "parts of /proc are masked here (a container?); use --proc=bind or --proc=none" },
	{ OP_NEW_MOUNT, EPERM, "sysfs", "E-SYS-NET",
	  "/sys needs a network namespace of the jail's own, and a host whose /sys is not masked (a container?)" },
	{ OP_NEW_MOUNT, ENODEV, NULL, "E-FILESYSTEM-MISSING", "this kernel lacks the file system" },
	{ OP_PRIVATE, EPERM, NULL, "E-MOUNT-DENIED", "an outer container or AppArmor forbids mounts (immure doctor); --mountns host leaves files to Landlock" },
	{ OP_SOURCE, EACCES, NULL, "E-SOURCE-DENIED", "the caller may not reach this path" },
	{ OP_SOURCE, ENOENT, NULL, "E-SOURCE-MISSING", "the path must exist on the host" },
	{ OP_SOURCE, EINVAL, NULL, "E-SOURCE-UNMOVABLE",
	  "the ids of its file system cannot be mapped (overlayfs, FUSE, NFS?), or mounts below it cannot be shown; use --ro, or a copy elsewhere" },
	{ OP_SOURCE, EPERM, NULL, "E-SOURCE-IDS", "its file system belongs to an outer container, which must map the ids itself" },
	{ OP_SOURCE, ESTALE, NULL, "E-SOURCE-MOVED", "another file stands on the descriptor's path by now: it was moved or replaced" },
	{ OP_PUT, ENOTDIR, NULL, "E-MOUNTPOINT-KIND", "a file can only be put on a file, a directory only on a directory" },
	{ OP_PUT, EISDIR, NULL, "E-MOUNTPOINT-KIND", "a file can only be put on a file, a directory only on a directory" },
	{ OP_PUT, ELOOP, NULL, "E-PLACE-LINK", "a link in the folder leads through the kernel's own links, or in circles" },
	{ OP_PUT, ENOENT, NULL, "E-PLACE-DANGLING", "a link on the way leads to nothing, and nothing is made through it" },
	{ OP_PUT, EACCES, NULL, "E-PLACE-DENIED", "the place would have to be made in a folder of the host's, which this user may not write" },
	{ OP_PUT, EROFS, NULL, "E-PLACE-DENIED", "the place would have to be made in something that is read-only" },
	{ OP_PLACE, ENOENT, NULL, "E-PLACE-DANGLING", "a link on the way leads to nothing, and nothing is made through it" },
	{ OP_PLACE, EACCES, NULL, "E-PLACE-DENIED", "it would have to be made in a folder of the host's, which this user may not write" },
	{ OP_PLACE, EROFS, NULL, "E-PLACE-DENIED", "it would have to be made in something that is read-only" },
	{ OP_FILL, EACCES, NULL, "E-PLACE-DENIED", "this user may not write there; --data puts a file over it without writing" },
	{ OP_FILL, EROFS, NULL, "E-PLACE-DENIED", "it lies in something that is read-only; --data puts a file over it without writing" },
	{ OP_LINK, EEXIST, NULL, "E-LINK-EXISTS", "something else stands there, and nothing is replaced by a link" },
	{ OP_CHMOD, ENOENT, NULL, "E-CHMOD-MISSING", "only the mode of what is there can be changed" },
	{ OP_SEAL, EINVAL, NULL, "E-SEAL-NO-MOUNT", "nothing is mounted exactly there; --ro shows something read-only from the start" },
	{ OP_SEAL, ENOENT, NULL, "E-SEAL-NO-MOUNT", "nothing is mounted exactly there; --ro shows something read-only from the start" },
	{ OP_LAYERS, EPERM, NULL, "E-OVERLAY-USERNS", "this kernel lays no overlay in a user namespace (Linux 5.11 does); use --ro, or copy it" },
	{ OP_LAYERS, ENODEV, NULL, "E-OVERLAY-MISSING", "this kernel has no overlayfs; use --ro, or copy it" },
	{ OP_LAYERS, EINVAL, NULL, "E-OVERLAY-REFUSED",
	  "overlayfs does not take these: upper and work want one writable file system, layers no mounts below them" },
	{ OP_LAYERS, ENOENT, NULL, "E-SOURCE-MISSING", "the path must exist on the host" },
	{ OP_ATTACH, ENOENT, NULL, "E-MOUNTPOINT-MISSING",
	  "that folder has no such place, and it is not immure's to make one: create it, or show the folder by --overlay (a root: --root-mode overlay)" },
	{ OP_ATTACH, EPERM, NULL, "E-MOUNT-DENIED", "an outer container or AppArmor forbids mounts (immure doctor); --mountns host leaves files to Landlock" },
	{ OP_ATTACH, ENOTDIR, NULL, "E-MOUNTPOINT-KIND", "a file can only be put on a file, a directory only on a directory" },
	{ OP_ATTACH, EISDIR, NULL, "E-MOUNTPOINT-KIND", "a file can only be put on a file, a directory only on a directory" },
	{ OP_ATTACH, ELOOP, NULL, "E-PLACE-LINK", "a link in the folder leads through the kernel's own links, or in circles" },
	{ OP_SYMLINK, EEXIST, NULL, "E-LINK-EXISTS", "a directory stands there already, and is not replaced by a link" },
	{ OP_FIND, ENOENT, NULL, "E-MOUNTPOINT-MISSING",
	  "that folder has no such directory, and it is not immure's to make one: create it, or show the folder by --overlay" },
	{ OP_MASK, ENOENT, NULL, "E-MASK-MISSING", "only what is there can be hidden" },
	{ OP_OVERLAY, EPERM, NULL, "E-OVERLAY-USERNS", "this kernel lays no overlay in a user namespace (Linux 5.11 does); use --ro, or copy it" },
	{ OP_OVERLAY, ENODEV, NULL, "E-OVERLAY-MISSING", "this kernel has no overlayfs; use --ro, or copy it" },
	{ OP_OVERLAY, EINVAL, NULL, "E-OVERLAY-REFUSED", "a layer may not be laid over that file system; use --ro, or copy it" },
	{ OP_PIVOT, EINVAL, NULL, "E-PIVOT-ROOTFS", "the root is the initial ramfs; immure doctor" },
	{ OP_RAISE_LIMIT, EPERM, NULL, "E-RLIMIT-HARD", "the hard limit is lower; see ulimit -H" },
	{ OP_RLIMIT, EPERM, NULL, "E-RLIMIT-HARD", "the hard limit is lower; see ulimit -H" },
	{ OP_SECCOMP, EMFILE, NULL, "E-RLIMIT-NOFILE", "immure itself needs one or two numbers above 2 until the program starts: a higher --rlimit nofile" },
	{ OP_CHECK_NAMESPACES, EBADE, NULL, "E-CHECK", "the self-check found a namespace shared with the host: nothing was started" },
	{ OP_CHECK_IDENTITY, EBADE, NULL, "E-CHECK", "the self-check found other ids than asked: nothing was started" },
	{ OP_CHECK_CAPABILITIES, EBADE, NULL, "E-CHECK", "the self-check found other capabilities than asked: nothing was started" },
	{ OP_CHECK_MOUNTS, EBADE, NULL, "E-CHECK", "the self-check found other mount flags than asked: nothing was started" },
	{ OP_CHECK_MOUNTS, ENOENT, NULL, "E-PLACE-HIDDEN", "a link in a folder of the host's led one mount over another: nothing was started" },
	{ OP_CHECK_LIMIT, EBADE, NULL, "E-CHECK", "the self-check found another limit than asked: nothing was started" },
	{ OP_CHECK_DESCRIPTORS, EBADE, NULL, "E-CHECK", "the self-check found a descriptor that would leak: nothing was started" },
	{ OP_CHDIR, ENOENT, NULL, "E-WORKDIR-MISSING", "the working directory must exist inside the jail" },
	{ OP_DESCRIPTORS, EBADF, NULL, "E-KEEP-FD", "a descriptor named by --keep-fd is not open" },
	{ OP_DESCRIPTORS, EISDIR, NULL, "E-FD-DIRECTORY",
	  "standard input, output or error is a directory, through which the program would leave the jail; redirect it, or show it by --ro" },
	{ OP_EXEC, ENOENT, NULL, "E-EXEC-MISSING", "the program, or its interpreter, must exist inside the jail; --ro PATH brings it in" },
	{ OP_CHECK_PROGRAM, EACCES, NULL, "E-EXEC-MAGIC",
	  "without Landlock it must be readable, a file, and not reached through /proc/self/exe or its like, also as a script's interpreter" },
	{ OP_EXEC, EACCES, NULL, "E-EXEC-DENIED", "it is not executable by the jail's user, or lies on a noexec mount" },
	{ OP_EXEC, ENOEXEC, NULL, "E-EXEC-FORMAT", "it is no program of this machine; does its first line name an interpreter?" },
};

const struct hint *hint_find(const struct step *step, int errnum)
{
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (hints[i].op == step->op && (!hints[i].errnum || hints[i].errnum == errnum) &&
		    (!hints[i].subject || (step->subject && strcmp(hints[i].subject, step->subject) == 0)))
			return &hints[i];
	return NULL;
}

int explain_failure(const struct plan *plan, int at, int errnum, struct error *err)
{
	const struct step *step = &plan->steps[at];
	const struct hint *hint = hint_find(step, errnum);
	auto_arena struct arena arena = { 0 };
	char where[ORIGIN_TEXT];

	error_set(err, errnum, "%s", step_words(step, &arena));
	if (hint)
		error_remedy(err, hint->id, "%s", hint->text);
	if (step->origin && step->origin->source)
		error_while(err, "step %d, for %s (%s)", at + 1, step->feature, origin_print(step->origin, where));
	else
		error_while(err, "step %d, for %s", at + 1, step->feature);
	return -errnum;
}

int explain_no_scope(struct error *err)
{
	error_set(err, ENOTSUP, "this build cannot talk to systemd");
	error_remedy(err, "E-CGROUP-SCOPE", "start it in a group of its own: systemd-run --user --scope -p Delegate=yes ...");
	return -ENOTSUP;
}

int explain_interruption(const struct run *run, struct error *err)
{
	return error_set(err, EINTR, "signal %d came before the program was started", run->interruption);
}
