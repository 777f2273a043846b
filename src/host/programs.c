/* SPDX-License-Identifier: Apache-2.0 */
/* Filters that somebody else compiled, read from descriptors before anything begins. seccomp(2), struct sock_fprog */
#include <errno.h>
#include <linux/filter.h>

#include "host/probe.h"
#include "sys/file.h"

/* Each way by a number of its own. */
static int refuse(struct error *err, const struct string_item *item, int errnum, const char *what)
{
	char where[ORIGIN_TEXT];

	error_mistake(err, "%s %s: %s", origin_print(&item->origin, where), item->text, what);
	error_remedy(err, "E-SECCOMP-FD", "it holds struct sock_filter, 8 bytes each, 1 to %d of them, from where it stands to its end",
		     BPF_MAXINSNS);
	err->errnum = errnum;
	return -errnum;
}

static int read_program(const struct string_item *item, struct compiled_filter *filter, struct arena *arena, struct error *err)
{
	enum { MOST = BPF_MAXINSNS * sizeof(struct sock_filter) };
	char *bytes = arena_alloc(arena, MOST + 1);
	uint64_t number = 0;
	size_t used = 0;
	ssize_t done = 0;

	if (!bytes)
		return error_set(err, ENOMEM, "reading a filter");
	number_parse(item->text, INT32_MAX, &number);
	while (used <= MOST && (done = sys_read((int)number, bytes + used, MOST + 1 - used)) > 0)
		used += (size_t)done;
	if (done < 0)
		return refuse(err, item, (int)-done, "it cannot be read");
	if (used > MOST)
		return refuse(err, item, EFBIG, "the filter is too long");
	if (used % sizeof(struct sock_filter))
		return refuse(err, item, EINVAL, "the size of a filter is a multiple of 8");
	*filter = (struct compiled_filter){ (const struct sock_filter *)bytes, (unsigned short)(used / sizeof(struct sock_filter)) };
	return 0;
}

/* Only when all have been read: of two that are wrong in different ways, the one is told whose bytes make no sense. */
static int refuse_empty(const struct spec *spec, const struct compiled_filter *filters, struct error *err)
{
	for (const struct string_item *item = spec->seccomp_fds; item; item = item->next)
		if (!(filters++)->count)
			return refuse(err, item, ENODATA, "there is no filter in it");
	return 0;
}

int host_read_programs(struct spec *spec, struct error *err)
{
	struct compiled_filter *filters;
	unsigned count = 0;
	int rc = 0;

	for (const struct string_item *item = spec->seccomp_fds; item; item = item->next)
		count++;
	if (!count || spec->compiled_filters)
		return 0;
	filters = arena_alloc(&spec->arena, count * sizeof(*filters));
	if (!filters)
		return error_set(err, ENOMEM, "reading filters");
	count = 0;
	for (const struct string_item *item = spec->seccomp_fds; rc == 0 && item; item = item->next)
		rc = read_program(item, &filters[count++], &spec->arena, err);
	spec->compiled_filters = filters;
	return rc < 0 ? rc : refuse_empty(spec, filters, err);
}
