/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was understood, said to a spec. bubblewrap leaves to the program whatever it was not told to take away, so the first thing is to
 * switch off what immure would do by itself; IMMURE_HARDEN=1 leaves that switched on.
 */
#include <string.h>

#include "compat/bwrap.h"

/* Where a setting comes from that no word asked for. */
#define OWN "bwrap"

/* Says one thing after another, until something goes wrong. */
struct teller {
	const struct bwrap *bwrap;
	struct immure_spec *spec;
	struct immure_error *err;
	int rc;
};

static void tell(struct teller *teller, const char *key, const char *value, const char *where)
{
	if (teller->rc == 0)
		teller->rc = immure_spec_set(teller->spec, key, value, where, teller->err);
}

static void tell_number(struct teller *teller, const char *key, int64_t number, const char *where)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	tell(teller, key, text, where);
}

static void tell_descriptor(struct teller *teller, const char *key, int descriptor, const char *where)
{
	if (descriptor >= 0)
		tell_number(teller, key, descriptor, where);
}

/* Namespaces are named by paths. */
static void tell_namespace(struct teller *teller, const char *key, const char *prefix, int descriptor, const char *where)
{
	char text[64];

	snprintf(text, sizeof(text), "%s/proc/self/fd/%d", prefix, descriptor);
	tell(teller, key, text, where);
}

static void tell_kinds(struct teller *teller)
{
	const struct bwrap *bwrap = teller->bwrap;
	const struct { const char *key, *where; bool is_new; } rows[] = {
		{ "net", "--unshare-net", bwrap->unshare_net },
		{ "utsns", "--unshare-uts", bwrap->unshare_uts },
		{ "ipcns", "--unshare-ipc", bwrap->unshare_ipc },
		{ "cgroupns", "--unshare-cgroup", bwrap->unshare_cgroup },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tell(teller, rows[i].key, rows[i].is_new ? "new" : "host", rows[i].is_new ? rows[i].where : OWN);
	if (bwrap->hostname)
		tell(teller, "hostname", bwrap->hostname, "--hostname");
}

static void tell_pids(struct teller *teller)
{
	const struct bwrap *bwrap = teller->bwrap;

	if (bwrap->unshare_pid) {
		tell(teller, "pidns", "new", "--unshare-pid");
		if (bwrap->pidns_fd >= 0)
			tell_namespace(teller, "pidns-parent", "", bwrap->pidns_fd, "--pidns");
	} else if (bwrap->pidns_fd >= 0) {
		tell_namespace(teller, "pidns", "join:", bwrap->pidns_fd, "--pidns");
	} else {
		tell(teller, "pidns", "host", OWN);
	}
}

static void tell_user(struct teller *teller)
{
	const struct bwrap *bwrap = teller->bwrap;

	if (bwrap->userns_fd >= 0)
		tell_namespace(teller, "userns", "join:", bwrap->userns_fd, "--userns");
	else
		tell(teller, "userns", bwrap->unshare_user ? "new" : "host", OWN);
	if (bwrap->userns2_fd >= 0)
		tell_namespace(teller, "inner-userns", "", bwrap->userns2_fd, "--userns2");
	if (!bwrap->disable_userns && !bwrap->caller->is_hardened)
		tell(teller, "nested-userns", NULL, OWN);
	if (bwrap->assert_userns_disabled)
		tell(teller, "assert-no-userns", NULL, "--assert-userns-disabled");
}

static void tell_id(struct teller *teller, const char *key, int64_t id, uint32_t fallback, const char *where)
{
	const bool is_given = id != BWRAP_UNSET_ID;

	tell_number(teller, key, is_given ? id : (int64_t)fallback, is_given ? where : OWN);
}

/*
 * In a namespace that others have made nobody becomes anybody, unless it is said who: each of the two ids for itself. bubblewrap takes the
 * number that the caller has outside for nothing said.
 */
static bool leaves_id(const struct bwrap *bwrap, int64_t id, uint32_t own)
{
	const bool is_said = id != BWRAP_UNSET_ID && (bwrap->userns_fd < 0 || id != (int64_t)own);

	return (bwrap->userns_fd >= 0 || bwrap->userns2_fd >= 0) && !is_said;
}

static bool leaves_uid(const struct bwrap *bwrap)
{
	return leaves_id(bwrap, bwrap->uid, bwrap->caller->uid);
}

static bool leaves_gid(const struct bwrap *bwrap)
{
	return leaves_id(bwrap, bwrap->gid, bwrap->caller->gid);
}

/*
 * One id, the caller's, by whatever name. Hardened, root has a range of ids of its own instead, and is root of that. Where somebody
 * else writes the maps, the program is whoever they make of it.
 */
static void tell_ids(struct teller *teller)
{
	const struct bwrap *bwrap = teller->bwrap;
	const struct bwrap_caller *caller = bwrap->caller;
	const bool is_root = caller->uid == 0 || caller->gid == 0, has_range = caller->uid == 0 && caller->is_hardened;

	if (is_root && !caller->is_hardened)
		tell(teller, "allow-host-root", NULL, "the caller is root");
	if (bwrap->unshare_user)
		tell(teller, "ids", has_range ? "range" : "single", OWN);
	if (bwrap->userns_block_fd >= 0)
		return;
	if (!leaves_uid(bwrap))
		tell_id(teller, "user", bwrap->uid, caller->uid, "--uid");
	if (!leaves_gid(bwrap))
		tell_id(teller, "group", bwrap->gid, caller->gid, "--gid");
}

static void tell_capabilities(struct teller *teller)
{
	const struct bwrap *bwrap = teller->bwrap;
	char text[1024] = "";
	size_t used = 0;

	if (!bwrap->caller->is_hardened)
		tell(teller, "securebits", "none", OWN);
	if (!bwrap->caller->is_hardened && bwrap->caller->uid == 0 && !bwrap->has_capability_words)
		tell(teller, "ambient", NULL, "the caller is root");
	if (!bwrap->has_capability_words)
		return;
	for (unsigned i = 0; i <= bwrap->caller->last_capability && bwrap_capability_name(i); i++)
		if (bwrap->capabilities & (1ULL << i))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? "," : "", bwrap_capability_name(i));
	if (*text)
		tell(teller, "cap-add", text, "--cap-add");
}

