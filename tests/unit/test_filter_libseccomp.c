/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second opinion: random profiles are compiled by immure and by libseccomp, and both programs are asked about
 * every call with arguments around those that matter. Where they differ, one of them is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/own.h"
#include "bpf.h"
#include "filter/filter.h"
#include "filter/syscalls.h"

enum { PROFILES = 300, MOST_RULES = 120 };

static const struct { enum scmp_compare theirs; enum filter_compare ours; bool is_masked; } compares[] = {
	{ SCMP_CMP_EQ, COMPARE_EQ, false }, { SCMP_CMP_NE, COMPARE_NE, false }, { SCMP_CMP_LT, COMPARE_LT, false },
	{ SCMP_CMP_LE, COMPARE_LE, false }, { SCMP_CMP_GT, COMPARE_GT, false }, { SCMP_CMP_GE, COMPARE_GE, false },
	{ SCMP_CMP_MASKED_EQ, COMPARE_EQ, true },
};

static const struct { uint32_t theirs; enum filter_action ours; uint16_t errnum; } actions[] = {
	{ SCMP_ACT_ALLOW, FILTER_ALLOW, 0 },        { SCMP_ACT_ERRNO(EACCES), FILTER_ERRNO, EACCES },
	{ SCMP_ACT_KILL_PROCESS, FILTER_KILL, 0 },  { SCMP_ACT_LOG, FILTER_LOG, 0 },
	{ SCMP_ACT_TRAP, FILTER_TRAP, 0 },
};

/* A xorshift: the same profiles on every run. */
static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* Values that share their upper or lower halves, so that halves are told apart. */
static uint64_t draw_value(void)
{
	static const uint64_t halves[] = { 0, 1, 2, 0x80, 0x7fffffff, 0x80000000, 0xffffffff };

	return halves[draw(ARRAY_SIZE(halves))] << 32 | halves[draw(ARRAY_SIZE(halves))];
}

struct random_profile {
	struct filter_rule rules[MOST_RULES];
	struct filter_condition conditions[MOST_RULES][3];
	unsigned action_of[SYSCALL_MOST]; /* one per call, plus one: libseccomp's order of different ones is its own affair */
	bool has_rule[SYSCALL_MOST];
	bool is_whole[SYSCALL_MOST];      /* has a rule without conditions: libseccomp takes no more then */
	struct profile profile;
};

/*
 * Several rules of one call are drawn of equalities only: libseccomp 2.5.4 merges ordered comparisons of one argument
 * wrongly. Of (arg3 > 2^32) and (arg3 <= 2^32 + 2, arg4 < 128) it made a program that permits arg3 == 2^32 whatever
 * arg4 is. Single rules are drawn of all kinds; several of all kinds are tested against the profile in test_filter.c.
 */
static bool takes_only_equality(int number)
{
	return number % 2 == 0;
}

static void draw_conditions(struct filter_rule *rule, struct filter_condition *conditions, scmp_filter_ctx theirs,
			    uint32_t action)
{
	struct scmp_arg_cmp their_conditions[3];
	const uint8_t first = (uint8_t)draw(4);

	for (unsigned i = 0; i < rule->condition_count; i++) {
		const size_t kind = takes_only_equality(rule->number) ? 0 : draw(ARRAY_SIZE(compares));
		const uint64_t mask = compares[kind].is_masked ? draw_value() : UINT64_MAX, value = draw_value() & mask;

		conditions[i] = (struct filter_condition){ .arg = (uint8_t)(first + i), .compare = compares[kind].ours,
							   .mask = mask, .value = value };
		their_conditions[i] = compares[kind].is_masked
			? (struct scmp_arg_cmp){ first + i, SCMP_CMP_MASKED_EQ, mask, value }
			: (struct scmp_arg_cmp){ first + i, compares[kind].theirs, value, 0 };
	}
	rule->conditions = conditions;
	assert_int_equal(seccomp_rule_add_exact_array(theirs, action, rule->number, rule->condition_count,
						      their_conditions), 0);
}

