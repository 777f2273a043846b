/* SPDX-License-Identifier: Apache-2.0 */
/* Reads Docker's and OCI's seccomp JSON. OCI runtime specification, config-linux.md, "seccomp" */
#include <errno.h>
#include <linux/audit.h>
#include <string.h>

#include "base/text.h"
#include "filter/read.h"
#include "filter/rule.h"
#include "filter/syscalls.h"

/* A row of "syscalls". */
struct oci_row {
	enum filter_action action;
	uint16_t errnum;
	const char *comment; /* NULL: none */
	struct filter_condition conditions[RULE_MOST_CONDITIONS];
	unsigned count;
};

static const struct { char name[24]; enum filter_action action; } actions[] = {
	{ "SCMP_ACT_ALLOW", FILTER_ALLOW }, { "SCMP_ACT_ERRNO", FILTER_ERRNO }, { "SCMP_ACT_KILL", FILTER_KILL },
	{ "SCMP_ACT_KILL_PROCESS", FILTER_KILL }, { "SCMP_ACT_KILL_THREAD", FILTER_KILL },
	{ "SCMP_ACT_LOG", FILTER_LOG }, { "SCMP_ACT_TRAP", FILTER_TRAP },
};

static const struct { char name[24]; enum filter_compare compare; bool is_masked; } operators[] = {
	{ "SCMP_CMP_EQ", COMPARE_EQ, false }, { "SCMP_CMP_NE", COMPARE_NE, false },
	{ "SCMP_CMP_LT", COMPARE_LT, false }, { "SCMP_CMP_LE", COMPARE_LE, false },
	{ "SCMP_CMP_GT", COMPARE_GT, false }, { "SCMP_CMP_GE", COMPARE_GE, false },
	{ "SCMP_CMP_MASKED_EQ", COMPARE_EQ, true },
};

/* A member that may be absent or null. */
static const struct node *member_of(const struct node *map, const char *key)
{
	const struct node *member = node_member(map, key);

	return member && member->kind == NODE_SCALAR && !*member->text && !member->is_quoted ? NULL : member;
}

/* What is not in the list KNOWN, which ends with "", would be dropped in silence: so it is refused. */
static int check_keys(struct profile_reader *reader, const struct node *map, const char (*known)[24])
{
	if (map->kind != NODE_MAP)
		return reader_refuse(reader, map, "expected an object", "");
	for (const struct node *member = map->child; member; member = member->next) {
		size_t i = 0;

		while (*known[i] && strcmp(known[i], member->key) != 0)
			i++;
		if (!*known[i])
			return reader_refuse(reader, member, "not understood here:", member->key);
	}
	return 0;
}

static int read_action(struct profile_reader *reader, const struct node *node, enum filter_action *action)
{
	const char *text = "";
	int rc = reader_text(reader, node, &text);

	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(actions); i++)
		if (strcmp(actions[i].name, text) == 0) {
			*action = actions[i].action;
			return 0;
		}
	return rc < 0 ? rc : reader_refuse(reader, node, "an action that immure does not have:", text);
}

/* By number under NUMBER_KEY (Docker, OCI) or by name under NAME_KEY (podman); EPERM otherwise. */
static int read_errno(struct profile_reader *reader, const struct node *map, const char *number_key,
		      const char *name_key, uint16_t *errnum)
{
	const struct node *number = member_of(map, number_key), *name = member_of(map, name_key);
	const struct node *node = number ? number : name;
	const char *text = "";
	int rc = node ? reader_text(reader, node, &text) : 0;

	*errnum = EPERM;
	return rc == 0 && node ? reader_errno(reader, node, text, errnum) : rc;
}

static bool list_has(const struct node *list, const char *word)
{
	for (const struct node *item = list ? list->child : NULL; item; item = item->next)
		if (item->kind == NODE_SCALAR && strcmp(item->text, word) == 0)
			return true;
	return false;
}

static const char *native_name(void)
{
	return syscall_arch() == AUDIT_ARCH_X86_64 ? "amd64" : "arm64";
}