/* What stays as the caller has it, each with the condition. */
static void tell_left(struct teller *teller)
{
	const struct bwrap *bwrap = teller->bwrap;
	const bool is_soft = !bwrap->caller->is_hardened;
	const bool keeps_capabilities = is_soft && bwrap->caller->uid == 0 && !bwrap->has_capability_words;
	const struct { const char *word; bool is_left; } rows[] = {
		{ "terminal", is_soft }, { "session", is_soft && !bwrap->new_session }, { "signals", is_soft },
		{ "descriptors", is_soft }, { "umask", true }, { "groups", is_soft }, { "capabilities", keeps_capabilities },
		{ "bounding", is_soft && !bwrap->unshare_user && bwrap->userns_fd < 0 }, { "keyring", is_soft },
		{ "personality", is_soft }, { "limits", is_soft }, { "propagation", is_soft }, { "executable", is_soft }, { "dumpable", is_soft }, { "teardown", is_soft },
		{ "owners", true }, { "ids", leaves_uid(bwrap) || leaves_gid(bwrap) }, { "hostname", is_soft && bwrap->unshare_uts && !bwrap->hostname },
	};
	char text[256] = "";
	size_t used = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].is_left)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? "," : "", rows[i].word);
	tell(teller, "leave", text, OWN);
}

