/* SPDX-License-Identifier: Apache-2.0 */
/* immure run for jails that stay: start, and stay with it or not. In the quick executable as well. */
#include <errno.h>
#include <stdio.h>

#include "cli/cli.h"

int stays(struct immure_spec *spec)
{
	static const char *const keys[] = { "name", "pod" };
	const char *detach = immure_spec_get(spec, "detach");

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *value = immure_spec_get(spec, keys[i]);

		if (value && *value)
			return 1;
	}
	return detach && *detach == 'y';
}

int report_end(const char *name, const struct immure_end *end)
{
	if (end->lost_bytes)
		fprintf(stderr, "immure: %llu bytes were not shown: they were not read fast enough; immure logs %s has what is kept\n",
			(unsigned long long)end->lost_bytes, name);
	if (end->signal)
		return 128 + end->signal;
	return end->exit_code;
}

int run_staying(struct immure_spec *spec, int may_leave_it)
{
	const char *detach = immure_spec_get(spec, "detach");
	const int is_detached = detach && *detach == 'y';
	struct immure_jail *jail;
	struct immure_error err;
	struct immure_end end;
	int exit_code = 0;

	if (immure_start(spec, &jail, &err) < 0)
		return err.errnum == ENOTSUP && may_leave_it ? -1 : complain(&err);
	if (is_detached)
		puts(immure_jail_name(jail));
	else if (immure_jail_attach(jail, IMMURE_ATTACH_INPUT | IMMURE_ATTACH_REPLAY | IMMURE_ATTACH_ENDS_INPUT | IMMURE_ATTACH_SIGNALS,
				    "ctrl-p,ctrl-q", &end, &err) < 0)
		exit_code = complain(&err);
	else
		exit_code = report_end(immure_jail_name(jail), &end);
	immure_jail_close(jail);
	return exit_code;
}