static bool has_items(const struct node *list)
{
	return list && list->child;
}

/* The jail has no capability, its architecture is the native one, and its kernel is new enough. */
static int check_row_applies(struct profile_reader *reader, const struct node *row, bool *applies)
{
	static const char known[][24] = { "caps", "arches", "minKernel", "" };
	const struct node *includes = member_of(row, "includes"), *excludes = member_of(row, "excludes");
	const struct node *arches = member_of(includes, "arches");
	int rc = includes ? check_keys(reader, includes, known) : 0;

	if (rc == 0 && excludes)
		rc = check_keys(reader, excludes, known);
	*applies = !has_items(member_of(includes, "caps")) && (!has_items(arches) || list_has(arches, native_name())) &&
		   !list_has(member_of(excludes, "arches"), native_name()) && !member_of(excludes, "minKernel");
	return rc;
}

static int read_operator(struct profile_reader *reader, const struct node *arg, struct filter_condition *condition)
{
	const struct node *node = member_of(arg, "op");
	const char *text = "";
	int rc = node ? reader_text(reader, node, &text) : reader_refuse(reader, arg, "an argument without \"op\"", "");
	size_t i = 0;

	while (rc == 0 && i < ARRAY_SIZE(operators) && strcmp(operators[i].name, text) != 0)
		i++;
	if (rc == 0 && i == ARRAY_SIZE(operators))
		rc = reader_refuse(reader, node, "an operator that immure does not have:", text);
	if (rc < 0)
		return rc;
	condition->compare = operators[i].compare;
	if (!operators[i].is_masked)
		return 0;
	condition->mask = condition->value;
	node = member_of(arg, "valueTwo");
	condition->value = 0;
	return node ? reader_number(reader, node, UINT64_MAX, &condition->value) : 0;
}

static int read_argument(struct profile_reader *reader, const struct node *arg, struct filter_condition *condition)
{
	static const char known[][24] = { "index", "value", "valueTwo", "op", "" };
	const struct node *index = member_of(arg, "index"), *value = member_of(arg, "value");
	uint64_t place = 0;
	int rc = check_keys(reader, arg, known);

	*condition = (struct filter_condition){ .mask = UINT64_MAX };
	if (rc == 0 && !index)
		rc = reader_refuse(reader, arg, "an argument without \"index\"", "");
	if (rc == 0)
		rc = reader_number(reader, index, FILTER_ARGS - 1, &place);
	if (rc == 0 && value)
		rc = reader_number(reader, value, UINT64_MAX, &condition->value);
	condition->arg = (uint8_t)place;
	return rc == 0 ? read_operator(reader, arg, condition) : rc;
}

static int read_arguments(struct profile_reader *reader, const struct node *args, struct oci_row *row)
{
	int rc = 0;

	if (args && args->kind != NODE_LIST)
		return reader_refuse(reader, args, "expected a list", "");
	for (const struct node *arg = args ? args->child : NULL; rc == 0 && arg; arg = arg->next) {
		if (row->count == RULE_MOST_CONDITIONS)
			return reader_refuse(reader, arg, "too many arguments", "");
		rc = read_argument(reader, arg, &row->conditions[row->count++]);
	}
	return rc;
}

/* runc and libseccomp cannot hold two conditions on one argument in one rule; runc makes a rule of each then. */
static bool names_an_argument_twice(const struct oci_row *row)
{
	for (unsigned i = 0; i < row->count; i++)
		for (unsigned j = 0; j < i; j++)
			if (row->conditions[i].arg == row->conditions[j].arg)
				return true;
	return false;
}