static void draw_rule(struct random_profile *made, scmp_filter_ctx theirs)
{
	struct filter_rule *rule = &made->rules[made->profile.rule_count];
	const int number = (int)draw(335);
	unsigned action;

	if (!syscall_name(number) || made->is_whole[number] || (made->has_rule[number] && !takes_only_equality(number)))
		return;
	made->has_rule[number] = true;
	if (!made->action_of[number])
		made->action_of[number] = 1 + (unsigned)draw(ARRAY_SIZE(actions));
	action = made->action_of[number] - 1;
	*rule = (struct filter_rule){ .name = "x", .number = number, .foreign_number = -1,
		.action = actions[action].ours, .errnum = actions[action].errnum, .condition_count = (uint8_t)draw(4) };
	made->is_whole[number] = rule->condition_count == 0;
	draw_conditions(rule, made->conditions[made->profile.rule_count++], theirs, actions[action].theirs);
}

static unsigned export_program(scmp_filter_ctx theirs, struct sock_filter program[BPF_MAXINSNS])
{
	const int fd = memfd_create("bpf", MFD_CLOEXEC);
	ssize_t size;

	assert_int_equal(seccomp_export_bpf(theirs, fd), 0);
	size = pread(fd, program, BPF_MAXINSNS * sizeof(*program), 0);
	close(fd);
	assert_true(size > 0 && size % sizeof(*program) == 0);
	return (unsigned)((size_t)size / sizeof(*program));
}

static void expect_agreement(const struct filter *ours, const struct sock_filter *theirs, int number,
			     const uint64_t args[FILTER_ARGS])
{
	struct seccomp_data data = { .nr = number, .arch = syscall_arch() };
	unsigned our_word, their_word;

	memcpy(data.args, args, sizeof(data.args));
	our_word = bpf_run(ours->program, &data, NULL);
	their_word = bpf_run(theirs, &data, NULL);
	if (our_word != their_word)
		fail_msg("call %d (%llx %llx %llx %llx): 0x%x, but libseccomp 0x%x", number, (unsigned long long)args[0],
			 (unsigned long long)args[1], (unsigned long long)args[2], (unsigned long long)args[3], our_word,
			 their_word);
	assert_int_equal(our_word, filter_run(ours, number, args));
}

static void compare_programs(const struct random_profile *made, const struct filter *ours, const struct sock_filter *theirs)
{
	uint64_t args[FILTER_ARGS];

	for (int number = 0; number < 335; number++)
		for (unsigned i = 0; i < 3 && syscall_name(number); i++) {
			for (unsigned j = 0; j < FILTER_ARGS; j++)
				args[j] = draw_value();
			expect_agreement(ours, theirs, number, args);
		}
	for (unsigned i = 0; i < made->profile.rule_count; i++)
		for (unsigned trial = 0; trial < 30; trial++) {
			const struct filter_rule *rule = &made->rules[i];

			for (unsigned j = 0; j < FILTER_ARGS; j++)
				args[j] = draw_value();
			for (unsigned j = 0; j < rule->condition_count; j++)
				if (draw(3))
					args[rule->conditions[j].arg] = rule->conditions[j].value + draw(3) - 1;
			expect_agreement(ours, theirs, rule->number, args);
		}
}

static void try_profile(void)
{
	static struct random_profile made;
	static struct sock_filter program[BPF_MAXINSNS];
	auto_arena struct arena arena = { 0 };
	const unsigned rules = (unsigned)draw(MOST_RULES);
	struct error err = { 0 };
	struct filter ours;
	scmp_filter_ctx theirs = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	assert_non_null(theirs);
	memset(&made, 0, sizeof(made));
	made.profile = (struct profile){ .name = "random", .fallback = FILTER_DENY, .denied = FILTER_ERRNO,
					 .denied_errnum = EPERM, .rules = made.rules };
	for (unsigned i = 0; i < rules; i++)
		draw_rule(&made, theirs);
	assert_int_equal(filter_compile(&arena, &made.profile, NULL, &ours, &err), 0);
	assert_true(bpf_is_valid(ours.program, ours.count));
	if (draw(2))
		assert_int_equal(seccomp_attr_set(theirs, SCMP_FLTATR_CTL_OPTIMIZE, 2), 0);
	export_program(theirs, program);
	compare_programs(&made, &ours, program);
	seccomp_release(theirs);
}

static void libseccomp_agrees_about_random_profiles(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PROFILES; i++)
		try_profile();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(libseccomp_agrees_about_random_profiles) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
