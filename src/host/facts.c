/* SPDX-License-Identifier: Apache-2.0 */
/* Host facts as JSON: one row for each member of struct host. */
#include "host/facts.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/number.h"
#include "host/cgroups.h"

enum fact_type { FACT_BOOL, FACT_INT, FACT_UINT, FACT_MASK, FACT_STRING, FACT_NAME, FACT_MANAGER, FACT_RANGE, FACT_CONTROLLERS, FACT_PATHS, FACT_GROUPS };

static const struct fact {
	const char *key;
	enum fact_type type; /* NAME: an array of 65 bytes; the other lists have one member each */
	size_t offset;
} facts[] = {
#define FACT(name, kind) { #name, kind, offsetof(struct host, name) }
#define CALLER(name, kind) { #name, kind, offsetof(struct host, caller.name) }
	FACT(kernel_major, FACT_INT), FACT(kernel_minor, FACT_INT), FACT(architecture, FACT_NAME), FACT(uid, FACT_UINT),
	FACT(gid, FACT_UINT), CALLER(umask, FACT_UINT), FACT(capabilities, FACT_MASK), FACT(last_capability, FACT_UINT), FACT(processors, FACT_UINT), CALLER(cwd, FACT_STRING), CALLER(logical_cwd, FACT_STRING),
	FACT(has_other_groups, FACT_BOOL), FACT(has_fixed_sysctls, FACT_BOOL), FACT(joined_denies_groups, FACT_BOOL),
	FACT(run_id, FACT_STRING), FACT(in_initial_userns, FACT_BOOL), FACT(has_proc, FACT_BOOL), FACT(has_no_namespaces, FACT_BOOL),
	FACT(root_is_rootfs, FACT_BOOL), FACT(landlock_abi, FACT_INT), FACT(has_seccomp, FACT_BOOL),
	FACT(has_seccomp_notify, FACT_BOOL), FACT(has_mount_api, FACT_BOOL), FACT(core_pattern_is_pipe, FACT_BOOL),
	FACT(state_folder, FACT_STRING), FACT(found_home, FACT_STRING), FACT(found_uid, FACT_UINT), FACT(found_gid, FACT_UINT), FACT(has_found_uid, FACT_BOOL),
	FACT(has_found_gid, FACT_BOOL), FACT(found_groups, FACT_GROUPS), FACT(has_cgroups, FACT_BOOL), FACT(controllers, FACT_CONTROLLERS),
	FACT(unified.mount, FACT_STRING), FACT(unified.own, FACT_STRING), FACT(unified.own_path, FACT_STRING),
	FACT(unified.above, FACT_STRING), FACT(unified.must_step_aside, FACT_BOOL), FACT(manager, FACT_MANAGER),
	FACT(has_swap, FACT_BOOL), FACT(has_swap_limit, FACT_BOOL),
	FACT(sub_uid, FACT_RANGE), FACT(sub_gid, FACT_RANGE), CALLER(stdin_is_tty, FACT_BOOL), FACT(has_no_pty, FACT_BOOL), CALLER(stdout_is_tty, FACT_BOOL),
	CALLER(stderr_is_tty, FACT_BOOL), CALLER(stderr_is_stdout, FACT_BOOL), CALLER(term, FACT_STRING), CALLER(lang, FACT_STRING), FACT(resolv_conf, FACT_STRING), FACT(skeleton, FACT_STRING),
	FACT(paths, FACT_PATHS),
#undef FACT
#undef CALLER
};

static const char *const ways[] = { [CGROUP_NONE] = "none", [CGROUP_DIRECT] = "direct", [CGROUP_SCOPE] = "scope" };
static const char *const lacks[] = {
	[LACK_NOTHING] = "nothing", [LACK_CONTROLLER] = "controller", [LACK_OUTSIDE] = "outside", [LACK_READ_ONLY] = "read-only",
	[LACK_DELEGATION] = "delegation", [LACK_COMPANY] = "company",
};
static const char *const managers[] = { [MANAGER_NONE] = "none", [MANAGER_USER] = "user" };
static const char *const kinds[] = {
	[PATH_MISSING] = "missing", [PATH_FILE] = "file", [PATH_DIRECTORY] = "directory", [PATH_LINK] = "link",
	[PATH_SOCKET] = "socket", [PATH_OTHER] = "other",
};

