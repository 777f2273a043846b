/* SPDX-License-Identifier: Apache-2.0 */
/* A profile that is misread confines less than its author meant: both forms are read exactly, or refused by place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/seccomp.h>

#include "base/own.h"
#include "filter/filter.h"
#include "filter/syscalls.h"
#include "load/yaml.h"

static const struct origin here = { .layer = LAYER_COMMAND, .source = "--seccomp-deny" };

static int read_text(struct arena *arena, const char *text, const struct profile **profile, struct error *err)
{
	struct node *root = NULL;
	int rc = load_text(arena, "p.yaml", text, strlen(text), &root, err);

	return rc < 0 ? rc : profile_read(arena, root, "p", profile, err);
}

static struct filter read_and_compile(struct arena *arena, const char *text, const struct profile **profile)
{
	struct error err = { 0 };
	struct filter filter = { 0 };

	if (read_text(arena, text, profile, &err) < 0 || filter_compile(arena, *profile, NULL, &filter, &err) < 0)
		fail_msg("%s", err.frame[0]);
	return filter;
}

static void expect_refusal(const char *text, const char *expected)
{
	auto_arena struct arena arena = { 0 };
	const struct profile *profile = NULL;
	struct error err = { 0 };

	assert_true(read_text(&arena, text, &profile, &err) < 0);
	assert_null(profile);
	if (!strstr(err.frame[0], expected))
		fail_msg("expected \"%s\" in \"%s\"", expected, err.frame[0]);
}

static void mistakes_are_named_with_their_place(void **state)
{
	(void)state;
	expect_refusal("just a word", "p.yaml:1:1: expected a profile");
	expect_refusal("rules: []\n", "a profile needs");
	expect_refusal("default: deny\nrulez: []\n", "p.yaml:2:1: a profile has summary");
	expect_refusal("default: errno EPERM\n", "p.yaml:1:1: the default is allow, deny or kill");
	expect_refusal("default: deny\ndenied: allow\n", "p.yaml:2:1: denied calls get");
	expect_refusal("default: deny\ndenied: errno ENOTHING\n", "no error has the name or number ENOTHING");
	expect_refusal("default: deny\nrules:\n  - permit: read\n", "p.yaml:3:5: expected allow, deny");
	expect_refusal("default: deny\nrules:\n  - allow: raed\n", "p.yaml:3:12: no system call is called \"raed\"");
	expect_refusal("default: deny\nrules:\n  - allow: read\n    deny: write\n", "p.yaml:4:5: a row has one action");
	expect_refusal("default: deny\nrules:\n  - reason: x\n", "this row has no action");
	expect_refusal("extends: nonesuch\n", "no shipped seccomp profile is called \"nonesuch\"");
}

static void expect_bad_rule(const char *text, const char *expected)
{
	auto_arena struct arena arena = { 0 };
	const struct profile start = { .name = "p" }, *profile = &start;
	struct error err = { 0 };

	assert_int_equal(profile_deny(&arena, &profile, text, &here, &err), -EINVAL);
	assert_ptr_equal(profile, &start);
	if (!strstr(err.frame[0], expected) || !err.remedy[0])
		fail_msg("expected \"%s\" in \"%s\", with a remedy", expected, err.frame[0]);
}

static void rules_are_read_strictly(void **state)
{
	(void)state;
	expect_bad_rule("", "expected the name of a system call");
	expect_bad_rule("mout", "no system call is called \"mout\"");
	expect_bad_rule("read write", "expected nothing more");
	expect_bad_rule("read()", "expected arg0 to arg5");
	expect_bad_rule("read(arg6 == 1)", "expected arg0 to arg5");
	expect_bad_rule("read(arg0)", "expected one of");
	expect_bad_rule("read(arg0 = 1)", "expected one of");
	expect_bad_rule("read(arg0 == 1", "expected \",\" or \")\"");
	expect_bad_rule("read(arg0 == AF_NOTHING)", "expected a number or a known constant");
	expect_bad_rule("read(arg0 == 0x)", "expected a number or a known constant");
	expect_bad_rule("read(arg0 == 18446744073709551616)", "expected a number or a known constant");
	expect_bad_rule("read(low(arg0) == 0x100000000)", "low() compares 32 bits");
	expect_bad_rule("read(arg0 == 1)x", "expected nothing more");
}

static void rules_print_as_they_are_read(void **state)
{
	static const char *const texts[][2] = {
		{ "openat", "openat" },
		{ "socket( low(arg0)==AF_NETLINK ,low( arg2 ) !=NETLINK_ROUTE )", "socket(low(arg0) == 16, low(arg2) != 0)" },
		{ "ioctl(arg1&0xff00|0xf >= 010)", "ioctl(arg1 & 0xff0f >= 8)" },
		{ "clone(low(arg0) & CLONE_NEWUSER == 0)", "clone(low(arg0) & 0x10000000 == 0)" },
		{ "700", "700" },
	};
	auto_arena struct arena arena = { 0 };
	const struct profile start = { .name = "p" }, *profile = &start;
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(profile_allow(&arena, &profile, texts[i][0], &here, &err), 0);
		assert_string_equal(rule_print(&arena, &profile->rules[i]), texts[i][1]);
	}
}

/* One of each thing that Docker's, containerd's and podman's files contain. */
static const char oci[] =
	"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 13,\n"
	"\t\"archMap\": [{\"architecture\": \"SCMP_ARCH_X86_64\", \"subArchitectures\": [\"SCMP_ARCH_X86\"]}],\n"
	"\t\"syscalls\": [\n"
	"\t{\"names\": [\"read\", \"write\", \"no_such_call\", \"mmap2\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": null,\n"
	"\t \"comment\": \"\", \"includes\": {}, \"excludes\": {}},\n"
	"\t{\"names\": [\"mount\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"caps\": [\"CAP_SYS_ADMIN\"]}},\n"
	"\t{\"names\": [\"clone\"], \"action\": \"SCMP_ACT_ALLOW\", \"excludes\": {\"caps\": [\"CAP_SYS_ADMIN\"]},\n"
	"\t \"args\": [{\"index\": 0, \"value\": 2114060288, \"valueTwo\": 0, \"op\": \"SCMP_CMP_MASKED_EQ\"}]},\n"
	"\t{\"names\": [\"clone3\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 38},\n"
	"\t{\"names\": [\"ptrace\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"minKernel\": \"4.8\"}},\n"
	"\t{\"names\": [\"acct\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"arches\": [\"amd64\", \"arm64\"]}},\n"
	"\t{\"names\": [\"close\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"arches\": [\"s390x\"]}},\n"
	"\t{\"name\": \"personality\", \"action\": \"SCMP_ACT_ALLOW\", \"args\": [\n"
	"\t  {\"index\": 0, \"value\": 0, \"op\": \"SCMP_CMP_EQ\"}, {\"index\": 0, \"value\": 8, \"op\": \"SCMP_CMP_EQ\"}]},\n"
	"\t{\"names\": [\"kexec_load\"], \"action\": \"SCMP_ACT_KILL\"},\n"
	"\t{\"names\": [\"bpf\"], \"action\": \"SCMP_ACT_ERRNO\", \"errno\": \"EACCES\", \"comment\": \"not here\"}]}\n";

