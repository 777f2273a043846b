/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile says about a call, and how one rule is added. */
#include "filter/profile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "filter/rule.h"
#include "filter/syscalls.h"

static const char *const action_words[] = {
	[FILTER_ALLOW] = "allow", [FILTER_DENY] = "deny", [FILTER_ERRNO] = "errno", [FILTER_KILL] = "kill",
	[FILTER_LOG] = "log",     [FILTER_TRAP] = "trap", [FILTER_NOTIFY] = "notify",
};

const char *action_print(enum filter_action action, uint16_t errnum, char *buffer)
{
	const char *name = errno_name(errnum);

	if (action != FILTER_ERRNO)
		return action_words[action];
	if (name)
		snprintf(buffer, ACTION_TEXT, "errno %s", name);
	else
		snprintf(buffer, ACTION_TEXT, "errno %u", errnum);
	return buffer;
}

const struct filter_rule *profile_judge(const struct profile *profile, int number, const uint64_t args[FILTER_ARGS])
{
	static const uint64_t zeros[FILTER_ARGS];

	for (unsigned i = profile->rule_count; i-- > 0;) {
		const struct filter_rule *rule = &profile->rules[i];

		if (rule->number == number && rule_holds(rule, args ? args : zeros))
			return rule;
	}
	return NULL;
}

/* A blocked call may have conditions that allow it: then the words of its denial in general, if there are any. */
static const char *find_reason(const struct profile *profile, int number)
{
	for (unsigned i = profile->rule_count; i-- > 0;)
		if (profile->rules[i].number == number && profile->rules[i].reason)
			return profile->rules[i].reason;
	return NULL;
}

static bool has_conditions(const struct profile *profile, int number)
{
	for (unsigned i = 0; i < profile->rule_count; i++)
		if (profile->rules[i].number == number && profile->rules[i].condition_count)
			return true;
	return false;
}

const char *profile_explain(const struct profile *profile, int number, const uint64_t args[FILTER_ARGS])
{
	const struct filter_rule *rule = profile_judge(profile, number, args);
	const char *reason = rule && rule->reason ? rule->reason : find_reason(profile, number);

	if (rule && rule->action == FILTER_ALLOW)
		return "it is allowed";
	if (reason)
		return reason;
	if (!syscall_name(number) && !rule)
		return "this build of immure does not know such a call";
	if (has_conditions(profile, number))
		return "not with these arguments";
	return rule ? "denied without a reason given" : "it is not among the calls that the profile allows";
}

/* A copy with room for one rule more; NULL: no memory. */
static struct filter_rule *copy_rules(struct arena *arena, const struct profile *from)
{
	struct filter_rule *rules = arena_alloc(arena, (from->rule_count + 1) * sizeof(*rules));

	if (rules && from->rule_count)
		memcpy(rules, from->rules, from->rule_count * sizeof(*rules));
	return rules;
}

static int add_rule(struct arena *arena, const struct profile **profile, const struct filter_rule *rule,
		    struct error *err)
{
	struct profile *copy = arena_alloc(arena, sizeof(*copy));
	struct filter_rule *rules = copy_rules(arena, *profile);

	if (!copy || !rules)
		return error_set(err, ENOMEM, "add a rule");
	if ((*profile)->rule_count == PROFILE_MOST_RULES)
		return error_mistake(err, "profile %s: more than %d rules", (*profile)->name, PROFILE_MOST_RULES);
	*copy = **profile;
	rules[copy->rule_count++] = *rule;
	copy->rules = rules;
	*profile = copy;
	return 0;
}

int profile_allow(struct arena *arena, const struct profile **profile, const char *text, const struct origin *origin,
		  struct error *err)
{
	struct filter_rule rule = { .action = FILTER_ALLOW };
	int rc = rule_parse(arena, text, origin, &rule, err);

	return rc < 0 ? rc : add_rule(arena, profile, &rule, err);
}

static int add_denial(struct arena *arena, const struct profile **profile, struct filter_rule rule, const char *text,
		      const struct origin *origin, struct error *err)
{
	char place[ORIGIN_TEXT];
	int rc = rule_parse(arena, text, origin, &rule, err);

	if (rc < 0)
		return rc;
	rule.reason = arena_format(arena, "denied by %s", origin_print(origin, place));
	return rule.reason ? add_rule(arena, profile, &rule, err) : error_set(err, ENOMEM, "add a rule");
}

int profile_deny(struct arena *arena, const struct profile **profile, const char *text, const struct origin *origin,
		 struct error *err)
{
	return add_denial(arena, profile, (struct filter_rule){ .action = FILTER_DENY }, text, origin, err);
}

int profile_hide(struct arena *arena, const struct profile **profile, const char *text, const struct origin *origin,
		 struct error *err)
{
	return add_denial(arena, profile, (struct filter_rule){ .action = FILTER_ERRNO, .errnum = ENOSYS }, text, origin, err);
}