/* ---- writing ---- */

static void write_controllers(const struct host *host, struct text *out)
{
	text_add(out, "{");
	for (int i = 0; i < CONTROLLERS; i++) {
		const struct host_controller *at = &host->controllers[i];

		text_add(out, "%s\n    \"%s\": { \"version\": %d, \"way\": \"%s\", \"lack\": \"%s\", \"parent\": ", i ? "," : "",
			 controller_names[i], at->version, ways[at->way], lacks[at->lack]);
		json_add_string(out, at->parent);
		text_add(out, ", \"path\": ");
		json_add_string(out, at->path);
		text_add(out, " }");
	}
	text_add(out, "\n  }");
}

static void write_paths(const struct host *host, struct text *out)
{
	const char *comma = "";

	text_add(out, "[");
	for (const struct host_path *at = host->paths; at; at = at->next) {
		text_add(out, "%s\n    { \"path\": ", comma);
		json_add_string(out, at->path);
		text_add(out, ", \"kind\": \"%s\", \"mode\": %u, \"uid\": %u, \"gid\": %u", kinds[at->kind], at->mode, at->uid, at->gid);
		if (at->link) {
			text_add(out, ", \"link\": ");
			json_add_string(out, at->link);
		}
		text_add(out, " }");
		comma = ",";
	}
	text_add(out, "\n  ]");
}

static void write_groups(const struct host *host, struct text *out)
{
	text_add(out, "[");
	for (unsigned i = 0; i < host->found_group_count; i++)
		text_add(out, "%s%u", i ? ", " : "", host->found_groups[i]);
	text_add(out, "]");
}

static void write_fact(const struct host *host, const struct fact *fact, struct text *out)
{
	const void *at = (const char *)host + fact->offset;
	const struct sub_range *range = at;

	switch (fact->type) {
	case FACT_BOOL: text_add(out, "%s", *(const bool *)at ? "true" : "false"); break;
	case FACT_INT: text_add(out, "%d", *(const int *)at); break;
	case FACT_UINT: text_add(out, "%u", *(const unsigned *)at); break;
	case FACT_MASK: text_add(out, "\"0x%llx\"", (unsigned long long)*(const uint64_t *)at); break;
	case FACT_STRING: json_add_string(out, *(const char *const *)at); break;
	case FACT_NAME: json_add_string(out, at); break;
	case FACT_MANAGER: json_add_string(out, managers[*(const enum manager *)at]); break;
	case FACT_RANGE: text_add(out, "{ \"first\": %u, \"count\": %u }", range->first, range->count); break;
	case FACT_CONTROLLERS: write_controllers(host, out); break;
	case FACT_PATHS: write_paths(host, out); break;
	case FACT_GROUPS: write_groups(host, out); break;
	}
}

void facts_write(const struct host *host, struct text *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		text_add(out, "%s  \"%s\": ", i ? ",\n" : "{\n", facts[i].key);
		write_fact(host, &facts[i], out);
	}
	text_add(out, "\n}\n");
}

/* ---- reading ---- */

static int misfit(const struct node *node, const char *wanted, struct error *err)
{
	char where[ORIGIN_TEXT];

	error_mistake(err, "%s is not %s", node->key ? node->key : "the value", wanted);
	return error_while(err, "%s", origin_print(&node->origin, where));
}

static int read_number(const struct node *node, uint64_t most, uint64_t *number, struct error *err)
{
	if (node->kind != NODE_SCALAR || number_parse(node->text, most, number) < 0)
		return misfit(node, "such a number", err);
	return 0;
}