static void docker_profiles_mean_what_docker_says(void **state)
{
	enum { FREE = SECCOMP_RET_ALLOW, DENIED = SECCOMP_RET_ERRNO | EACCES };
	static const struct { const char *call; uint64_t arg; uint32_t verdict; } facts[] = {
		{ "read", 0, FREE }, { "openat", 0, DENIED }, { "mount", 0, DENIED }, { "clone", 17, FREE },
		{ "clone", 0x10000011, DENIED }, { "clone3", 0, SECCOMP_RET_ERRNO | ENOSYS }, { "ptrace", 0, FREE },
		{ "acct", 0, FREE }, { "close", 0, DENIED }, { "personality", 0, FREE }, { "personality", 8, FREE },
		{ "personality", 9, DENIED }, { "kexec_load", 0, SECCOMP_RET_KILL_PROCESS }, { "bpf", 0, DENIED },
	};
	auto_arena struct arena arena = { 0 };
	const struct profile *profile = NULL;
	const struct filter filter = read_and_compile(&arena, oci, &profile);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		const uint64_t args[FILTER_ARGS] = { facts[i].arg };

		if (filter_run(&filter, syscall_number(facts[i].call), args) != facts[i].verdict)
			fail_msg("%s(%llu)", facts[i].call, (unsigned long long)facts[i].arg);
	}
	assert_string_equal(profile->ignored[0], "no_such_call");
	assert_null(profile->ignored[1]);
	assert_string_equal(profile_explain(profile, syscall_number("bpf"), NULL), "not here");
	assert_int_equal(profile_judge(profile, syscall_number("bpf"), NULL)->action, FILTER_DENY);
	assert_int_equal(filter.denied_return, DENIED);
}

