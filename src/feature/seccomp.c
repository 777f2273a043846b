/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system call filter. Its program was compiled when immure was built, or before planning (api);
 * here it is only chosen, and its denied calls are told what becomes of them. seccomp(2)
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "feature/feature.h"
#include "feature/reach.h"
#include "filter/filter.h"
#include "filter/syscalls.h"

static const char *const actions[] = { "errno", "kill", "log", "trap", NULL };

static const struct field fields[] = {
	{ .key = "seccomp", .type = FIELD_NAME, FIELD(seccomp), .metavar = "NAME|FILE", .fallback = "default", .example = "strict", .since = "0.1",
	  .help = "system call filter: a profile (see immure profiles), a file, or off",
	  .detail = "A name with a slash, or one that ends in .yaml, .yml or .json, is a file: a profile of immure's own "
		    "form, or one in the form that Docker and OCI runtimes use." },
	{ .key = "seccomp-allow", .type = FIELD_STRINGS, FIELD(seccomp_allow), .metavar = "CALL", .example = "ptrace", .since = "0.1",
	  .help = "permit a call that the profile denies; may be repeated" },
	{ .key = "seccomp-deny", .type = FIELD_STRINGS, FIELD(seccomp_deny), .metavar = "CALL", .example = "socket", .since = "0.1",
	  .help = "deny a call that the profile permits; may be repeated",
	  .detail = "As with --seccomp-allow the call may have conditions, all of which must hold: "
		    "socket(low(arg0) == AF_NETLINK, low(arg2) != NETLINK_ROUTE). arg0 to arg5 are compared as 64 bits, low(argN) as the "
		    "32 bits that the kernel reads of an int; & MASK may stand before == != < <= > >=. Where both options speak of a "
		    "call, the denial wins." },
	{ .key = "seccomp-action", .type = FIELD_ENUM, FIELD(seccomp_action), .choices = actions, .fallback = "errno", .since = "0.1",
	  .help = "a denied call: errno (fails with EPERM), kill (the process), log (is permitted and named), trap (SIGSYS)" },
	{ .key = "foreign-arch", .type = FIELD_FLAG, FIELD(foreign_arch), .since = "0.1",
	  .help = "permit calls of the processor's other architecture (32-bit programs), filtered by the same names" },
	{ .key = "seccomp-fd", .type = FIELD_WORDS, FIELD(seccomp_fds), .metavar = "N", .example = "11", .since = "0.1", .is_hidden_in_files = true,
	  .help = "load the compiled filter that is read from this descriptor, last of all; may be repeated",
	  .detail = "An array of struct sock_filter; seccomp(2). They are loaded in the order given, behind immure's own filter, if there "
		    "is one; so all but the last must permit to load the next, and all must permit execve. Of all "
		    "verdicts on a call the strictest counts." },
	{ 0 },
};

static bool is_off(const struct spec *spec)
{
	return strcmp(spec->seccomp, "off") == 0;
}

static const struct filter *filter_of(const struct spec *spec)
{
	return spec->custom_filter ? spec->custom_filter : filter_find(spec->seccomp);
}

/* Behind the filter the payload itself still makes these two, and nobody could answer for it if they were denied. */
static int check_start(const struct filter *filter, struct error *err)
{
	static const char *const needed[] = { "execve", "exit_group" };

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (filter_run(filter, syscall_number(needed[i]), NULL) == SECCOMP_RET_ALLOW)
			continue;
		error_mistake(err, "the profile %s denies %s, without which no program starts", filter->name, needed[i]);
		error_remedy(err, "E-PROFILE-START", "--seccomp-allow %s", needed[i]);
		return -EINVAL;
	}
	return 0;
}

/* Loading a filter is a call as well, and immure's own filter is there first. */
static int check_next(const struct spec *spec, const struct filter *filter, struct error *err)
{
	const uint64_t args[FILTER_ARGS] = { SECCOMP_SET_MODE_FILTER };

	if (!spec->seccomp_fds || filter_run(filter, syscall_number("seccomp"), args) == SECCOMP_RET_ALLOW)
		return 0;
	error_mistake(err, "--seccomp-fd: the profile %s denies seccomp, without which no further filter can be loaded", filter->name);
	error_remedy(err, "E-SECCOMP-NEXT", "--seccomp-allow seccomp, or --seccomp off");
	return -EINVAL;
}