static int read_string(struct host *host, const struct node *node, const char **text, struct error *err)
{
	if (node->kind != NODE_SCALAR)
		return misfit(node, "a text", err);
	*text = NULL;
	if (!node->is_quoted && (!*node->text || strcmp(node->text, "null") == 0))
		return 0;
	*text = arena_copy(&host->arena, node->text);
	return *text ? 0 : error_set(err, ENOMEM, "reading facts");
}

static int read_word(const struct node *node, const char *const *words, size_t count, int *index, struct error *err)
{
	for (size_t i = 0; node->kind == NODE_SCALAR && i < count; i++)
		if (strcmp(words[i], node->text) == 0)
			return *index = (int)i, 0;
	return misfit(node, "a known word", err);
}

static int read_member(const struct node *node, const char *key, uint64_t most, uint64_t *number, struct error *err)
{
	const struct node *member = node_member(node, key);

	*number = 0;
	return member ? read_number(member, most, number, err) : 0;
}

static int read_range(const struct node *node, struct sub_range *range, struct error *err)
{
	uint64_t first, count;
	int rc = read_member(node, "first", UINT32_MAX, &first, err);

	if (rc == 0)
		rc = read_member(node, "count", UINT32_MAX, &count, err);
	if (rc == 0)
		*range = (struct sub_range){ (uint32_t)first, (uint32_t)count };
	return rc;
}

/* A row's member KEY, when it is there, as one of WORDS. */
static int read_choice(const struct node *row, const char *key, const char *const *words, size_t count, int *index, struct error *err)
{
	const struct node *member = node_member(row, key);

	*index = 0;
	return member ? read_word(member, words, count, index, err) : 0;
}

static int read_place(struct host *host, const struct node *row, const char *key, const char **text, struct error *err)
{
	const struct node *member = node_member(row, key);

	return member ? read_string(host, member, text, err) : 0;
}

static int read_controllers(struct host *host, const struct node *node, struct error *err)
{
	for (const struct node *row = node->child; row; row = row->next) {
		const struct node key = { .kind = NODE_SCALAR, .text = row->key ? row->key : "", .origin = row->origin };
		uint64_t version = 0;
		int way = 0, lack = 0, index = 0, rc = read_word(&key, controller_names, CONTROLLERS, &index, err);
		struct host_controller *at = &host->controllers[index];

		if (rc == 0)
			rc = read_member(row, "version", 2, &version, err);
		if (rc == 0)
			rc = read_choice(row, "way", ways, ARRAY_SIZE(ways), &way, err);
		if (rc == 0)
			rc = read_choice(row, "lack", lacks, ARRAY_SIZE(lacks), &lack, err);
		if (rc == 0)
			rc = read_place(host, row, "parent", &at->parent, err);
		if (rc == 0)
			rc = read_place(host, row, "path", &at->path, err);
		if (rc < 0)
			return rc;
		at->version = (int)version;
		at->way = (enum cgroup_way)way;
		at->lack = (enum cgroup_lack)lack;
	}
	return 0;
}

static int read_path(struct host *host, const struct node *node, struct host_path *entry, struct error *err)
{
	const struct node *path = node_member(node, "path"), *kind = node_member(node, "kind"), *link = node_member(node, "link");
	uint64_t mode = 0, uid = 0, gid = 0;
	int index = 0, rc = path ? read_string(host, path, &entry->path, err) : misfit(node, "a path with its kind", err);

	if (rc == 0 && kind)
		rc = read_word(kind, kinds, ARRAY_SIZE(kinds), &index, err);
	if (rc == 0)
		rc = read_member(node, "mode", 07777, &mode, err);
	if (rc == 0)
		rc = read_member(node, "uid", UINT32_MAX, &uid, err);
	if (rc == 0)
		rc = read_member(node, "gid", UINT32_MAX, &gid, err);
	if (rc == 0 && link)
		rc = read_string(host, link, &entry->link, err);
	if (rc < 0)
		return rc;
	entry->kind = (enum path_kind)index;
	entry->mode = (unsigned)mode;
	entry->uid = (uid_t)uid;
	entry->gid = (gid_t)gid;
	return entry->path ? 0 : misfit(node, "a path with its kind", err);
}

