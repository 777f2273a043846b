/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter that is compiled wrongly lets a hostile program at the kernel, or breaks an honest one. Programs are run
 * in a simulator and compared with what the profile says, call by call.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/audit.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/socket.h>

#include "base/own.h"
#include "base/text.h"
#include "bpf.h"
#include "filter/filter.h"
#include "filter/syscalls.h"
#include "load/yaml.h"

static const struct origin here = { .layer = LAYER_COMMAND, .source = "--seccomp-allow" };

static const struct profile *read_profile(struct arena *arena, const char *text)
{
	const struct profile *profile = NULL;
	struct node *root = NULL;
	struct error err = { 0 };

	if (load_text(arena, "p.yaml", text, strlen(text), &root, &err) < 0 ||
	    profile_read(arena, root, "p", &profile, &err) < 0)
		fail_msg("%s", err.frame[0]);
	return profile;
}

static const struct profile *shipped(struct arena *arena, const char *name)
{
	const struct profile *profile = NULL;
	struct error err = { 0 };

	if (profile_shipped(arena, name, &profile, &err) < 0)
		fail_msg("%s: %s", name, err.frame[0]);
	return profile;
}

static struct filter compile(struct arena *arena, const struct profile *profile, bool has_foreign_arch)
{
	const struct filter_options options = { .has_foreign_arch = has_foreign_arch };
	struct error err = { 0 };
	struct filter filter = { 0 };

	if (filter_compile(arena, profile, &options, &filter, &err) < 0)
		fail_msg("%s", err.frame[0]);
	assert_true(bpf_is_valid(filter.program, filter.count));
	return filter;
}

static unsigned run_on(const struct filter *filter, uint32_t arch, int number, const uint64_t args[FILTER_ARGS])
{
	struct seccomp_data data = { .nr = number, .arch = arch };

	if (args)
		memcpy(data.args, args, sizeof(data.args));
	return bpf_run(filter->program, &data, NULL);
}

static unsigned run(const struct filter *filter, int number, const uint64_t args[FILTER_ARGS])
{
	return run_on(filter, syscall_arch(), number, args);
}

/* What the program must return, straight from the profile. */
static unsigned expected(const struct profile *profile, int number, const uint64_t args[FILTER_ARGS])
{
	const struct filter_rule *rule = profile_judge(profile, number, args);
	const enum filter_action action = rule ? rule->action : profile->fallback;

	if (!rule && !syscall_name(number))
		return filter_return(FILTER_ERRNO, ENOSYS);
	if (action == FILTER_DENY)
		return filter_return(profile->denied, profile->denied_errnum);
	return filter_return(action, rule ? rule->errnum : 0);
}

static void expect_same(const struct filter *filter, const struct profile *profile, int number, const uint64_t *args)
{
	const unsigned want = expected(profile, number, args), is = run(filter, number, args);

	if (want != is)
		fail_msg("%s: call %d (%s), args %llx %llx %llx: 0x%x, not 0x%x", profile->name, number,
			 syscall_name(number), (unsigned long long)args[0], (unsigned long long)args[1],
			 (unsigned long long)args[2], is, want);
}

/* Each condition's value, just beside it, and with bits that must or must not matter. */
static void try_around(const struct filter *filter, const struct profile *profile, const struct filter_rule *rule)
{
	static const uint64_t flips[] = { 0, 1, 2, 0x80, 1ULL << 31, 1ULL << 32, 1ULL << 63, UINT64_MAX };
	uint64_t args[FILTER_ARGS] = { 0 };

	for (unsigned i = 0; i < rule->condition_count; i++)
		args[rule->conditions[i].arg] = rule->conditions[i].value;
	for (unsigned i = 0; i < rule->condition_count; i++) {
		uint64_t *arg = &args[rule->conditions[i].arg];
		const uint64_t value = *arg;

		for (size_t j = 0; j < ARRAY_SIZE(flips); j++) {
			*arg = value ^ flips[j];
			expect_same(filter, profile, rule->number, args);
			*arg = value + flips[j];
			expect_same(filter, profile, rule->number, args);
			*arg = value - flips[j];
			expect_same(filter, profile, rule->number, args);
			*arg = (value ^ flips[j]) | ~rule->conditions[i].mask;
			expect_same(filter, profile, rule->number, args);
		}
		*arg = value;
	}
}

