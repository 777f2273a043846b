/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks on the kernel's less tried parts, and on the filter by odd numbers, tables and high halves. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"

static char room[256];

/* What a call answers when it was let in: any errno of these means that it ran. */
static const struct { const char *name; long number; long arguments[5]; int let_in; } calls[] = {
	{ "io_uring_setup", 425, { 0, (long)room }, EINVAL },
	{ "io_uring_enter", 426, { -1 }, EBADF },
	{ "io_uring_register", 427, { 0 }, EOPNOTSUPP },
	{ "userfaultfd", 323, { 1 }, 0 },
	{ "keyctl", 250, { 0, -3, 1 }, 0 },
	{ "add_key", 248, { (long)"user", (long)"immure-canary", (long)"x", 1, -1 }, 0 },
	{ "request_key", 249, { (long)"user", (long)"immure-canary-none", 0, 0 }, ENOKEY },
	{ "kexec_load", 246, { 0, 100000, 0, 0 }, EINVAL },
	{ "init_module", 175, { 0, 0, (long)"" }, ENOEXEC },
	{ "delete_module", 176, { (long)"immure_none", 04000 }, ENOENT },
	{ "finit_module", 313, { -1, (long)"", 0 }, EBADF },
	{ "quotactl", 179, { 0x800001 << 8, (long)"/nothing", 0, 0 }, ENOENT },
	{ "swapon", 167, { (long)"/nothing", 0 }, ENOENT },
	{ "swapoff", 168, { (long)"/nothing" }, ENOENT },
	{ "acct", 163, { (long)"/nothing" }, ENOENT },
	{ "reboot", 169, { 0, 0, 0, 0 }, EINVAL },
	{ "syslog", 103, { 3, (long)room, 1 }, 0 },
	{ "sethostname", 170, { (long)room, -1 }, EINVAL },
	{ "setdomainname", 171, { (long)room, -1 }, EINVAL },
	{ "fanotify_init", 300, { 0, 0 }, 0 },
	{ "modify_ldt", 154, { 0, (long)room, 16 }, 0 },
	{ "personality-exec", 135, { 0x0400000 }, 0 },
	{ "ioperm", 173, { 0x80, 1, 1 }, 0 },
	{ "iopl", 172, { 3 }, 0 },
	{ "move_pages", 279, { 0, 0, 0, 0, 0 }, EINVAL },
	{ "clock_settime", 227, { 100, (long)room }, EINVAL },
	{ "unshare-user", 272, { CLONE_NEWUSER }, 0 },
	{ "unshare-mount", 272, { CLONE_NEWNS }, 0 },
	{ "unshare-pid", 272, { CLONE_NEWPID }, 0 },
	{ "unshare-net", 272, { CLONE_NEWNET }, 0 },
	{ "unshare-uts", 272, { CLONE_NEWUTS }, 0 },
	{ "unshare-ipc", 272, { CLONE_NEWIPC }, 0 },
	{ "unshare-cgroup", 272, { CLONE_NEWCGROUP }, 0 },
	{ "unshare-time", 272, { 0x80 }, 0 },
	{ "open_by_handle_at", 304, { -1, (long)room, 0 }, EINVAL },
	{ NULL, 0, { 0 }, 0 },
};

static int call(char **argument)
{
	for (int i = 0; calls[i].name; i++) {
		const long *a = calls[i].arguments;
		long rc;

		if (strcmp(calls[i].name, argument[0]) != 0)
			continue;
		rc = syscall(calls[i].number, a[0], a[1], a[2], a[3], a[4]);
		return rc < 0 && calls[i].let_in && errno == calls[i].let_in ? 0 : outcome(rc);
	}
	fprintf(stderr, "attack: no such call\n");
	exit(2);
}

static int load_bpf(char **argument)
{
	const struct bpf_insn body[] = { { .code = 0xb7 }, { .code = 0x95 } }; /* return 0 */
	union bpf_attr load = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insn_cnt = 2, .insns = (uintptr_t)body,
				.license = (uintptr_t)"GPL" };

	(void)argument;
	return outcome(syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load)));
}

static int measure(char **argument)
{
	struct perf_event_attr event = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(event), .config = PERF_COUNT_SW_DUMMY,
					 .exclude_kernel = 1, .exclude_hv = 1 };

	(void)argument;
	return outcome(syscall(SYS_perf_event_open, &event, 0, -1, -1, 0));
}

/* Odd numbers. Answered ENOSYS or killed, never run. */
static int number(char **argument)
{
	long rc = syscall(strtol(argument[0], NULL, 0), 0, 0, 0, 0, 0);

	return outcome(rc);
}

/* getpid of the 32-bit table; 20 of ours is writev. */
static int old_gate(char **argument)
{
	long rc = 20;

	(void)argument;
	__asm__ volatile("int $0x80" : "+a"(rc) : : "memory", "r8", "r9", "r10", "r11");
	return rc == getpid() ? 0 : -ENOSYS;
}

static int new_process(char **argument)
{
	unsigned long flags = strtoul(argument[0], NULL, 0);
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid((pid_t)pid, NULL, 0);
	return outcome(pid);
}

static int clone3_user(char **argument)
{
	uint64_t args[11] = { CLONE_NEWUSER, [4] = SIGCHLD };
	long pid = syscall(SYS_clone3, args, sizeof(args));

	(void)argument;
	if (pid == 0)
		_exit(0);
	return outcome(pid);
}

/* A child that the parent's parent must reap: it would be a stranger among init's children. */
static int child_of_parent(char **argument)
{
	long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

	(void)argument;
	if (pid == 0)
		_exit(0);
	return outcome(pid);
}

/* Writable and executable memory at address 0 turned null pointers in the kernel into code. */
static int map_zero(char **argument)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	(void)argument;
	return page == MAP_FAILED ? -errno : 0;
}

const struct attack kernel_attacks[] = {
	{ "call", call, 1 }, { "load-bpf", load_bpf, 0 }, { "measure", measure, 0 }, { "number", number, 1 },
	{ "old-gate", old_gate, 0 }, { "new-process", new_process, 1 }, { "clone3-user", clone3_user, 0 },
	{ "child-of-parent", child_of_parent, 0 }, { "map-zero", map_zero, 0 },
	{ NULL, NULL, 0 },
};
