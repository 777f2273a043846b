/* SPDX-License-Identifier: Apache-2.0 */
/* Reads immure's own form of a profile from a tree. What is not understood is refused with its place. */
#include <errno.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "filter/read.h"
#include "filter/rule.h"

/* "allow", "deny", "kill", "log", "trap", "errno EPERM". */
static int read_action(struct profile_reader *reader, const struct node *node, const char *text,
		       enum filter_action *action, uint16_t *errnum)
{
	static const enum filter_action plain[] = { FILTER_ALLOW, FILTER_DENY, FILTER_KILL, FILTER_LOG, FILTER_TRAP };
	char buffer[ACTION_TEXT];

	if (text_starts(text, "errno ")) {
		*action = FILTER_ERRNO;
		return reader_errno(reader, node, text + strlen("errno "), errnum);
	}
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (strcmp(text, action_print(plain[i], 0, buffer)) == 0) {
			*action = plain[i];
			return 0;
		}
	return reader_refuse(reader, node, "expected allow, deny, kill, log, trap or \"errno NAME\", not", text);
}

static int read_summary(struct profile_reader *reader, const struct node *node)
{
	return reader_text(reader, node, &reader->profile.summary);
}

static int read_extends(struct profile_reader *reader, const struct node *node)
{
	static const struct profile empty;
	const char *base_name = "", *name = reader->profile.name, *summary = reader->profile.summary;
	const struct profile *base = &empty;
	int rc = reader_text(reader, node, &base_name);

	if (rc == 0)
		rc = profile_shipped(reader->arena, base_name, &base, reader->err);
	if (rc < 0)
		return rc;
	reader->profile = *base;
	reader->profile.rule_count = 0;
	reader->profile.name = name;
	reader->profile.summary = summary;
	for (unsigned i = 0; rc == 0 && i < base->rule_count; i++)
		rc = reader_add(reader, &base->rules[i]);
	return rc;
}

static int read_default(struct profile_reader *reader, const struct node *node)
{
	const char *text = "";
	uint16_t errnum = 0;
	int rc = reader_text(reader, node, &text);

	if (rc == 0)
		rc = read_action(reader, node, text, &reader->profile.fallback, &errnum);
	if (rc == 0 && reader->profile.fallback != FILTER_ALLOW && reader->profile.fallback != FILTER_DENY &&
	    reader->profile.fallback != FILTER_KILL)
		rc = reader_refuse(reader, node, "the default is allow, deny or kill; \"denied\" says what deny does", "");
	return rc;
}

static int read_denied(struct profile_reader *reader, const struct node *node)
{
	enum filter_action action = FILTER_DENY;
	const char *text = "";
	uint16_t errnum = 0;
	int rc = reader_text(reader, node, &text);

	if (rc == 0)
		rc = read_action(reader, node, text, &action, &errnum);
	if (rc == 0 && (action == FILTER_ALLOW || action == FILTER_DENY))
		rc = reader_refuse(reader, node, "denied calls get \"errno NAME\", kill, log or trap", "");
	if (rc < 0)
		return rc;
	reader->profile.denied = action;
	reader->profile.denied_errnum = errnum;
	return 0;
}

/* Names that the author knows to be missing on some architectures; all other unknown names are mistakes. */
static int read_elsewhere(struct profile_reader *reader, const struct node *node)
{
	if (node->kind != NODE_LIST)
		return reader_refuse(reader, node, "expected a list of calls that not every architecture has", "");
	reader->elsewhere = node;
	return 0;
}

static bool is_elsewhere(const struct profile_reader *reader, const char *text)
{
	struct filter_rule unused;

	for (const struct node *name = reader->elsewhere ? reader->elsewhere->child : NULL; name; name = name->next)
		if (name->kind == NODE_SCALAR && strcmp(name->text, text) == 0)
			return !rule_find_call(&unused, text);
	return false;
}

