/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the tree of a policy and sets the fields that its keys name. The order of layers is the fields' own business. */
#include "load/policy.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "feature/feature.h"
#include "feature/preset.h"
#include "load/yaml.h"
#include "sys/file.h"

/* A file being read, and the one that extends it. */
struct source {
	const char *name;
	struct sys_identity identity; /* of a file; zeros otherwise */
	const struct source *outer;
	unsigned depth;
};

struct reading {
	struct spec *spec;
	struct error *err;
	unsigned files;
};

static int load_source(struct reading *reading, struct source *source);

static int refuse_at(struct reading *reading, const struct origin *origin, const char *why)
{
	char where[ORIGIN_TEXT];

	return error_mistake(reading->err, "%s: %s", origin_print(origin, where), why);
}

/* "a.yaml > b.yaml > a.yaml": NAME is what SOURCE would read. */
static void print_chain(const struct source *source, const char *name, struct text *text)
{
	if (source->outer)
		print_chain(source->outer, source->name, text);
	else
		text_add(text, "%s", source->name);
	text_add(text, " > %s", name);
}

static int refuse_chain(struct reading *reading, const struct source *source, const struct node *node, const char *why,
			const char *name)
{
	auto_text struct text chain = { 0 };
	char where[ORIGIN_TEXT];

	print_chain(source, name, &chain);
	return error_mistake(reading->err, "%s: %s: %s", origin_print(&node->origin, where), why, chain.bytes ? chain.bytes : name);
}

static bool is_open(const struct source *source, const struct sys_identity *identity)
{
	for (; source; source = source->outer)
		if (source->identity.inode == identity->inode && source->identity.device == identity->device)
			return true;
	return false;
}

/* TEXT is relative to the folder of the file that names it. */
static const char *beside(struct arena *arena, const char *file, const char *text)
{
	const char *slash = strrchr(file, '/');

	if (text[0] == '/' || !slash)
		return arena_copy(arena, text);
	return arena_format(arena, "%.*s/%s", (int)(slash - file), file, text);
}

static int extend(struct reading *reading, const struct source *outer, const struct node *node)
{
	struct source source = { .outer = outer, .depth = outer->depth + 1 };
	char where[ORIGIN_TEXT];
	int rc;

	if (node->kind != NODE_SCALAR || !*node->text || strcmp(node->text, "-") == 0)
		return refuse_at(reading, &node->origin, "extends wants the name of a file, or a list of them");
	source.name = beside(&reading->spec->arena, outer->name, node->text);
	if (!source.name)
		return error_set(reading->err, ENOMEM, "reading %s", node->text);
	if (sys_identity(source.name, &source.identity) == 0 && is_open(outer, &source.identity))
		return refuse_chain(reading, outer, node, "it extends itself", source.name);
	if (source.depth == POLICY_MOST_DEPTH || reading->files == POLICY_MOST_FILES)
		return refuse_chain(reading, outer, node, "too many files extend each other", source.name);
	rc = load_source(reading, &source);
	return rc < 0 ? error_while(reading->err, "%s: extends", origin_print(&node->origin, where)) : 0;
}

static int extend_all(struct reading *reading, const struct source *source, const struct node *node)
{
	int rc = 0;

	if (node->kind == NODE_SCALAR)
		return extend(reading, source, node);
	if (node->kind == NODE_MAP)
		return refuse_at(reading, &node->origin, "extends wants the name of a file, or a list of them");
	for (const struct node *item = node->child; rc == 0 && item; item = item->next)
		rc = extend(reading, source, item);
	return rc;
}

/* Whether ORIGIN lies in one of the files that extend SOURCE. */
static bool is_outside(const struct source *source, const struct origin *origin)
{
	for (source = source->outer; source; source = source->outer)
		if (text_same(strcmp(source->name, "-") == 0 ? "stdin" : source->name, origin->source))
			return true;
	return false;
}

static int choose_preset(struct reading *reading, const struct source *source, const struct node *node)
{
	const struct field *field = find_field("preset");
	const struct origin *chosen = spec_origin(reading->spec, field->offset);
	char where[ORIGIN_TEXT], before[ORIGIN_TEXT];
	int rc;

	if (reading->spec->preset && (chosen->layer == LAYER_COMMAND || is_outside(source, chosen)))
		return 0;
	if (reading->spec->preset && text_same(reading->spec->preset, node->text))
		return 0;
	if (reading->spec->preset)
		return error_mistake(reading->err, "%s: preset: %s chose %s already", origin_print(&node->origin, where),
				     origin_print(chosen, before), reading->spec->preset);
	rc = field_set_node(field, reading->spec, node, reading->err);
	if (rc < 0)
		return rc;
	rc = preset_load(reading->spec, reading->spec->preset, reading->err);
	return rc < 0 ? error_while(reading->err, "%s", origin_print(&node->origin, where)) : 0;
}

