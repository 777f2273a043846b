/* SPDX-License-Identifier: Apache-2.0 */
/* The floor: the jail that "immure run -- /bin/true" makes, by kernel calls and nothing else. No plan, no
 * messages, no undo; it exists to be measured against. Each part can be switched off, and each choice that
 * was weighed can be switched over, so that its price can be measured alone.
 *
 *   floor [--root] [--no-PART | --CHOICE]... -- PROGRAM [ARGUMENT]... */
#include "abi.h"

#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define INNER_ID "1000"
#define RANGE_START "100000"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct clone_call {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

static const struct {
	const char *word;
	size_t offset;
	bool value;
} flags[] = {
	{ "--root", offsetof(struct options, is_rootful), true },
	{ "--no-net", offsetof(struct options, has_net), false },
	{ "--no-uts", offsetof(struct options, has_uts), false },
	{ "--no-ipc", offsetof(struct options, has_ipc), false },
	{ "--no-cgroup", offsetof(struct options, has_cgroup), false },
	{ "--time", offsetof(struct options, has_time), true },
	{ "--no-landlock", offsetof(struct options, has_landlock), false },
	{ "--no-seccomp", offsetof(struct options, has_seccomp), false },
	{ "--no-cap-drops", offsetof(struct options, has_cap_drops), false },
	{ "--no-masks", offsetof(struct options, has_masks), false },
	{ "--no-tmpfs", offsetof(struct options, has_tmpfs), false },
	{ "--no-dev", offsetof(struct options, has_dev), false },
	{ "--no-etc", offsetof(struct options, has_etc), false },
	{ "--no-proc", offsetof(struct options, has_proc), false },
	{ "--no-detach", offsetof(struct options, has_detach), false },
	{ "--no-fd-sweep", offsetof(struct options, has_fd_sweep), false },
	{ "--check-namespaces", offsetof(struct options, checks_namespaces), true },
	{ "--check-links", offsetof(struct options, checks_links), true },
	{ "--check-status", offsetof(struct options, checks_status), true },
	{ "--check-sets", offsetof(struct options, checks_sets), true },
	{ "--check-mounts", offsetof(struct options, checks_mounts), true },
	{ "--mount2", offsetof(struct options, uses_mount2), true },
	{ "--setattr", offsetof(struct options, uses_setattr), true },
	{ "--early", offsetof(struct options, is_early), true },
	{ "--four-tmpfs", offsetof(struct options, has_four_tmpfs), true },
	{ "--one-tmpfs", offsetof(struct options, has_one_tmpfs), true },
	{ "--beneath", offsetof(struct options, uses_chroot), true },
	{ "--fork-payload", offsetof(struct options, forks_payload), true },
	{ "--share-init", offsetof(struct options, shares_init), true },
	{ "--vfork-init", offsetof(struct options, vforks_init), true },
	{ "--hand-over", offsetof(struct options, hands_over), true },
	{ "--announce", offsetof(struct options, announces), true },
	{ "--notify", offsetof(struct options, notifies), true },
	{ "--pin", offsetof(struct options, pins_cpu), true },
	{ "--no-exec", offsetof(struct options, skips_exec), true },
};

static int baton[2];
static uid_t caller_uid;
static gid_t caller_gid;

const char *const own_name = "floor";

static char *put_number(char *at, unsigned long number)
{
	char digits[24];
	int count = 0;

	do
		digits[count++] = '0' + number % 10;
	while (number /= 10);
	while (count)
		*at++ = digits[--count];
	*at = 0;
	return at;
}

static void write_proc(const char *pid, const char *file, const char *text)
{
	char path[64] = "/proc/";
	int target;

	strcat(path, pid);
	strcat(path, "/");
	strcat(path, file);
	target = must(open(path, O_WRONLY | O_CLOEXEC), path);
	must(write(target, text, strlen(text)), path);
	close(target);
}

