/* SPDX-License-Identifier: Apache-2.0 */
/* Where settings come from, and what may be missing. */
#include <errno.h>

#include "feature/feature.h"

static const char *const lackables[] = {
	"namespaces", "seccomp", "landlock", "ports", "memory", "swap", "cpus", "cpu-time", "pids", "io", "groups", "all", NULL,
};

static const struct field fields[] = {
	{ .key = "policy", .letter = 'f', .type = FIELD_STRINGS, FIELD(policy_files), .metavar = "FILE", .example = "policy.yaml", .since = "0.1",
	  .is_hidden_in_files = true, .help = "read settings from a YAML or JSON file; may be repeated" },
	{ .key = "preset", .letter = 'p', .type = FIELD_NAME, FIELD(preset), .example = "judge", .since = "0.1",
	  .help = "start from a named set of settings: agent, judge, build, service, enclave, ctf" },
	{ .key = "require", .type = FIELD_WORDS, FIELD(require), .choices = lackables, .example = "landlock", .since = "0.1",
	  .help = "do not start without this, even where it is otherwise optional" },
	{ .key = "may-lack", .type = FIELD_WORDS, FIELD(may_lack), .choices = lackables, .example = "memory", .since = "0.1",
	  .help = "start even where this cannot be had; the result says what was lacking" },
	{ 0 },
};

static int check(const struct spec *spec, const struct host *host, struct error *err)
{
	if (host->has_no_namespaces && (!spec_may_lack(spec, "namespaces") || spec_requires(spec, "namespaces"))) {
		error_mistake(err, "no namespace can be made here");
		error_remedy(err, "E-NAMESPACES-NONE",
			     "immure doctor says who forbids it; --may-lack namespaces runs with Landlock and seccomp alone");
		return -EPERM;
	}
	return 0;
}

const struct feature feature_policy = { .name = "policy", .title = "Policy", .fields = fields, .check = check };
