/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a profile to a program.
 *
 * Each number of the architecture gets a leaf: a verdict, or a block of conditions that ends in verdicts. Equal
 * verdicts of neighbouring numbers form one range; the ranges are searched by halving, so that a call costs about
 * log2(ranges) comparisons and the program is short to load. Then come the rules that no profile can change:
 * architecture, x32, numbers that nobody knows yet.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

#include "filter/emit.h"
#include "filter/foreign.h"
#include "filter/rule.h"
#include "filter/syscalls.h"

/* x32 calls carry this bit; the architecture is reported as x86_64. <asm/unistd.h> __X32_SYSCALL_BIT */
enum { X32_BIT = 0x40000000, MOST_RANGES = SYSCALL_MOST + 4 };

/* From this number up to the next range. */
struct range {
	uint32_t first;
	bool has_conditions;   /* a block for this one number; then verdict is its last resort */
	struct target verdict;
};

struct compiler {
	struct emitter emitter;
	const struct profile *profile;
	bool is_foreign;       /* the architecture whose numbers are being compiled */
	struct range ranges[MOST_RANGES];
	unsigned range_count;
};

/* Whether RULE speaks of NUMBER; NATIVE is the native number of the same meaning when NUMBER is foreign. */
static bool is_about(const struct compiler *compiler, const struct filter_rule *rule, int number, int native)
{
	if (!compiler->is_foreign)
		return rule->number == number;
	return rule->foreign_number == number || (native != SYSCALL_NONE && rule->number == native);
}

static int native_twin(const struct compiler *compiler, int number)
{
	return compiler->is_foreign ? foreign_twin(syscall_foreign_name(number)) : number;
}

/* What happens to a call about which no rule speaks. */
static struct target last_resort(struct compiler *compiler, int number)
{
	const char *name = compiler->is_foreign ? syscall_foreign_name(number) : syscall_name(number);

	if (!name)
		return emit_verdict(&compiler->emitter, FILTER_ERRNO, ENOSYS);
	if (compiler->is_foreign && foreign_hides_arguments(name))
		return emit_verdict(&compiler->emitter, FILTER_DENY, 0);
	return emit_verdict(&compiler->emitter, compiler->profile->fallback, 0);
}

static struct target rule_verdict(struct compiler *compiler, const struct filter_rule *rule)
{
	return emit_verdict(&compiler->emitter, rule->action, rule->errnum);
}

/* The last rule that holds decides: so from the last back to the first without a condition. */
static struct range decide(struct compiler *compiler, int number)
{
	const struct profile *profile = compiler->profile;
	const int native = native_twin(compiler, number);
	struct range range = { .first = (uint32_t)number };

	for (unsigned i = profile->rule_count; i-- > 0;) {
		const struct filter_rule *rule = &profile->rules[i];

		if (!is_about(compiler, rule, number, native))
			continue;
		if (!rule->condition_count) {
			range.verdict = rule_verdict(compiler, rule);
			return range;
		}
		range.has_conditions = true;
	}
	range.verdict = last_resort(compiler, number);
	return range;
}

/* Conditions in reverse, because the program is written from its end: each leads to the next, or out to NO. */
static struct target emit_rule(struct compiler *compiler, const struct filter_rule *rule, struct target no)
{
	struct target start = rule_verdict(compiler, rule);

	for (unsigned i = rule->condition_count; i-- > 0;)
		start = emit_condition(&compiler->emitter, &rule->conditions[i], start, no);
	return start;
}

/* The rules about one number in order; each that is written comes before the others, so the last is asked first. */
static struct target emit_block(struct compiler *compiler, const struct range *range)
{
	const struct profile *profile = compiler->profile;
	const int number = (int)range->first, native = native_twin(compiler, number);
	struct target start = last_resort(compiler, number);

	for (unsigned i = 0; i < profile->rule_count; i++) {
		const struct filter_rule *rule = &profile->rules[i];

		if (!is_about(compiler, rule, number, native))
			continue;
		start = rule->condition_count ? emit_rule(compiler, rule, start) : rule_verdict(compiler, rule);
	}
	return start;
}

static void add_range(struct compiler *compiler, struct range range)
{
	const struct range *last = compiler->range_count ? &compiler->ranges[compiler->range_count - 1] : NULL;

	if (last && !last->has_conditions && !range.has_conditions && last->verdict.place == range.verdict.place)
		return;
	compiler->ranges[compiler->range_count++] = range;
}

/* The largest number that has a name or a rule. */
static int newest(const struct compiler *compiler)
{
	int number = compiler->is_foreign ? syscall_foreign_newest() : syscall_newest();

	for (unsigned i = 0; i < compiler->profile->rule_count; i++) {
		const struct filter_rule *rule = &compiler->profile->rules[i];
		const int mentioned = compiler->is_foreign ? rule->foreign_number : rule->number;

		number = mentioned > number ? mentioned : number;
	}
	return number;
}