static void write_single_map(const char *pid)
{
	char map[64] = INNER_ID " ", *at = map + strlen(map);

	strcpy(put_number(at, caller_uid), " 1");
	write_proc(pid, "uid_map", map);
	write_proc(pid, "setgroups", "deny");
	strcpy(put_number(at, caller_gid), " 1");
	write_proc(pid, "gid_map", map);
}

static void write_maps_from_outside(const struct options *options, pid_t child)
{
	char pid[24];

	put_number(pid, child);
	if (!options->is_rootful) {
		write_single_map(pid);
	} else {
		write_proc(pid, "uid_map", "0 " RANGE_START " 65536");
		write_proc(pid, "gid_map", "0 " RANGE_START " 65536");
	}
	must(write(baton[0], "", 1), "baton");
}

/* Init is the jail's uid 0 (host RANGE_START), to own what it makes; the program never is. */
static void become_inner_user(uid_t id)
{
	raw("setgroups", SYS_setgroups, 0, NULL);
	raw("setresgid", SYS_setresgid, id, id, id);
	raw("setresuid", SYS_setresuid, id, id, id);
}

static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int link = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");

	must(ioctl(link, SIOCSIFFLAGS, &request), "lo up");
	close(link);
}

static cpu_set_t allowed_cpus;

/* A child is born on an idle CPU, and waking one costs more than most steps of the set-up. */
static void stay_on_this_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	must(sched_getaffinity(0, sizeof(allowed_cpus), &allowed_cpus), "affinity");
	must(sched_setaffinity(0, sizeof(one), &one), "affinity");
}

/* One byte, and with it the listener if there is one. */
static void announce(int listener)
{
	char byte = 0, room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = { 0 };
	struct iovec text = { &byte, 1 };
	struct msghdr message = { .msg_iov = &text, .msg_iovlen = 1 };
	struct cmsghdr *rights = (struct cmsghdr *)room;

	if (listener >= 0) {
		rights->cmsg_len = CMSG_LEN(sizeof(int));
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(rights), &listener, sizeof(int));
		message.msg_control = room;
		message.msg_controllen = sizeof(room);
	}
	must(sendmsg(baton[1], &message, 0), "announce");
}

static void hear_announcement(void)
{
	char byte, room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	struct iovec text = { &byte, 1 };
	struct msghdr message = { .msg_iov = &text, .msg_iovlen = 1, .msg_control = room,
				  .msg_controllen = sizeof(room) };

	must(recvmsg(baton[0], &message, MSG_CMSG_CLOEXEC), "announcement");
}

static int run_payload(void *argument)
{
	static char *const environment[] = { "PATH=/usr/bin:/bin", "HOME=/home/jail", "LANG=C.UTF-8", NULL };
	const struct options *options = argument;
	int listener;

	if (options->has_cap_drops)
		drop_bounding_set();
	if (options->is_rootful)
		become_inner_user(1000);
	if (options->pins_cpu)
		must(sched_setaffinity(0, sizeof(allowed_cpus), &allowed_cpus), "affinity");
	listener = lock_down(options);
	if (options->announces || options->notifies)
		announce(listener);
	if (options->skips_exec)
		_exit(0);
	execve(options->argv[0], options->argv, environment);
	stop_at(options->argv[0]);
}