static void what_a_docker_profile_may_not_say_is_refused(void **state)
{
	(void)state;
	expect_refusal("{\"defaultAction\": \"SCMP_ACT_NOTIFY\"}", "an action that immure does not have: SCMP_ACT_NOTIFY");
	expect_refusal("{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"listenerPath\": \"/x\"}", "not understood here: listenerPath");
	expect_refusal("{\"defaultAction\": \"SCMP_ACT_ERRNO\",\n\"syscalls\": [{\"names\": [\"read\"]}]}",
		       "p.yaml:2:14: a row without an action");
	expect_refusal("{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"action\": \"SCMP_ACT_ALLOW\"}]}",
		       "a row without names");
	expect_refusal("{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [\"read\"], \"action\":"
		       "\"SCMP_ACT_ALLOW\", \"args\": [{\"index\": 6, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}]}]}",
		       "expected a number, not 6");
	expect_refusal("{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [\"read\"], \"action\":"
		       "\"SCMP_ACT_ALLOW\", \"args\": [{\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_XX\"}]}]}",
		       "an operator that immure does not have: SCMP_CMP_XX");
}

static void a_profile_may_extend_a_shipped_one(void **state)
{
	auto_arena struct arena arena = { 0 };
	const struct profile *profile = NULL;
	const struct filter filter = read_and_compile(&arena, "extends: default\ndenied: kill\nrules:\n"
		"- allow: ptrace\n- deny: openat\n  reason: testing\n", &profile);

	(void)state;
	assert_int_equal(filter_run(&filter, syscall_number("ptrace"), NULL), SECCOMP_RET_ALLOW);
	assert_int_equal(filter_run(&filter, syscall_number("read"), NULL), SECCOMP_RET_ALLOW);
	assert_int_equal(filter_run(&filter, syscall_number("openat"), NULL), SECCOMP_RET_KILL_PROCESS);
	assert_string_equal(profile_explain(profile, syscall_number("openat"), NULL), "testing");
	assert_int_equal(filter_run(&filter, syscall_number("mount"), NULL), SECCOMP_RET_KILL_PROCESS);
	assert_non_null(strstr(profile_explain(profile, syscall_number("mount"), NULL), "file system"));
}

static void a_name_may_be_another_architecture_s(void **state)
{
	auto_arena struct arena arena = { 0 };
	const struct profile *profile = NULL;
	const struct filter filter = read_and_compile(&arena, "default: kill\nelsewhere: [osf_adjtime, read]\nrules:\n"
		"- allow: [read, osf_adjtime, write]\n", &profile);

	(void)state;
	assert_int_equal(filter_run(&filter, syscall_number("read"), NULL), SECCOMP_RET_ALLOW);
	assert_int_equal(filter_run(&filter, syscall_number("openat"), NULL), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(profile->rule_count, 2);
	assert_string_equal(profile->ignored[0], "osf_adjtime");
	assert_null(profile->ignored[1]);
	expect_refusal("default: kill\nelsewhere: [osf_adjtime]\nrules:\n  - allow: [osf_adjtim]\n", "no system call is called");
	expect_refusal("default: kill\nelsewhere: read\n", "expected a list of calls");
}

static void names_and_numbers_belong_together(void **state)
{
	(void)state;
	for (int number = 0; number < SYSCALL_MOST; number++)
		if (syscall_name(number))
			assert_int_equal(syscall_number(syscall_name(number)), number);
	for (int number = 1; number < 134; number++)
		if (errno_name(number))
			assert_int_equal(errno_number(errno_name(number)), number);
	assert_int_equal(errno_number("EPERM"), EPERM);
	assert_string_equal(syscall_nearest("opnat"), "openat");
	assert_null(syscall_nearest("nothing_like_it"));
	assert_int_equal(syscall_newest() >= 469, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_named_with_their_place),
		cmocka_unit_test(rules_are_read_strictly),
		cmocka_unit_test(rules_print_as_they_are_read),
		cmocka_unit_test(docker_profiles_mean_what_docker_says),
		cmocka_unit_test(what_a_docker_profile_may_not_say_is_refused),
		cmocka_unit_test(a_profile_may_extend_a_shipped_one),
		cmocka_unit_test(a_name_may_be_another_architecture_s),
		cmocka_unit_test(names_and_numbers_belong_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