static void expect_faithful(const struct filter *filter, const struct profile *profile)
{
	static const uint64_t zeros[FILTER_ARGS], ones[FILTER_ARGS] = { 1, 1, 1, 1, 1, 1 };
	uint64_t all[FILTER_ARGS];

	memset(all, 0xff, sizeof(all));
	for (int number = 0; number < SYSCALL_MOST + 100; number++) {
		expect_same(filter, profile, number, zeros);
		expect_same(filter, profile, number, ones);
		expect_same(filter, profile, number, all);
	}
	for (unsigned i = 0; i < profile->rule_count; i++)
		if (profile->rules[i].number != SYSCALL_NONE)
			try_around(filter, profile, &profile->rules[i]);
}

static void shipped_filters_do_what_their_profiles_say(void **state)
{
	const struct filter *filter;

	(void)state;
	for (unsigned i = 0; (filter = filter_at(i)); i++) {
		auto_arena struct arena arena = { 0 };

		assert_true(bpf_is_valid(filter->program, filter->count));
		expect_faithful(filter, shipped(&arena, filter->name));
		assert_ptr_equal(filter_find(filter->name), filter);
		assert_true(strlen(filter->summary) > 20);
	}
	assert_int_equal(filter_at(7) != NULL && filter_at(8) == NULL, 1);
	assert_null(filter_find("nonesuch"));
}

/* A denial that nobody can explain sends its user to the source code. */
static void each_blocked_call_has_a_reason(void **state)
{
	const struct filter *filter;

	(void)state;
	for (unsigned i = 0; (filter = filter_at(i)); i++) {
		auto_arena struct arena arena = { 0 };
		const struct profile *profile = shipped(&arena, filter->name);

		if (strcmp(filter->name, "tiny") == 0)
			continue;
		for (int number = 0; number <= syscall_newest(); number++) {
			const struct filter_rule *rule = profile_judge(profile, number, NULL);

			if (!syscall_name(number) || (rule && rule->action == FILTER_ALLOW))
				continue;
			if (strstr(profile_explain(profile, number, NULL), "not among the calls") || (rule && !rule->reason))
				fail_msg("%s blocks %s without a reason", filter->name, syscall_name(number));
		}
	}
}