static int wait_for(pid_t child)
{
	int status;
	pid_t ended;

	do
		ended = wait4(-1, &status, 0, NULL);
	while (ended != child && (ended > 0 || errno == EINTR));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool has_baton(const struct options *options)
{
	return options->is_rootful || options->hands_over || options->announces || options->notifies;
}

/* Whoever writes the map: afterwards this process has the jail's ids and every capability over it. */
static void take_ids(const struct options *options)
{
	char byte;

	if (options->is_rootful || options->hands_over)
		must(read(baton[1], &byte, 1), "baton");
	else
		write_single_map("self");
	if (options->is_rootful)
		become_inner_user(0);
}

static pid_t start_payload(const struct options *options)
{
	static char stack[16384] __attribute__((aligned(16)));
	pid_t payload;

	if (!options->forks_payload)
		return must(clone(run_payload, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD,
				  (void *)options), "vfork");
	payload = must(fork(), "fork");
	if (!payload)
		run_payload((void *)options);
	return payload;
}

static int run_init(void *argument)
{
	const struct options *options = argument;

	raw("pdeathsig", SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	take_ids(options);
	if (!options->is_rootful)
		clone_sources(options);
	raw("dumpable", SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (options->has_net)
		raise_loopback();
	if (options->has_uts)
		raw("host name", SYS_sethostname, "jail", 4);
	setsid();
	umask(0);
	build_tree(options);
	if (options->has_fd_sweep)
		raw("close_range", SYS_close_range, has_baton(options) ? baton[1] + 1 : 3, ~0U, 0);
	_exit(wait_for(start_payload(options)));
}

static uint64_t namespaces(const struct options *options)
{
	uint64_t all = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS;

	all |= options->has_net ? CLONE_NEWNET : 0;
	all |= options->has_uts ? CLONE_NEWUTS : 0;
	all |= options->has_ipc ? CLONE_NEWIPC : 0;
	all |= options->has_cgroup ? CLONE_NEWCGROUP : 0;
	all |= options->has_time ? CLONE_NEWTIME : 0;
	return all;
}

static pid_t start_init(struct options *options)
{
	static char stack[65536] __attribute__((aligned(16)));
	struct clone_call call = { .flags = namespaces(options), .exit_signal = SIGCHLD };
	pid_t child;

	if (options->shares_init || options->vforks_init)
		return must(clone(run_init, stack + sizeof(stack),
				  CLONE_VM | (options->vforks_init ? CLONE_VFORK : 0) | call.flags | SIGCHLD,
				  options), "clone");
	child = raw("clone3", SYS_clone3, &call, sizeof(call));
	if (!child)
		run_init(options);
	return child;
}

static bool read_flag(struct options *options, const char *word)
{
	for (size_t i = 0; i < COUNT(flags); i++) {
		if (strcmp(word, flags[i].word))
			continue;
		*((bool *)((char *)options + flags[i].offset)) = flags[i].value;
		return true;
	}
	return false;
}

static void read_word(struct options *options, char *word)
{
	char *value = strchr(word, '=');

	if (read_flag(options, word))
		return;
	errno = EINVAL;
	if (!value)
		stop_at(word);
	*value++ = 0;
	if (!strcmp(word, "--binds"))
		options->extra_binds = atoi(value);
	else if (!strcmp(word, "--masks"))
		options->extra_masks = atoi(value);
	else if (!strcmp(word, "--skeleton"))
		options->skeleton = value;
	else if (!strcmp(word, "--program"))
		options->program = value;
	else
		stop_at(word);
}

static int run(struct options *options)
{
	pid_t child;

	if (options->is_rootful)
		clone_sources(options);
	if (has_baton(options))
		must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, baton), "socketpair");
	if (options->pins_cpu)
		stay_on_this_cpu();
	child = start_init(options);
	if (options->is_rootful || options->hands_over)
		write_maps_from_outside(options, child);
	if (options->announces || options->notifies)
		hear_announcement();
	return wait_for(child);
}

int main(int argc, char **argv)
{
	struct options options = {
		.has_net = true, .has_uts = true, .has_ipc = true, .has_cgroup = true, .has_landlock = true,
		.has_seccomp = true, .has_cap_drops = true, .has_masks = true, .has_tmpfs = true,
		.has_dev = true, .has_etc = true, .has_proc = true, .has_detach = true, .has_fd_sweep = true,
	};
	int at = 1;

	for (; at < argc && strcmp(argv[at], "--"); at++)
		read_word(&options, argv[at]);
	errno = EINVAL;
	must(argc - at - 2, "usage: floor [--root] [--no-PART]... -- PROGRAM");
	options.argv = argv + at + 1;
	caller_uid = geteuid();
	caller_gid = getegid();
	return run(&options);
}