static int add_name(struct profile_reader *reader, const struct node *node, const struct oci_row *row)
{
	struct filter_rule rule = { .action = row->action, .errnum = row->errnum, .origin = node->origin };
	const bool is_split = names_an_argument_twice(row);
	const char *conditions;
	int rc = reader_text(reader, node, &rule.name);

	if (rc < 0)
		return rc;
	if (!rule_find_call(&rule, rule.name))
		return reader_ignore(reader, rule.name);
	conditions = arena_copy_bytes(reader->arena, row->conditions, row->count * sizeof(row->conditions[0]));
	if (!conditions)
		return reader_refuse_memory(reader);
	rule.conditions = (const struct filter_condition *)(const void *)conditions;
	rule.condition_count = (uint8_t)(is_split ? 1 : row->count);
	rule.reason = row->action == FILTER_ALLOW ? NULL : row->comment;
	rc = reader_add(reader, &rule);
	for (unsigned i = 1; rc == 0 && is_split && i < row->count; i++) {
		rule.conditions++;
		rc = reader_add(reader, &rule);
	}
	return rc;
}

static int add_names(struct profile_reader *reader, const struct node *syscall, const struct oci_row *row)
{
	const struct node *name = member_of(syscall, "name"), *names = member_of(syscall, "names");
	int rc = name ? add_name(reader, name, row) : 0;

	if (names ? names->kind != NODE_LIST : !name)
		return reader_refuse(reader, syscall, "a row without names", "");
	for (const struct node *item = names ? names->child : NULL; rc == 0 && item; item = item->next)
		rc = add_name(reader, item, row);
	return rc;
}

/* What the default would do as well is a denial like any other: it is named, and follows the user's choice. */
static void normalize(const struct profile *profile, struct oci_row *row)
{
	if (row->action == profile->denied && (row->action != FILTER_ERRNO || row->errnum == profile->denied_errnum))
		row->action = FILTER_DENY;
}

static int read_syscall(struct profile_reader *reader, const struct node *syscall)
{
	static const char known[][24] = { "name", "names", "action", "errnoRet", "errno", "args", "comment",
					  "includes", "excludes", "" };
	const struct node *action = member_of(syscall, "action"), *comment = member_of(syscall, "comment");
	struct oci_row row = { 0 };
	bool applies = false;
	int rc = check_keys(reader, syscall, known);

	if (rc == 0 && !action)
		rc = reader_refuse(reader, syscall, "a row without an action", "");
	if (rc == 0)
		rc = read_action(reader, action, &row.action);
	if (rc == 0)
		rc = read_errno(reader, syscall, "errnoRet", "errno", &row.errnum);
	if (rc == 0)
		rc = check_row_applies(reader, syscall, &applies);
	if (rc == 0)
		rc = read_arguments(reader, member_of(syscall, "args"), &row);
	if (rc < 0 || !applies)
		return rc;
	row.comment = comment && comment->kind == NODE_SCALAR && *comment->text ? comment->text : NULL;
	normalize(&reader->profile, &row);
	return add_names(reader, syscall, &row);
}

static int read_default(struct profile_reader *reader, const struct node *root)
{
	struct profile *profile = &reader->profile;
	enum filter_action action = FILTER_KILL;
	uint16_t errnum = EPERM;
	int rc = read_action(reader, node_member(root, "defaultAction"), &action);

	if (rc == 0)
		rc = read_errno(reader, root, "defaultErrnoRet", "defaultErrno", &errnum);
	if (rc < 0)
		return rc;
	profile->fallback = action == FILTER_ALLOW ? FILTER_ALLOW : FILTER_DENY;
	profile->denied = action == FILTER_ALLOW ? FILTER_ERRNO : action;
	profile->denied_errnum = errnum;
	return 0;
}

int profile_read_oci(struct profile_reader *reader, const struct node *root)
{
	static const char known[][24] = { "defaultAction", "defaultErrnoRet", "defaultErrno", "architectures", "archMap",
					  "flags", "syscalls", "" };
	const struct node *syscalls = member_of(root, "syscalls");
	int rc = check_keys(reader, root, known);

	if (rc == 0)
		rc = read_default(reader, root);
	if (rc == 0 && syscalls && syscalls->kind != NODE_LIST)
		rc = reader_refuse(reader, syscalls, "expected a list", "");
	for (const struct node *row = syscalls ? syscalls->child : NULL; rc == 0 && row; row = row->next)
		rc = read_syscall(reader, row);
	return rc;
}