static int set_command(struct reading *reading, const struct node *node)
{
	struct spec *spec = reading->spec;
	const struct origin *before = SPEC_ORIGIN(spec, command);
	size_t count = 0;
	char **command;

	for (const struct node *item = node->child; item; item = item->next, count++)
		if (item->kind != NODE_SCALAR)
			return refuse_at(reading, &item->origin, "command wants plain words in its list");
	if (node->kind != NODE_LIST || !count || !*node->child->text)
		return refuse_at(reading, &node->origin, "command wants a list: the program and its arguments");
	if (before->layer > node->origin.layer)
		return 0;
	command = arena_alloc(&spec->arena, (count + 1) * sizeof(*command));
	if (!command)
		return error_set(reading->err, ENOMEM, "remembering the command");
	count = 0;
	for (const struct node *item = node->child; item; item = item->next)
		command[count++] = (char *)item->text; /* the tree lives as long as the spec */
	spec->command = command;
	spec_set_origin(spec, offsetof(struct spec, command), &node->origin);
	return 0;
}

static int set_mount(struct reading *reading, const struct node *item)
{
	const struct node *pair = item->kind == NODE_MAP ? item->child : NULL;
	const struct field *field = pair && !pair->next ? find_field(pair->key) : NULL;

	if (!field || field->type != FIELD_MOUNTS)
		return refuse_at(reading, &item->origin, "mounts wants a list of single settings such as \"ro: /usr\", each of one mount");
	return field_set_node(field, reading->spec, pair, reading->err);
}

/* In the order of the list: for a tree that is built in order. */
static int set_mounts(struct reading *reading, const struct node *node)
{
	int rc = node->kind == NODE_LIST ? 0 : set_mount(reading, node);

	for (const struct node *item = node->child; rc == 0 && node->kind == NODE_LIST && item; item = item->next)
		rc = set_mount(reading, item);
	return rc;
}

static const char *nearest_key(const char *key)
{
	static const char *const own[] = { "extends", "command", "mounts" };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (text_distance(own[i], key) <= 2)
			return own[i];
	return find_nearest_key(key);
}

static int refuse_key(struct reading *reading, const struct node *node)
{
	const char *near = nearest_key(node->key);
	char where[ORIGIN_TEXT];

	origin_print(&node->key_origin, where);
	if (near)
		return error_mistake(reading->err, "%s: there is no setting \"%s\"; did you mean \"%s\"?", where, node->key, near);
	return error_mistake(reading->err, "%s: there is no setting \"%s\"", where, node->key);
}

static int set_member(struct reading *reading, const struct node *node)
{
	const struct field *field;
	char where[ORIGIN_TEXT];

	if (strcmp(node->key, "extends") == 0 || strcmp(node->key, "preset") == 0)
		return 0; /* read before all others */
	if (strcmp(node->key, "command") == 0)
		return set_command(reading, node);
	if (strcmp(node->key, "mounts") == 0)
		return set_mounts(reading, node);
	field = find_field(node->key);
	if (!field)
		return refuse_key(reading, node);
	if (field->is_hidden_in_files)
		return error_mistake(reading->err, "%s: \"%s\" belongs on the command line, not into a file",
				     origin_print(&node->key_origin, where), node->key);
	return field_set_node(field, reading->spec, node, reading->err);
}

static int set_members(struct reading *reading, const struct source *source, struct node *root)
{
	const struct node *extends = node_member(root, "extends"), *preset = node_member(root, "preset");
	int rc = 0;

	if (root->kind == NODE_SCALAR && !*root->text && !root->is_quoted)
		return 0;
	if (root->kind != NODE_MAP)
		return refuse_at(reading, &root->origin, "a policy is a map of settings, such as \"memory: 64M\"");
	if (preset)
		rc = choose_preset(reading, source, preset);
	if (rc == 0 && extends)
		rc = extend_all(reading, source, extends);
	for (const struct node *member = root->child; rc == 0 && member; member = member->next)
		rc = set_member(reading, member);
	return rc;
}

static int load_source(struct reading *reading, struct source *source)
{
	struct node *root;
	int rc = load_file(&reading->spec->arena, source->name, &root, reading->err);

	reading->files++;
	return rc < 0 ? rc : set_members(reading, source, root);
}

int policy_load(struct spec *spec, const char *path, struct error *err)
{
	struct reading reading = { .spec = spec, .err = err };
	struct source source = { .name = path };

	(void)sys_identity(path, &source.identity); /* a file that is not there is told of when it is opened */
	return load_source(&reading, &source);
}

int policy_load_text(struct spec *spec, const char *name, const char *text, size_t size, struct error *err)
{
	struct reading reading = { .spec = spec, .err = err };
	struct source source = { .name = name };
	struct node *root;
	int rc = load_text(&spec->arena, name, text, size, &root, err);

	return rc < 0 ? rc : set_members(&reading, &source, root);
}