static void find_ranges(struct compiler *compiler)
{
	const struct target unknown = emit_verdict(&compiler->emitter, FILTER_ERRNO, ENOSYS);
	const int last = newest(compiler);

	compiler->range_count = 0;
	for (int number = 0; number <= last; number++)
		add_range(compiler, decide(compiler, number));
	add_range(compiler, (struct range){ .first = (uint32_t)last + 1, .verdict = unknown });
	if (compiler->is_foreign || syscall_arch() != AUDIT_ARCH_X86_64)
		return;
	add_range(compiler, (struct range){ .first = X32_BIT, .verdict = emit_verdict(&compiler->emitter, FILTER_KILL, 0) });
	/* -1 is no x32 call but what programs use when they want ENOSYS. */
	add_range(compiler, (struct range){ .first = UINT32_MAX, .verdict = unknown });
}

/* Ranges FIRST up to END. Depth is that of halving. */
static struct target emit_search(struct compiler *compiler, unsigned first, unsigned end)
{
	const unsigned middle = first + (end - first) / 2;
	const struct range *range = &compiler->ranges[first];
	struct target below, above;

	if (end - first == 1)
		return range->has_conditions ? emit_block(compiler, range) : range->verdict;
	above = emit_search(compiler, middle, end);
	below = emit_search(compiler, first, middle);
	return emit_jump(&compiler->emitter, BPF_JGE, compiler->ranges[middle].first, above, below);
}

/* The whole of one architecture; begins with the load of the number. */
static struct target emit_architecture(struct compiler *compiler, bool is_foreign)
{
	struct emitter *emitter = &compiler->emitter;

	compiler->is_foreign = is_foreign;
	find_ranges(compiler);
	emit_fall(emitter, emit_search(compiler, 0, compiler->range_count));
	emit(emitter, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	return (struct target){ .place = emitter->count - 1 };
}

static void emit_program(struct compiler *compiler, const struct filter_options *options)
{
	struct emitter *emitter = &compiler->emitter;
	struct target other = emit_verdict(emitter, FILTER_KILL, 0), foreign = other, native;
	const bool has_foreign = options && options->has_foreign_arch && syscall_foreign_arch();

	if (has_foreign)
		foreign = emit_architecture(compiler, true);
	native = emit_architecture(compiler, false);
	if (has_foreign)
		other = emit_jump(emitter, BPF_JEQ, syscall_foreign_arch(), foreign, other);
	emit_jump(emitter, BPF_JEQ, syscall_arch(), native, other);
	emit(emitter, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
}

/* Turns the program round. */
static int write_filter(struct arena *arena, const struct compiler *compiler, struct filter *filter)
{
	const struct emitter *emitter = &compiler->emitter;
	struct sock_filter *program = arena_alloc(arena, emitter->count * sizeof(*program));
	unsigned short *denied = arena_alloc(arena, (emitter->denied_count + 1) * sizeof(*denied));

	if (!program || !denied)
		return -ENOMEM;
	for (unsigned i = 0; i < emitter->count; i++)
		program[i] = emitter->code[emitter->count - 1 - i];
	for (unsigned i = 0; i < emitter->denied_count; i++)
		denied[i] = (unsigned short)(emitter->count - 1 - emitter->denied[emitter->denied_count - 1 - i]);
	*filter = (struct filter){
		.name = compiler->profile->name,
		.summary = compiler->profile->summary,
		.program = program,
		.denied = denied,
		.count = (unsigned short)emitter->count,
		.denied_count = (unsigned short)emitter->denied_count,
		.denied_return = emitter->denied_return,
	};
	return 0;
}

int filter_compile(struct arena *arena, const struct profile *profile, const struct filter_options *options,
		   struct filter *filter, struct error *err)
{
	auto_free struct compiler *compiler = calloc(1, sizeof(*compiler));
	int rc;

	if (!compiler)
		return error_set(err, ENOMEM, "compile the filter %s", profile->name);
	compiler->profile = profile;
	compiler->emitter.denied_return = filter_return(profile->denied, profile->denied_errnum);
	emit_program(compiler, options);
	if (compiler->emitter.is_full)
		return error_set(err, E2BIG, "compile the filter %s: more than %d instructions", profile->name, EMIT_MOST);
	rc = write_filter(arena, compiler, filter);
	return rc < 0 ? error_set(err, -rc, "compile the filter %s", profile->name) : 0;
}

void filter_retarget(const struct filter *filter, uint32_t denied, struct sock_filter *copy)
{
	memcpy(copy, filter->program, filter->count * sizeof(*copy));
	for (unsigned i = 0; i < filter->denied_count; i++)
		copy[filter->denied[i]].k = denied;
}
