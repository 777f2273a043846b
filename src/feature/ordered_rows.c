/* SPDX-License-Identifier: Apache-2.0 */
/* What can be put into a tree that is built in order, and what is refused before anything happens. */
#include <errno.h>

#include "feature/ordered.h"

#define MOUNT(name) .key = (name), .type = FIELD_MOUNTS, FIELD(mounts), .since = "0.1"

const struct field ordered_fields[] = {
	{ .key = "ordered", .type = FIELD_FLAG, FIELD(is_ordered), .since = "0.1",
	  .help = "build the tree one mount after the other, as they are given, over an empty writable root",
	  .detail = "Nothing else is in it: no system directories, no /etc, no /proc, no /dev. What is missing above a place is made, "
		    "in writable folders of the host too; links in folders are followed, and lead nowhere but to the inside. A later "
		    "mount covers an earlier one. Landlock does not govern files then, for what is covered and what is not is known to "
		    "the kernel alone. With it, --proc, --sys, --dev, --root, --mask and --overlay are not to be had." },
	{ MOUNT("ro-try"), .kind = MOUNT_RO, .is_optional = true, .example = "/opt", .help = "as --ro; left out when there is no such source" },
	{ MOUNT("rw-try"), .kind = MOUNT_RW, .is_optional = true, .example = "./cache:/cache",
	  .help = "as --rw; left out when there is no such source" },
	{ MOUNT("rw-dev"), .kind = MOUNT_RW_DEV, .example = "/dev/dri",
	  .help = "with --ordered: show a host file or directory, writable, in which device nodes work" },
	{ MOUNT("rw-dev-try"), .kind = MOUNT_RW_DEV, .is_optional = true, .example = "/dev/dri",
	  .help = "as --rw-dev; left out when there is no such source" },
	{ MOUNT("data"), .kind = MOUNT_DATA, .example = "/etc/token=fd:5",
	  .help = "with --ordered: a file, as --file, but mounted over its place, which may be on the host" },
	{ MOUNT("data-ro"), .kind = MOUNT_DATA_RO, .example = "/etc/passwd=@passwd.txt", .help = "as --data, and read-only" },
	{ MOUNT("new-proc"), .kind = MOUNT_NEW_PROC, .example = "/proc",
	  .help = "with --ordered: a procfs of the PID namespace's own; without one, the host's" },
	{ MOUNT("new-dev"), .kind = MOUNT_NEW_DEV, .example = "/dev",
	  .help = "with --ordered: a small /dev with null, zero, full, random, urandom, tty, pts and shm" },
	{ MOUNT("mqueue"), .kind = MOUNT_MQUEUE, .example = "/dev/mqueue", .help = "with --ordered: POSIX message queues; mq_overview(7)" },
	{ MOUNT("seal"), .kind = MOUNT_SEAL, .example = "/", .help = "with --ordered: what is mounted there becomes read-only, alone" },
	{ MOUNT("chmod"), .kind = MOUNT_CHMOD, .example = "/srv:mode=0700", .help = "with --ordered: change the mode of what is there" },
	{ MOUNT("layers"), .kind = MOUNT_LAYERS, .example = "/srv:lower=/srv/base,lower=/srv/more",
	  .help = "with --ordered: host directories laid over each other, the bottom first; writes go to upper=, or are thrown away" },
	{ MOUNT("layers-ro"), .kind = MOUNT_LAYERS_RO, .example = "/srv:lower=/srv/base,lower=/srv/more", .help = "as --layers, read-only" },
	{ 0 },
};

static const struct {
	enum mount_kind kind;
	const char *name;
} refused[] = { { MOUNT_MASK, "mask" }, { MOUNT_OVERLAY, "overlay" } };

static int refuse(const struct origin *origin, const char *id, const char *remedy, const char *what, struct error *err)
{
	char where[ORIGIN_TEXT];

	error_mistake(err, "%s: %s", origin_print(origin, where), what);
	error_remedy(err, id, "%s", remedy);
	return -EINVAL;
}