static int check_descriptors(const struct spec *spec, const struct host *host, struct error *err)
{
	uint64_t number;

	for (const struct string_item *item = spec->seccomp_fds; item; item = item->next)
		if (number_parse(item->text, INT32_MAX, &number) < 0)
			return error_mistake(err, "--seccomp-fd %s: it wants the number of a descriptor", item->text);
	if (spec->seccomp_fds && !host->has_seccomp)
		return error_mistake(err, "--seccomp-fd: this kernel has no seccomp filters");
	return 0;
}

static int check(const struct spec *spec, const struct host *host, struct error *err)
{
	if (check_descriptors(spec, host, err) < 0)
		return -EINVAL;
	if (is_off(spec))
		return 0;
	if (!filter_of(spec)) {
		error_mistake(err, "--seccomp %s: there is no such profile", spec->seccomp);
		error_remedy(err, "E-PROFILE-UNKNOWN", "immure profiles lists them; a file needs a slash in its name");
		return -EINVAL;
	}
	if (!host->has_seccomp && !spec_may_lack(spec, "seccomp")) {
		error_mistake(err, "this kernel has no seccomp filters");
		error_remedy(err, "E-SECCOMP-NONE", "CONFIG_SECCOMP_FILTER, or --may-lack seccomp");
		return -EINVAL;
	}
	return check_start(filter_of(spec), err) < 0 ? -EINVAL : check_next(spec, filter_of(spec), err);
}

/*
 * Whether a denied call goes to the launcher first, which names it. A trap is the program's own affair, and a profile
 * may leave nothing to be asked about: it kills. Without init nobody could hand the descriptor out from behind the filter; and
 * when the launcher is gone nobody would answer.
 */
static bool is_noticed(const struct spec *spec, const struct host *host)
{
	if (spec->init == INIT_NONE || spec->lifetime == LIFETIME_OWN)
		return false;
	return host->has_seccomp_notify && spec->seccomp_action != DENIED_TRAP && filter_of(spec)->denied_count;
}

static uint32_t denied_unnoticed(const struct spec *spec)
{
	static const enum filter_action action[] = {
		[DENIED_ERRNO] = FILTER_ERRNO, [DENIED_KILL] = FILTER_KILL, [DENIED_LOG] = FILTER_LOG, [DENIED_TRAP] = FILTER_TRAP,
	};

	return filter_return(action[spec->seccomp_action], EPERM);
}

static uint32_t denied_return(const struct spec *spec, const struct host *host)
{
	return is_noticed(spec, host) ? SECCOMP_RET_USER_NOTIF : denied_unnoticed(spec);
}

static void plan_filter(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const struct filter *filter = filter_of(spec);
	struct sock_filter *program;

	if (is_off(spec))
		return;
	if (!host->has_seccomp) {
		plan_lacks(plan, "seccomp");
		return;
	}
	program = arena_alloc(plan->arena, filter->count * sizeof(*program));
	plan->is_short |= !program;
	if (!program)
		return;
	plan_reach(plan, spec, filter, denied_unnoticed(spec));
	filter_retarget(filter, denied_return(spec, host), program);
	plan_add(plan, (struct step){ .op = OP_SECCOMP, .side = PAYLOAD, .phase = PHASE_FILTER, .subject = filter->name,
		.data = program, .size = filter->count, .number = is_noticed(spec, host), .more = spec->seccomp_action, .flags = EPERM,
		.origin = SPEC_ORIGIN(spec, seccomp), .slot = is_noticed(spec, host) ? SLOT_LISTENER : SLOT_NONE });
}

/* What they say is read before planning, but not for another machine. */
static void plan_compiled(struct plan *plan, const struct spec *spec)
{
	size_t at = 0;

	for (const struct string_item *item = spec->seccomp_fds; item; item = item->next, at++)
		plan_add(plan, (struct step){ .op = OP_FILTER, .side = PAYLOAD, .phase = PHASE_FILTER, .slot = SLOT_NONE,
			.subject = plan_format(plan, "of descriptor %s", item->text), .data = spec->compiled_filters ? spec->compiled_filters[at].program : NULL,
			.size = spec->compiled_filters ? spec->compiled_filters[at].count : 0, .origin = SPEC_ORIGIN(spec, seccomp_fds) });
}

static void plan_seccomp(struct plan *plan, const struct spec *spec, const struct host *host)
{
	plan_filter(plan, spec, host);
	plan_compiled(plan, spec);
}

const struct feature feature_seccomp = {
	.name = "seccomp", .title = "System calls", .fields = fields, .check = check, .plan = plan_seccomp,
};
