/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text that reads as a profile compiles to a program that the kernel would take and that does what the profile
 * says, or is refused with words.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/bpf.h"
#include "filter/filter.h"
#include "filter/syscalls.h"
#include "load/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static void must(bool is_so)
{
	if (!is_so)
		abort();
}

static uint32_t expected(const struct profile *profile, int number, const uint64_t *args)
{
	const struct filter_rule *rule = profile_judge(profile, number, args);
	const enum filter_action action = rule ? rule->action : profile->fallback;

	if (!rule && !syscall_name(number))
		return filter_return(FILTER_ERRNO, ENOSYS);
	if (action == FILTER_DENY)
		return filter_return(profile->denied, profile->denied_errnum);
	return filter_return(action, rule ? rule->errnum : 0);
}

static void check_call(const struct profile *profile, const struct filter *filter, int number, const uint64_t *args)
{
	must(filter_run(filter, number, args) == expected(profile, number, args));
	must(*profile_explain(profile, number, args));
}

static void check(const struct profile *profile, const struct filter *filter)
{
	const unsigned rules = profile->rule_count < 200 ? profile->rule_count : 200;
	uint64_t args[FILTER_ARGS] = { 0 };

	must(bpf_is_valid(filter->program, filter->count));
	for (unsigned i = 0; i < rules; i++) {
		const struct filter_rule *rule = &profile->rules[i];

		if (rule->number == SYSCALL_NONE)
			continue;
		for (unsigned j = 0; j < rule->condition_count; j++)
			args[rule->conditions[j].arg] = rule->conditions[j].value;
		check_call(profile, filter, rule->number, args);
		args[i % FILTER_ARGS] ^= 1ULL << i % 64;
		check_call(profile, filter, rule->number, args);
	}
	for (int number = 0; number < 600; number += 7)
		check_call(profile, filter, number, args);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct filter_options options = { .has_foreign_arch = size % 2 };
	auto_arena struct arena arena = { 0 };
	const struct profile *profile = NULL;
	struct error err = { 0 };
	struct filter filter;
	struct node *root = NULL;

	if (load_text(&arena, "fuzz", (const char *)bytes, size, &root, &err) < 0)
		return 0;
	if (profile_read(&arena, root, "fuzz", &profile, &err) < 0 ||
	    filter_compile(&arena, profile, &options, &filter, &err) < 0)
		must(err.errnum && err.frame[0][0]);
	else
		check(profile, &filter);
	return 0;
}