enum { FREE = 0x7fff0000, DENIED = 0x50001, ABSENT = 0x50026 };
#define KILLED SECCOMP_RET_KILL_PROCESS
#define NEW_ALL (CLONE_NEWUSER | CLONE_NEWNS)
static const struct { const char *profile, *call; uint64_t args[3]; unsigned verdict; } facts[] = {
	{ "default", "openat", { 0 }, FREE },
	{ "default", "mount", { 0 }, DENIED },
	{ "default", "clone", { 0x3d0f00 }, FREE },                       /* a thread of glibc */
	{ "default", "clone", { 0x1200011 }, FREE },                      /* fork of glibc */
	{ "default", "clone", { CLONE_NEWUSER | 17 }, DENIED },
	{ "default", "clone", { CLONE_NEWNET | 17 }, DENIED },
	{ "default", "clone3", { 0 }, ABSENT },
	{ "default", "unshare", { CLONE_FILES }, FREE },
	{ "default", "unshare", { NEW_ALL }, DENIED },
	{ "default", "unshare", { 0x80 }, DENIED },                       /* time */
	{ "default", "setns", { 3, 0 }, DENIED },
	{ "default", "ioctl", { 0, 0x5401 }, FREE },
	{ "default", "ioctl", { 0, 0x5412 }, DENIED },                    /* TIOCSTI */
	{ "default", "ioctl", { 0, 0x5412 | 1ULL << 32 }, DENIED },       /* CVE-2019-10063 */
	{ "default", "ioctl", { 0, 0x541c }, DENIED },                    /* TIOCLINUX */
	{ "default", "ioctl", { 0, 0x541c | 7ULL << 40 }, DENIED },
	{ "default", "socket", { AF_UNIX, SOCK_STREAM, 0 }, FREE },
	{ "default", "socket", { AF_INET6, SOCK_DGRAM, 0 }, FREE },
	{ "default", "socket", { AF_NETLINK, SOCK_RAW, 0 }, FREE },
	{ "default", "socket", { AF_NETLINK, SOCK_RAW, 9 }, DENIED },
	{ "default", "socket", { 40, SOCK_STREAM, 0 }, DENIED },          /* AF_VSOCK */
	{ "default", "socket", { 40 | 1ULL << 32, SOCK_STREAM, 0 }, DENIED },
	{ "default", "socket", { 38, SOCK_SEQPACKET, 0 }, DENIED },       /* AF_ALG */
	{ "default", "socket", { AF_PACKET, SOCK_RAW, 0 }, DENIED },
	{ "default", "socketpair", { AF_UNIX, SOCK_STREAM, 0 }, FREE },
	{ "default", "personality", { 0xffffffff }, FREE },
	{ "default", "personality", { ADDR_NO_RANDOMIZE }, FREE },
	{ "default", "personality", { READ_IMPLIES_EXEC }, DENIED },
	{ "default", "mknodat", { 0, 0, 0010644 }, FREE },                /* a named pipe */
	{ "default", "mknodat", { 0, 0, 0060644 }, DENIED },
	{ "default", "io_uring_setup", { 0 }, ABSENT },
	{ "default", "ptrace", { 0 }, DENIED },
	{ "default", "bpf", { 0 }, DENIED },
	{ "default", "keyctl", { 0 }, DENIED },
	{ "default", "landlock_restrict_self", { 0 }, FREE },
	{ "default", "pkey_alloc", { 0 }, FREE },
	{ "strict", "accept", { 0 }, DENIED },
	{ "strict", "accept4", { 0 }, DENIED },
	{ "strict", "fchmodat", { 0 }, FREE },
	{ "strict", "getresgid", { 0 }, FREE },
	{ "strict", "connect", { 0 }, FREE },
	{ "strict", "unshare", { 0 }, DENIED },
	{ "strict", "clone", { CLONE_NEWUSER }, DENIED },
	{ "strict", "clone", { 0x3d0f00 }, FREE },
	{ "strict", "userfaultfd", { 0 }, DENIED },
	{ "strict", "open_by_handle_at", { 0 }, DENIED },
	{ "strict", "io_uring_enter", { 0 }, ABSENT },
	{ "enclave", "unshare", { NEW_ALL }, FREE },
	{ "enclave", "io_uring_enter", { 0 }, FREE },
	{ "enclave", "ioctl", { 0, 0x5401 }, FREE },
	{ "enclave", "ioctl", { 0, 0x5412 }, KILLED },
	{ "enclave", "accept4", { 0 }, KILLED },
	{ "enclave", "pidfd_open", { 0 }, KILLED },
	{ "enclave", "fchmodat", { 0 }, KILLED },
	{ "enclave", "mseal", { 0 }, KILLED },
	{ "judge", "socket", { AF_UNIX, SOCK_STREAM, 0 }, DENIED },
	{ "judge", "socket", { AF_INET, SOCK_STREAM, 0 }, DENIED },
	{ "judge", "socketpair", { AF_UNIX, SOCK_STREAM, 0 }, FREE },
	{ "judge", "clone", { 0x3d0f00 }, FREE },
	{ "judge", "execve", { 0 }, FREE },
	{ "shell", "ioctl", { 0, 0x5410 }, FREE },                        /* TIOCSPGRP: job control */
	{ "shell", "vmsplice", { 0 }, DENIED },
	{ "server", "accept4", { 0 }, FREE },
	{ "server", "socket", { AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1 }, DENIED },
	{ "server", "socket", { AF_NETLINK, SOCK_RAW, 0 }, FREE },
	{ "client", "listen", { 0 }, DENIED },
	{ "client", "connect", { 0 }, FREE },
	{ "tiny", "write", { 0 }, FREE },
	{ "tiny", "openat", { 0, 0, 0x88000 }, FREE },                    /* O_RDONLY|O_CLOEXEC|O_NOFOLLOW */
	{ "tiny", "openat", { 0, 0, 01 }, DENIED },
	{ "tiny", "openat", { 0, 0, 0100 }, DENIED },                     /* O_CREAT */
	{ "tiny", "clone", { 0x3d0f00 }, DENIED },
	{ "tiny", "socket", { AF_UNIX, SOCK_STREAM, 0 }, DENIED },
};

static void shipped_filters_know_what_matters(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		const uint64_t args[FILTER_ARGS] = { facts[i].args[0], facts[i].args[1], facts[i].args[2] };
		unsigned is = run(filter_find(facts[i].profile), syscall_number(facts[i].call), args);

		if (is != facts[i].verdict)
			fail_msg("%s: %s (%llx, %llx, %llx): 0x%x", facts[i].profile, facts[i].call, (unsigned long long)args[0],
				 (unsigned long long)args[1], (unsigned long long)args[2], is);
	}
}

