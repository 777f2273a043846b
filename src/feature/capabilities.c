/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities over all five sets; none unless asked for. capabilities(7) */
#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "feature/capability.h"
#include "feature/feature.h"

static const struct field fields[] = {
	{ .key = "cap-add", .type = FIELD_WORDS, FIELD(cap_add), .example = "net_bind_service", .since = "0.1",
	  .help = "capabilities that the program gets, within its namespaces; by name, with or without cap_, or all" },
	{ .key = "ambient", .type = FIELD_FLAG, FIELD(raises_ambient), .since = "0.1",
	  .help = "with --leave capabilities: those that are held and inheritable become ambient",
	  .detail = "So a program that is executed by another user than root keeps them; those that are not inheritable stay as they are." },
	{ .key = "securebits", .type = FIELD_NAME, FIELD(securebits), .fallback = "locked", .since = "0.1",
	  .help = "locked (root inside is nobody special, for good), or none (they are not touched)" },
	{ 0 },
};

/* By number, as in linux/capability.h. */
static const char *const names[] = {
	"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "linux_immutable",
	"net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module", "sys_rawio",
	"sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time",
	"sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog",
	"wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf", "checkpoint_restore",
};

enum {
	LOCKED_BITS = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
		      SECBIT_KEEP_CAPS_LOCKED,
};

const char *capability_name(unsigned number)
{
	return number < ARRAY_SIZE(names) ? names[number] : NULL;
}

int capability_number(const char *name)
{
	if (strncasecmp(name, "cap_", 4) == 0)
		name += 4;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasecmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

static bool is_all(const char *name)
{
	return strcasecmp(name, "all") == 0;
}

/* In a user namespace of its own the jail may have all that the kernel knows, otherwise what the caller holds. */
static uint64_t all_capabilities(const struct spec *spec, const struct host *host)
{
	if (spec->userns.mode == NAMESPACE_HOST || host->has_no_namespaces)
		return host->capabilities;
	return UINT64_MAX >> (63 - host->last_capability);
}

uint64_t capabilities_asked(const struct spec *spec, const struct host *host)
{
	uint64_t mask = 0;

	for (const struct string_item *item = spec->cap_add; item; item = item->next) {
		if (is_all(item->text))
			mask |= all_capabilities(spec, host);
		else if (capability_number(item->text) >= 0)
			mask |= 1ULL << capability_number(item->text);
	}
	return mask;
}

uint64_t capabilities_possible(const struct spec *spec, const struct host *host)
{
	return spec_leaves(spec, "capabilities") ? all_capabilities(spec, host) : capabilities_asked(spec, host);
}

bool securebits_are_locked(const struct spec *spec)
{
	return strcmp(spec->securebits, "locked") == 0;
}

static int check(const struct spec *spec, const struct host *host, struct error *err)
{
	for (const struct string_item *item = spec->cap_add; item; item = item->next) {
		int number = capability_number(item->text);

		if (is_all(item->text))
			continue;
		if (number < 0)
			return error_mistake(err, "--cap-add %s: no such capability; capabilities(7) lists them", item->text);
		if ((unsigned)number > host->last_capability)
			return error_mistake(err, "--cap-add %s: this kernel does not have it", item->text);
	}
	if (!securebits_are_locked(spec) && strcmp(spec->securebits, "none") != 0)
		return error_mistake(err, "--securebits %s: it is locked or none", spec->securebits);
	if (spec->userns.mode == NAMESPACE_HOST && (capabilities_asked(spec, host) & ~host->capabilities)) {
		error_mistake(err, "--cap-add: without a user namespace only the caller's own capabilities can be given");
		error_remedy(err, "E-CAP-NOT-HELD", "leave out --userns host, or run as a user who holds it");
		return -EINVAL;
	}
	return 0;
}

static bool holds_any(const struct plan *plan, const struct host *host)
{
	return plan->has_userns || host->capabilities;
}

/* Before the change of uid, while CAP_SETPCAP is held. */
static void plan_bounds(struct plan *plan, const struct spec *spec, const struct host *host, struct step step)
{
	step.phase = PHASE_LIMITS;
	step.op = OP_DROP_BOUNDING;
	step.number = host->last_capability;
	if (!spec_leaves(spec, "bounding"))
		plan_add(plan, step);
	step.op = OP_SECUREBITS;
	step.origin = SPEC_ORIGIN(spec, securebits);
	step.number = LOCKED_BITS;
	if (securebits_are_locked(spec))
		plan_add(plan, step);
}

/* In a new user namespace all sets are full again: what root lacks outside it shall not have there either. */
static void plan_left(struct plan *plan, const struct host *host)
{
	const uint64_t all = (2ULL << host->last_capability) - 1;

	if (host->uid == 0 && plan->has_userns && (host->capabilities & all) != all)
		plan_add(plan, (struct step){ .op = OP_DROP_BOUNDING, .side = PAYLOAD, .phase = PHASE_LIMITS, .slot = SLOT_NONE,
			.flags = host->capabilities, .number = host->last_capability, .why = "no more than the caller has" });
}

static void plan_sets(struct plan *plan, const struct spec *spec, struct step step)
{
	if (step.flags && !securebits_are_locked(spec)) {
		step.op = OP_KEEP_CAPABILITIES;
		step.phase = PHASE_LIMITS;
		plan_add(plan, step);
	}
	step.phase = PHASE_PRIVILEGE;
	step.op = OP_CAPABILITIES;
	plan_add(plan, step);
	if (!step.flags)
		return;
	step.op = OP_AMBIENT;
	step.why = "so that they survive exec";
	/* The host's root keeps them without, unless its securebits say that it is nobody special. capabilities(7) */
	step.how = plan->has_userns || plan->uid || securebits_are_locked(spec) ? 0 : STEP_OPTIONAL;
	plan_add(plan, step);
}

static void plan_capabilities(struct plan *plan, const struct spec *spec, const struct host *host)
{
	const struct step step = { .side = PAYLOAD, .phase = PHASE_IDENTITY, .origin = SPEC_ORIGIN(spec, cap_add),
				   .flags = capabilities_asked(spec, host), .slot = SLOT_NONE };
	const bool is_left = spec_leaves(spec, "capabilities");

	if (!is_left && (plan->has_userns || HOST_HAS_CAP(host, CAP_SETPCAP)))
		plan_bounds(plan, spec, host, step);
	plan_add(plan, (struct step){ .op = OP_NO_NEW_PRIVS, .side = PAYLOAD, .phase = PHASE_PRIVILEGE, .slot = SLOT_NONE,
		.why = "always: exec gives nothing back" });
	if (!is_left && holds_any(plan, host))
		plan_sets(plan, spec, step);
	if (is_left && spec->raises_ambient)
		plan_add(plan, (struct step){ .op = OP_AMBIENT, .side = PAYLOAD, .phase = PHASE_PRIVILEGE, .slot = SLOT_NONE,
			.flags = host->capabilities, .how = STEP_LEFT, .origin = SPEC_ORIGIN(spec, raises_ambient),
			.why = "those that are not inheritable stay as they are" });
	if (is_left && !spec_leaves(spec, "bounding"))
		plan_left(plan, host);
}

const struct feature feature_capabilities = {
	.name = "capabilities", .title = "Privileges", .fields = fields, .check = check, .plan = plan_capabilities,
};