/* One call of a row, in whose image RULE is. */
static int read_call(struct profile_reader *reader, const struct node *node, struct filter_rule rule)
{
	const char *text = "";
	int rc = reader_text(reader, node, &text);

	if (rc == 0 && is_elsewhere(reader, text))
		return reader_ignore(reader, text);
	if (rc == 0)
		rc = rule_parse(reader->arena, text, &node->origin, &rule, reader->err);
	return rc == 0 ? reader_add(reader, &rule) : rc;
}

static int read_calls(struct profile_reader *reader, const struct node *calls, const char *reason)
{
	struct filter_rule rule = { .reason = reason };
	int rc = read_action(reader, calls, calls->key, &rule.action, &rule.errnum);

	if (rc == 0 && calls->kind == NODE_SCALAR)
		return read_call(reader, calls, rule);
	if (rc == 0 && calls->kind == NODE_MAP)
		rc = reader_refuse(reader, calls, "expected calls", "");
	for (const struct node *call = calls->child; rc == 0 && call; call = call->next)
		rc = read_call(reader, call, rule);
	return rc;
}

static int read_row(struct profile_reader *reader, const struct node *row)
{
	const struct node *reason = node_member(row, "reason"), *calls = NULL;
	const char *text = NULL;
	int rc = reason ? reader_text(reader, reason, &text) : 0;

	if (row->kind != NODE_MAP)
		return reader_refuse(reader, row, "expected a row such as \"deny: [mount]\"", "");
	for (const struct node *member = row->child; rc == 0 && member; member = member->next) {
		if (member == reason)
			continue;
		if (calls)
			return reader_refuse(reader, member, "a row has one action; this is a second:", member->key);
		calls = member;
	}
	if (rc == 0 && !calls)
		return reader_refuse(reader, row, "this row has no action", "");
	return rc == 0 ? read_calls(reader, calls, text) : rc;
}

static int read_rules(struct profile_reader *reader, const struct node *node)
{
	int rc = 0;

	if (node->kind != NODE_LIST)
		return reader_refuse(reader, node, "expected a list of rows", "");
	for (const struct node *row = node->child; rc == 0 && row; row = row->next)
		rc = read_row(reader, row);
	return rc;
}

/* In the order in which they must be read, wherever they stand. */
static const struct {
	char key[12];
	int (*read)(struct profile_reader *reader, const struct node *node);
} keys[] = {
	{ "summary", read_summary }, { "extends", read_extends }, { "default", read_default },
	{ "denied", read_denied }, { "elsewhere", read_elsewhere }, { "rules", read_rules },
};

static bool is_key(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i].key, key) == 0)
			return true;
	return false;
}

static int read_own(struct profile_reader *reader, const struct node *root)
{
	int rc = 0;

	for (const struct node *member = root->child; member; member = member->next)
		if (!is_key(member->key))
			return reader_refuse(reader, member,
					     "a profile has summary, extends, default, denied, elsewhere and rules, not", member->key);
	if (!node_member(root, "default") && !node_member(root, "extends"))
		return reader_refuse(reader, root, "a profile needs \"default: deny\" or \"extends: NAME\"", "");
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(keys); i++) {
		const struct node *member = node_member(root, keys[i].key);

		rc = member ? keys[i].read(reader, member) : 0;
	}
	return rc;
}

int profile_read(struct arena *arena, const struct node *root, const char *name, const struct profile **profile,
		 struct error *err)
{
	struct profile_reader reader = {
		.arena = arena,
		.err = err,
		.profile = { .name = arena_copy(arena, name), .fallback = FILTER_DENY, .denied = FILTER_ERRNO, .denied_errnum = EPERM },
	};
	struct profile *made = arena_alloc(arena, sizeof(*made));
	int rc;

	if (!reader.profile.name || !made)
		return reader_refuse_memory(&reader);
	if (root->kind != NODE_MAP)
		return reader_refuse(&reader, root, "expected a profile: a mapping with \"default\" and \"rules\"", "");
	rc = node_member(root, "defaultAction") ? profile_read_oci(&reader, root) : read_own(&reader, root);
	if (rc < 0)
		return rc;
	*made = reader.profile;
	made->rules = reader.rules;
	*profile = made;
	return 0;
}