static void foreign_and_unknown_calls_never_pass(void **state)
{
	auto_arena struct arena arena = { 0 };
	const struct profile *open = read_profile(&arena, "default: allow\n");
	const struct filter filter = compile(&arena, open, false);
	const int numbers[] = { 0, 1, 26, 59, 101, 11, 520, 1000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		assert_int_equal(run_on(&filter, AUDIT_ARCH_I386, numbers[i], NULL), SECCOMP_RET_KILL_PROCESS);
		assert_int_equal(run_on(&filter, AUDIT_ARCH_ARM, numbers[i], NULL), SECCOMP_RET_KILL_PROCESS);
	}
	if (syscall_arch() == AUDIT_ARCH_X86_64)
		for (int number = 0; number < 600; number++)
			assert_int_equal(run(&filter, 0x40000000 | number, NULL), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(run(&filter, syscall_newest(), NULL), SECCOMP_RET_ALLOW);
	assert_int_equal(run(&filter, syscall_newest() + 1, NULL), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(run(&filter, 400, NULL), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(run(&filter, 0x3fffffff, NULL), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(run(&filter, -1, NULL), SECCOMP_RET_ERRNO | ENOSYS);
}

static void a_foreign_architecture_follows_the_same_profile(void **state)
{
	auto_arena struct arena arena = { 0 };
	const struct filter filter = compile(&arena, shipped(&arena, "default"), true);
	const struct { const char *call; unsigned verdict; } rows[] = {
		{ "read", FREE }, { "mmap2", FREE }, { "stat64", FREE }, { "fcntl64", FREE }, { "_llseek", FREE },
		{ "clock_gettime64", FREE }, { "futex_time64", FREE }, { "waitpid", FREE }, { "mount", DENIED },
		{ "umount", DENIED }, { "umount2", DENIED }, { "stime", DENIED }, { "clock_settime64", DENIED },
		{ "ptrace", DENIED }, { "socketcall", DENIED }, { "ipc", DENIED }, { "clone3", ABSENT },
	};
	const uint64_t new_user[FILTER_ARGS] = { CLONE_NEWUSER }, thread[FILTER_ARGS] = { 0x3d0f00 };

	(void)state;
	if (syscall_foreign_arch() != AUDIT_ARCH_I386)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (run_on(&filter, AUDIT_ARCH_I386, syscall_foreign_number(rows[i].call), NULL) != rows[i].verdict)
			fail_msg("%s", rows[i].call);
	assert_int_equal(run_on(&filter, AUDIT_ARCH_I386, syscall_foreign_number("clone"), new_user), DENIED);
	assert_int_equal(run_on(&filter, AUDIT_ARCH_I386, syscall_foreign_number("clone"), thread), FREE);
	assert_int_equal(run_on(&filter, AUDIT_ARCH_I386, 1000, NULL), ABSENT);
	assert_int_equal(run_on(&filter, AUDIT_ARCH_ARM, 3, NULL), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(run(&filter, 0x40000000, NULL), SECCOMP_RET_KILL_PROCESS);
	expect_faithful(&filter, shipped(&arena, "default"));
}

/* A deny-list must not be passed by the foreign twin of what it denies, nor by calls that hide their arguments. */
static void a_deny_list_holds_for_foreign_calls(void **state)
{
	auto_arena struct arena arena = { 0 };
	const struct profile *profile = read_profile(&arena, "default: allow\nrules: [{deny: [umount2, clock_settime]}]\n");
	const struct filter filter = compile(&arena, profile, true);

	(void)state;
	if (syscall_foreign_arch() != AUDIT_ARCH_I386)
		skip();
	assert_int_equal(run_on(&filter, AUDIT_ARCH_I386, syscall_foreign_number("umount"), NULL), DENIED);
	assert_int_equal(run_on(&filter, AUDIT_ARCH_I386, syscall_foreign_number("clock_settime64"), NULL), DENIED);
	assert_int_equal(run_on(&filter, AUDIT_ARCH_I386, syscall_foreign_number("socketcall"), NULL), DENIED);
	assert_int_equal(run_on(&filter, AUDIT_ARCH_I386, syscall_foreign_number("getpid"), NULL), FREE);
}

static void denied_calls_can_be_treated_in_any_way(void **state)
{
	static const struct { enum filter_action action; uint16_t errnum; } ways[] = {
		{ FILTER_KILL, 0 }, { FILTER_ERRNO, EACCES }, { FILTER_LOG, 0 }, { FILTER_TRAP, 0 }, { FILTER_NOTIFY, 0 },
	};
	const struct filter *filter = filter_find("default");
	struct sock_filter copy[BPF_MAXINSNS];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const uint32_t value = filter_return(ways[i].action, ways[i].errnum);
		const struct filter other = { .program = copy, .count = filter->count };

		filter_retarget(filter, value, copy);
		for (int number = 0; number < 600; number++) {
			const unsigned was = run(filter, number, NULL);

			assert_int_equal(run(&other, number, NULL), was == filter->denied_return ? value : was);
		}
	}
}

static void the_last_rule_that_holds_decides(void **state)
{
	auto_arena struct arena arena = { 0 };
	const struct profile *profile = read_profile(&arena, "default: deny\nrules:\n"
		"  - allow: [read, ioctl]\n"
		"  - errno EBUSY: ioctl(arg1 == 5)\n"
		"  - deny: ioctl(arg1 >= 5, arg1 <= 7)\n"
		"  - kill: ioctl(arg1 == 6)\n");
	struct error err = { 0 };
	uint64_t args[FILTER_ARGS] = { 0, 5 };
	struct filter filter;

	(void)state;
	assert_int_equal(profile_deny(&arena, &profile, "read", &here, &err), 0);
	assert_int_equal(profile_allow(&arena, &profile, "read(arg0 == 0)", &here, &err), 0);
	assert_int_equal(profile_allow(&arena, &profile, "700", &here, &err), 0);
	filter = compile(&arena, profile, false);
	expect_faithful(&filter, profile);
	assert_int_equal(run(&filter, syscall_number("ioctl"), args), DENIED);
	args[1] = 6;
	assert_int_equal(run(&filter, syscall_number("ioctl"), args), SECCOMP_RET_KILL_PROCESS);
	args[1] = 8;
	assert_int_equal(run(&filter, syscall_number("ioctl"), args), FREE);
	assert_int_equal(run(&filter, syscall_number("read"), args), FREE);
	args[0] = 1;
	assert_int_equal(run(&filter, syscall_number("read"), args), DENIED);
	assert_int_equal(run(&filter, 700, args), FREE);
	assert_int_equal(run(&filter, 699, args), ABSENT);
	assert_string_equal(profile_explain(profile, syscall_number("read"), args), "denied by --seccomp-allow");
}

/* Programs too long for short jumps: every number another verdict, and thousands of conditions. */
static void long_programs_are_compiled_as_well(void **state)
{
	auto_arena struct arena arena = { 0 };
	auto_text struct text text = { 0 };
	struct error err = { 0 };
	struct filter filter;
	const struct profile *profile;

	(void)state;
	text_add(&text, "default: deny\nrules:\n");
	for (int number = 0; number <= 334; number++)
		text_add(&text, " - errno %d: %d\n", number % 200 + 1, number);
	for (int i = 0; i < 400; i++)
		text_add(&text, " - %s: '%d(arg%d %s %d, arg1 & 0x%x == 1)'\n", i % 3 ? "allow" : "log", i % 40, i % 6,
			 i % 2 ? "==" : ">", i * 7, i | 1);
	profile = read_profile(&arena, text.bytes);
	filter = compile(&arena, profile, false);
	assert_true(filter.count > 2000);
	expect_faithful(&filter, profile);

	for (int i = 0; i < 1000; i++)
		text_add(&text, " - allow: read(arg%d != 0x%x)\n", i % 6, i * 977);
	profile = read_profile(&arena, text.bytes);
	assert_int_equal(filter_compile(&arena, profile, NULL, &filter, &err), -E2BIG);
}

/* The cost of loading grows with the length; a change that lengthens a program should be meant. */
static void programs_stay_short(void **state)
{
	static const struct { const char *name; unsigned count; } golden[] = {
		{ "client", 169 }, { "default", 163 }, { "enclave", 104 }, { "judge", 188 }, { "server", 149 }, { "shell", 185 }, { "strict", 166 }, { "tiny", 117 },
	};

	(void)state;
	if (syscall_arch() != AUDIT_ARCH_X86_64)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(golden); i++)
		if (filter_find(golden[i].name)->count != golden[i].count)
			fail_msg("%s has %u instructions, not %u", golden[i].name, filter_find(golden[i].name)->count,
				 golden[i].count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shipped_filters_do_what_their_profiles_say),
		cmocka_unit_test(each_blocked_call_has_a_reason),
		cmocka_unit_test(shipped_filters_know_what_matters),
		cmocka_unit_test(foreign_and_unknown_calls_never_pass),
		cmocka_unit_test(a_foreign_architecture_follows_the_same_profile),
		cmocka_unit_test(a_deny_list_holds_for_foreign_calls),
		cmocka_unit_test(denied_calls_can_be_treated_in_any_way),
		cmocka_unit_test(the_last_rule_that_holds_decides),
		cmocka_unit_test(long_programs_are_compiled_as_well),
		cmocka_unit_test(programs_stay_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
