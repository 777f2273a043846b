/* SPDX-License-Identifier: Apache-2.0 */
/* From the seccomp options to a compiled filter. */
#include "load/filter.h"

#include <errno.h>
#include <string.h>

#include "filter/filter.h"
#include "load/yaml.h"

/* The same rule as in the option's help: a name with a slash or a dot is a file. */
static bool is_file(const char *name)
{
	return strchr(name, '/') || strchr(name, '.');
}

static int read_profile(struct spec *spec, const struct profile **profile, struct error *err)
{
	struct node *root;
	int rc;

	if (!is_file(spec->seccomp))
		return profile_shipped(&spec->arena, spec->seccomp, profile, err);
	rc = load_file(&spec->arena, spec->seccomp, &root, err);
	return rc < 0 ? rc : profile_read(&spec->arena, root, spec->seccomp, profile, err);
}

/* What a sandbox inside the jail needs; Landlock, unless it is off, still refuses it every mount. */
static const char *const nesting_calls[] = {
	"clone", "unshare", "setns", "sethostname", "mount", "umount2", "pivot_root", "chroot", "mount_setattr", "open_tree",
	"move_mount", "fsopen", "fsconfig", "fsmount", "fspick",
};

static int edit_profile(struct spec *spec, const struct profile **profile, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && spec->may_nest && i < ARRAY_SIZE(nesting_calls); i++)
		rc = profile_allow(&spec->arena, profile, nesting_calls[i], SPEC_ORIGIN(spec, may_nest), err);
	for (const struct string_item *item = spec->seccomp_allow; rc == 0 && item; item = item->next)
		rc = profile_allow(&spec->arena, profile, item->text, &item->origin, err);
	for (const struct string_item *item = spec->seccomp_deny; rc == 0 && item; item = item->next)
		rc = profile_deny(&spec->arena, profile, item->text, &item->origin, err);
	return rc;
}

int filter_load(struct spec *spec, struct error *err)
{
	const struct filter_options options = { .has_foreign_arch = spec->foreign_arch };
	struct filter *filter = arena_alloc(&spec->arena, sizeof(*filter));
	const struct profile *profile = NULL;
	int rc;

	if (!filter)
		return error_set(err, ENOMEM, "compile a filter");
	if (strcmp(spec->seccomp, "off") == 0) {
		if (!spec->seccomp_allow && !spec->seccomp_deny)
			return 0;
		return error_mistake(err, "with --seccomp off there is no filter to which a call could be added");
	}
	rc = read_profile(spec, &profile, err);
	if (rc == 0)
		rc = edit_profile(spec, &profile, err);
	if (rc == 0)
		rc = filter_compile(&spec->arena, profile, &options, filter, err);
	if (rc < 0)
		return rc;
	spec->custom_filter = filter;
	spec->custom_profile = profile;
	return 0;
}