static void tell_environment(struct teller *teller)
{
	const struct bwrap *bwrap = teller->bwrap;

	tell(teller, "env-base", bwrap->is_environment_cleared ? "none" : "caller", bwrap->is_environment_cleared ? "--clearenv" : OWN);
	for (size_t i = 0; i < bwrap->variable_count; i++) {
		const struct bwrap_variable *variable = &bwrap->variables[i];

		if (variable->pair)
			tell(teller, "env", variable->pair, "--setenv");
		else if (!bwrap->is_environment_cleared)
			tell(teller, "unset-env", variable->name, "--unsetenv");
	}
	if (bwrap->start_folder)
		tell(teller, "workdir", bwrap->start_folder, "--chdir");
	if (bwrap->argv0)
		tell(teller, "argv0", bwrap->argv0, "--argv0");
}

static void tell_life(struct teller *teller)
{
	const struct bwrap *bwrap = teller->bwrap;
	const bool ends_with_launcher = bwrap->die_with_parent || bwrap->caller->is_hardened;

	tell(teller, "init", bwrap->needs_init ? "yes" : "no", OWN);
	/*
	 * The sandbox of a bubblewrap that is killed goes on; with --die-with-parent nothing does, but where nobody is there to end it what
	 * the program has left behind.
	 */
	tell(teller, "lifetime", ends_with_launcher && (bwrap->needs_init || bwrap->unshare_pid) ? "launcher" : "own", OWN);
	if (bwrap->die_with_parent)
		tell(teller, "die-with-parent", NULL, "--die-with-parent");
	for (size_t i = 0; i < bwrap->lock_count; i++)
		tell(teller, "lock-file", bwrap->lock_files[i], "--lock-file");
	if (bwrap->needs_init)
		tell_descriptor(teller, "hold-fd", bwrap->sync_fd, "--sync-fd");
	else if (bwrap->caller->is_hardened && bwrap->sync_fd > 2)
		tell_number(teller, "keep-fd", bwrap->sync_fd, "--sync-fd");
	tell_descriptor(teller, "info-fd", bwrap->info_fd, "--info-fd");
	tell_descriptor(teller, "status-fd", bwrap->json_status_fd, "--json-status-fd");
	tell_descriptor(teller, "maps-fd", bwrap->userns_block_fd, "--userns-block-fd");
	tell_descriptor(teller, "block-fd", bwrap->block_fd, "--block-fd");
}

static void tell_filters(struct teller *teller)
{
	const struct bwrap *bwrap = teller->bwrap;

	if (!bwrap->caller->is_hardened)
		tell(teller, "seccomp", "off", OWN);
	tell_descriptor(teller, "seccomp-fd", bwrap->seccomp_fd, "--seccomp");
	for (size_t i = 0; i < bwrap->filter_count; i++)
		tell_number(teller, "seccomp-fd", bwrap->filters[i], "--add-seccomp-fd");
}

static void tell_tree(struct teller *teller)
{
	static const char *const none[] = { "proc", "sys", "dev" };
	const struct bwrap *bwrap = teller->bwrap;

	tell(teller, "ordered", NULL, OWN);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		tell(teller, none[i], "none", OWN);
	/* Hardened, Landlock keeps signals and abstract sockets inside; files of such a tree it does not govern, so mounting goes on working. */
	if (!bwrap->caller->is_hardened)
		tell(teller, "landlock", "off", OWN);
	for (size_t i = 0; teller->rc == 0 && i < bwrap->operation_count; i++)
		teller->rc = immure_spec_mount(teller->spec, &bwrap->operations[i].mount, bwrap->operations[i].where, teller->err);
}

int bwrap_tell(const struct bwrap *bwrap, struct immure_spec *spec, struct immure_error *err)
{
	static void (*const parts[])(struct teller *) = {
		tell_user, tell_ids, tell_pids, tell_kinds, tell_tree, tell_environment, tell_capabilities, tell_filters, tell_life, tell_left,
	};
	struct teller teller = { .bwrap = bwrap, .spec = spec, .err = err };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		parts[i](&teller);
	return teller.rc;
}