static int check_unordered(const struct spec *spec, struct error *err)
{
	for (const struct mount *mount = spec->mounts; mount; mount = mount->next)
		if (mount->kind >= MOUNT_RW_DEV || (mount_is_of_host(mount) && mount->descriptor >= 0))
			return refuse(&mount->origin, "E-NEEDS-ORDERED", "add --ordered, and whatever else the jail shall hold",
				      "this is to be had only in a tree that is built in order", err);
	return 0;
}

static bool is_asked(const struct spec *spec, size_t offset, bool is_none)
{
	return !is_none && spec_origin(spec, offset)->layer != LAYER_DEFAULT;
}

/* What speaks of a tree that immure arranges by itself. */
static int check_others(const struct spec *spec, const struct host *host, struct error *err)
{
	const struct { size_t offset; bool is_asked; } others[] = {
		{ offsetof(struct spec, root), spec->root != NULL },
		{ offsetof(struct spec, proc), is_asked(spec, offsetof(struct spec, proc), spec->proc == PROC_NONE) },
		{ offsetof(struct spec, sys), is_asked(spec, offsetof(struct spec, sys), spec->sys == SYS_NONE) },
		{ offsetof(struct spec, dev), is_asked(spec, offsetof(struct spec, dev), spec->dev == DEV_NONE) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (others[i].is_asked)
			return refuse(spec_origin(spec, others[i].offset), "E-ORDERED-ALONE",
				      "say it as a mount: --new-proc /proc, --new-dev /dev, --ro /srv/jail:/",
				      "it does not go together with --ordered", err);
	for (const struct mount *mount = spec->mounts; mount; mount = mount->next)
		for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
			if (mount->kind == refused[i].kind)
				return refuse(&mount->origin, "E-ORDERED-ALONE", "cover it by --tmpfs or --data; lay layers by --layers",
					      "it does not go together with --ordered", err);
	if (host->has_no_namespaces || spec->mountns.mode != NAMESPACE_NEW)
		return refuse(SPEC_ORIGIN(spec, is_ordered), "E-NEEDS-MOUNTS", "immure doctor says what is missing here",
			      "--ordered needs a mount namespace", err);
	return 0;
}

/* The words that scripts of bubblewrap's users look for. */
static int check_source(const struct host *host, const char *path, bool is_optional, struct error *err)
{
	const struct host_path *entry = host_look(host, path);
	const int errnum = entry->errnum ? entry->errnum : ENOENT;

	if (entry->kind != PATH_MISSING || (is_optional && errnum == ENOENT))
		return 0;
	error_set(err, errnum, "Can't find source path %s", path);
	error_remedy(err, "E-SOURCE-MISSING", "the path must exist on the host");
	return -errnum;
}

static int check_sources(const struct mount *mount, const struct host *host, struct error *err)
{
	int rc = 0;

	if (mount_is_of_host(mount) && !mount->source)
		return error_mistake(err, "a descriptor is not known on another machine");
	if (mount_is_of_host(mount))
		rc = check_source(host, mount->source, mount->is_optional, err);
	for (unsigned i = 0; rc == 0 && i < mount->lower_count; i++)
		rc = check_source(host, mount->lowers[i], false, err);
	if (rc == 0 && mount->upper)
		rc = check_source(host, mount->upper, false, err);
	return rc < 0 || !mount->work ? rc : check_source(host, mount->work, false, err);
}

int ordered_check(const struct spec *spec, const struct host *host, struct error *err)
{
	int rc;

	if (!spec->is_ordered)
		return check_unordered(spec, err);
	rc = check_others(spec, host, err);
	if (rc == 0 && !host->has_mount_api)
		rc = refuse(SPEC_ORIGIN(spec, is_ordered), "E-KERNEL-OLD", "a mount namespace of immure needs Linux 5.12; see immure doctor",
			    "this kernel has no mount_setattr(2)", err);
	for (const struct mount *mount = spec->mounts; rc == 0 && mount; mount = mount->next)
		rc = check_sources(mount, host, err);
	return rc;
}