static int read_paths(struct host *host, const struct node *node, struct error *err)
{
	struct host_path **end = &host->paths;

	for (const struct node *row = node->child; row; row = row->next) {
		int rc;

		*end = arena_alloc(&host->arena, sizeof(**end));
		if (!*end)
			return error_set(err, ENOMEM, "reading facts");
		rc = read_path(host, row, *end, err);
		if (rc < 0)
			return rc;
		end = &(*end)->next;
	}
	return 0;
}

static int read_groups(struct host *host, const struct node *node, struct error *err)
{
	for (const struct node *row = node->child; row; row = row->next) {
		uint64_t gid = 0;
		int rc = read_number(row, UINT32_MAX, &gid, err);

		if (rc < 0)
			return rc;
		if (host->found_group_count == HOST_GROUPS)
			return misfit(node, "a list of at most 64 groups", err);
		host->found_groups[host->found_group_count++] = (gid_t)gid;
	}
	return 0;
}

static int read_mask(const struct node *node, uint64_t *mask, struct error *err)
{
	char *end = NULL;

	if (node->kind == NODE_SCALAR && *node->text)
		*mask = strtoull(node->text, &end, 16);
	return end && !*end ? 0 : misfit(node, "a mask in hexadecimal", err);
}

static int read_bool(const struct node *node, bool *value, struct error *err)
{
	static const char *const words[] = { "false", "true" };
	int index = 0, rc = read_word(node, words, 2, &index, err);

	if (rc == 0)
		*value = index;
	return rc;
}

static int read_name(const struct node *node, char *name, struct error *err)
{
	if (node->kind != NODE_SCALAR || strlen(node->text) > 64)
		return misfit(node, "a name of at most 64 bytes", err);
	strcpy(name, node->text);
	return 0;
}

static int read_fact(struct host *host, const struct fact *fact, const struct node *node, struct error *err)
{
	void *at = (char *)host + fact->offset;
	uint64_t number = 0;
	int rc = 0, index = 0;

	switch (fact->type) {
	case FACT_BOOL: return read_bool(node, at, err);
	case FACT_MASK: return read_mask(node, at, err);
	case FACT_STRING: return read_string(host, node, at, err);
	case FACT_NAME: return read_name(node, at, err);
	case FACT_RANGE: return read_range(node, at, err);
	case FACT_CONTROLLERS: return read_controllers(host, node, err);
	case FACT_PATHS: return read_paths(host, node, err);
	case FACT_GROUPS: return read_groups(host, node, err);
	case FACT_MANAGER:
		rc = read_word(node, managers, ARRAY_SIZE(managers), &index, err);
		*(enum manager *)at = (enum manager)index;
		return rc;
	case FACT_INT:
		rc = read_number(node, INT32_MAX, &number, err);
		*(int *)at = (int)number;
		return rc;
	case FACT_UINT:
		rc = read_number(node, UINT32_MAX, &number, err);
		*(unsigned *)at = (unsigned)number;
		return rc;
	}
	return rc;
}

int facts_read(struct host *host, const struct node *root, struct error *err)
{
	if (root->kind != NODE_MAP)
		return misfit(root, "an object with facts", err);
	for (const struct node *node = root->child; node; node = node->next) {
		size_t i = 0;
		int rc;

		while (i < ARRAY_SIZE(facts) && strcmp(facts[i].key, node->key) != 0)
			i++;
		if (i == ARRAY_SIZE(facts))
			return misfit(node, "a known fact", err);
		rc = read_fact(host, &facts[i], node, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
