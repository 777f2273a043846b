/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser hands out events; a stack of open lists and maps turns them into nodes. libfyaml's own
 * documents are not used: their aliases are unbounded.
 */
#include "load/yaml.h"

#include <errno.h>
#include <libfyaml.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* A list or map that is not finished. */
struct open_node {
	struct node *node;
	struct node *last;          /* its latest child; NULL: none */
	const char *key;            /* a map whose key was read and whose value was not */
	struct origin key_origin;
	const char *anchor;         /* NULL: none */
	unsigned members;
};

struct anchor {
	const char *name;
	const struct node *node;
	struct anchor *next;
};

struct reader {
	struct arena *arena;
	struct error *err;
	const char *source;
	struct fy_parser *parser;
	struct node *root;
	struct open_node open[LOAD_MOST_DEPTH];
	unsigned depth;             /* used rows of open[] */
	unsigned nodes, documents, anchor_count;
	struct anchor *anchors;
};

static struct origin origin_at(const struct reader *reader, const struct fy_mark *mark)
{
	struct origin origin = { .layer = LAYER_FILE, .source = reader->source };

	origin.line = mark ? mark->line + 1 : 1;
	origin.column = mark ? mark->column + 1 : 1;
	return origin;
}

static bool is_in_quotes(struct fy_event *event)
{
	enum fy_scalar_style style;

	if (event->type != FYET_SCALAR || !event->scalar.value)
		return false;
	style = fy_token_scalar_style(event->scalar.value);
	return style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
}

static struct origin event_origin(const struct reader *reader, struct fy_event *event)
{
	const struct fy_mark *mark = fy_event_start_mark(event);
	struct origin origin;

	if (!mark && reader->depth && reader->open[reader->depth - 1].key)
		return reader->open[reader->depth - 1].key_origin;
	origin = origin_at(reader, mark);
	/* The mark of a quoted scalar lies behind its opening quote. */
	if (is_in_quotes(event) && origin.column > 1)
		origin.column--;
	return origin;
}

static int refuse(struct reader *reader, const struct origin *origin, const char *why)
{
	char place[ORIGIN_TEXT];

	return error_mistake(reader->err, "%s: %s", origin_print(origin, place), why);
}

static int refuse_memory(struct reader *reader)
{
	return error_set(reader->err, ENOMEM, "%s: read", reader->source);
}

/* The text of a token in the arena; an absent token is an empty text. A text with a NUL in it is refused. */
static int token_text(struct reader *reader, struct fy_token *token, const struct origin *origin, const char **text)
{
	size_t size = 0;
	const char *bytes = token ? fy_token_get_text(token, &size) : "";

	if (!bytes)
		return refuse_memory(reader);
	if (memchr(bytes, '\0', size))
		return refuse(reader, origin, "a NUL character");
	*text = arena_copy_bytes(reader->arena, bytes, size);
	return *text ? 0 : refuse_memory(reader);
}

static int add_anchor(struct reader *reader, const char *name, const struct node *node)
{
	struct anchor *anchor;

	if (reader->anchor_count == LOAD_MOST_ANCHORS)
		return refuse(reader, &node->origin, "too many anchors");
	anchor = arena_alloc(reader->arena, sizeof(*anchor));
	if (!anchor)
		return refuse_memory(reader);
	*anchor = (struct anchor){ .name = name, .node = node, .next = reader->anchors };
	reader->anchors = anchor;
	reader->anchor_count++;
	return 0;
}

/* Only finished nodes are here, so that an alias can never lie inside what it names. */
static const struct node *find_anchor(const struct reader *reader, const char *name)
{
	for (const struct anchor *anchor = reader->anchors; anchor; anchor = anchor->next)
		if (strcmp(anchor->name, name) == 0)
			return anchor->node;
	return NULL;
}

static struct node *new_node(struct reader *reader, enum node_kind kind, const struct origin *origin, int *rc)
{
	struct node *node;

	if (reader->nodes++ == LOAD_MOST_NODES) {
		*rc = refuse(reader, origin, "too many values");
		return NULL;
	}
	node = arena_alloc(reader->arena, sizeof(*node));
	if (!node) {
		*rc = refuse_memory(reader);
		return NULL;
	}
	node->kind = kind;
	node->origin = *origin;
	return node;
}

/* Hangs NODE where the text stands: the value of the open key, the next of the open list, or the root. */
static void attach(struct reader *reader, struct node *node)
{
	struct open_node *parent = reader->depth ? &reader->open[reader->depth - 1] : NULL;

	if (!parent) {
		reader->root = node;
		return;
	}
	if (parent->node->kind == NODE_MAP) {
		node->key = parent->key;
		node->key_origin = parent->key_origin;
		parent->key = NULL;
	}
	if (parent->last)
		parent->last->next = node;
	else
		parent->node->child = node;
	parent->last = node;
}

static bool wants_key(const struct reader *reader)
{
	const struct open_node *parent = reader->depth ? &reader->open[reader->depth - 1] : NULL;

	return parent && parent->node->kind == NODE_MAP && !parent->key;
}

static int refuse_duplicate(struct reader *reader, const struct node *first, const struct origin *origin)
{
	char here[ORIGIN_TEXT];

	return error_mistake(reader->err, "%s: %s is given twice; first in line %d", origin_print(origin, here),
			     first->key, first->key_origin.line);
}

static int take_key(struct reader *reader, struct fy_event *event, const struct origin *origin)
{
	struct open_node *map = &reader->open[reader->depth - 1];
	const struct node *first;
	const char *key = NULL;
	int rc;

	if (event->type != FYET_SCALAR)
		return refuse(reader, origin, "a key must be a plain word");
	rc = token_text(reader, event->scalar.value, origin, &key);
	if (rc < 0)
		return rc;
	if (map->members++ == LOAD_MOST_MEMBERS)
		return refuse(reader, origin, "too many keys in one mapping");
	first = node_member(map->node, key);
	if (first)
		return refuse_duplicate(reader, first, origin);
	map->key = key;
	map->key_origin = *origin;
	return 0;
}

static bool is_null(const char *text)
{
	return strcmp(text, "~") == 0 || strcmp(text, "null") == 0 || strcmp(text, "Null") == 0 ||
	       strcmp(text, "NULL") == 0;
}

static int take_scalar(struct reader *reader, struct fy_event *event, const struct origin *origin, struct node **made)
{
	int rc = 0;
	struct node *node = new_node(reader, NODE_SCALAR, origin, &rc);

	if (!node)
		return rc;
	rc = token_text(reader, event->scalar.value, origin, &node->text);
	if (rc < 0)
		return rc;
	node->is_quoted = event->scalar.value && fy_token_scalar_style(event->scalar.value) != FYSS_PLAIN;
	if (!node->is_quoted && is_null(node->text))
		node->text = "";
	*made = node;
	attach(reader, node);
	return 0;
}

/* FROM and all below it, again; DEPTH is that of the copy. */
static struct node *copy_node(struct reader *reader, const struct node *from, unsigned depth, int *rc)
{
	struct node *copy, **end;

	if (depth > LOAD_MOST_DEPTH && from->kind != NODE_SCALAR) {
		*rc = refuse(reader, &from->origin, "nested too deeply");
		return NULL;
	}
	copy = new_node(reader, from->kind, &from->origin, rc);
	if (!copy)
		return NULL;
	*copy = *from;
	copy->next = NULL;
	end = &copy->child;
	for (const struct node *child = from->child; child; child = child->next) {
		*end = copy_node(reader, child, depth + 1, rc);
		if (!*end)
			return NULL;
		end = &(*end)->next;
	}
	return copy;
}

static int take_alias(struct reader *reader, struct fy_event *event, const struct origin *origin)
{
	const struct node *target;
	const char *name = "";
	struct node *copy;
	int rc = token_text(reader, event->alias.anchor, origin, &name);

	if (rc < 0)
		return rc;
	target = find_anchor(reader, name);
	if (!target)
		return refuse(reader, origin, "an alias to an anchor that is not defined before it");
	copy = copy_node(reader, target, reader->depth + 1, &rc);
	if (!copy)
		return rc;
	copy->key = NULL;
	attach(reader, copy);
	return 0;
}

static int begin_collection(struct reader *reader, enum node_kind kind, const char *anchor,
			    const struct origin *origin)
{
	int rc = 0;
	struct node *node;

	if (reader->depth == LOAD_MOST_DEPTH)
		return refuse(reader, origin, "nested too deeply");
	node = new_node(reader, kind, origin, &rc);
	if (!node)
		return rc;
	attach(reader, node);
	reader->open[reader->depth++] = (struct open_node){ .node = node, .anchor = anchor };
	return 0;
}

static int end_collection(struct reader *reader)
{
	const struct open_node *open = &reader->open[--reader->depth];

	return open->anchor ? add_anchor(reader, open->anchor, open->node) : 0;
}

static int take_value(struct reader *reader, struct fy_event *event, const struct origin *origin)
{
	struct fy_token *token = fy_event_get_anchor_token(event);
	const char *anchor = NULL;
	struct node *scalar = NULL;
	int rc;

	if (fy_event_get_tag_token(event))
		return refuse(reader, origin, "tags are not read here");
	rc = token && event->type != FYET_ALIAS ? token_text(reader, token, origin, &anchor) : 0;
	if (rc < 0)
		return rc;
	if (wants_key(reader))
		return anchor ? refuse(reader, origin, "a key must be a plain word") : take_key(reader, event, origin);
	if (event->type == FYET_ALIAS)
		return take_alias(reader, event, origin);
	if (event->type == FYET_MAPPING_START)
		return begin_collection(reader, NODE_MAP, anchor, origin);
	if (event->type == FYET_SEQUENCE_START)
		return begin_collection(reader, NODE_LIST, anchor, origin);
	rc = take_scalar(reader, event, origin, &scalar);
	return rc == 0 && anchor ? add_anchor(reader, anchor, scalar) : rc;
}

static int take_event(struct reader *reader, struct fy_event *event)
{
	struct origin origin = event_origin(reader, event);

	switch (event->type) {
	case FYET_DOCUMENT_START:
		return reader->documents++ ? refuse(reader, &origin, "a second document") : 0;
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END:
		return end_collection(reader);
	case FYET_SCALAR:
	case FYET_ALIAS:
	case FYET_MAPPING_START:
	case FYET_SEQUENCE_START:
		return take_value(reader, event, &origin);
	default:
		return 0;
	}
}

/* What the parser itself objects to; its first complaint is the cause of the others. */
static int refuse_syntax(struct reader *reader, struct fy_diag *diag)
{
	void *iterator = NULL;
	const struct fy_diag_error *first = fy_diag_errors_iterate(diag, &iterator);

	if (!first)
		return refuse_memory(reader);
	return error_mistake(reader->err, "%s:%d:%d: %s", reader->source, first->line, first->column, first->msg);
}

static int read_events(struct reader *reader, struct fy_diag *diag)
{
	struct fy_event *event;
	int rc = 0;

	while (rc == 0 && (event = fy_parser_parse(reader->parser))) {
		rc = take_event(reader, event);
		fy_parser_event_free(reader->parser, event);
	}
	if (rc == 0 && fy_parser_get_stream_error(reader->parser))
		rc = refuse_syntax(reader, diag);
	return rc;
}

static int parse(struct reader *reader, const char *bytes, size_t size)
{
	struct fy_diag_cfg diag_config;
	struct fy_parse_cfg config = { .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_SLOPPY_FLOW_INDENTATION };
	struct fy_diag *diag;
	int rc = -ENOMEM;

	fy_diag_cfg_default(&diag_config);
	diag_config.fp = NULL;
	diag = fy_diag_create(&diag_config);
	if (!diag)
		return refuse_memory(reader);
	fy_diag_set_collect_errors(diag, true);
	config.diag = diag;
	reader->parser = fy_parser_create(&config);
	if (reader->parser && fy_parser_set_string(reader->parser, bytes, size) == 0)
		rc = read_events(reader, diag);
	else
		refuse_memory(reader);
	if (reader->parser)
		fy_parser_destroy(reader->parser);
	fy_diag_destroy(diag);
	return rc;
}

/*
 * Directives (%YAML, %TAG) say nothing here, and an unfinished one keeps libfyaml 0.7.12 busy for a very
 * long time; so a line that begins with "%" is refused before the parser sees it. 0: there is none.
 */
static int find_directive(const char *bytes, size_t size)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	size_t start = size >= 3 && memcmp(bytes, byte_order_mark, 3) == 0 ? 3 : 0;
	int line = 1;

	for (size_t i = start; i < size; i++) {
		if (bytes[i] == '%' && (i == start || bytes[i - 1] == '\n' || bytes[i - 1] == '\r'))
			return line;
		line += bytes[i] == '\n';
	}
	return 0;
}

/* What needs no parser to be refused. */
static int check_bytes(const char *source_name, const char *bytes, size_t size, struct error *err)
{
	int line;

	if (size > LOAD_MOST_BYTES)
		return error_mistake(err, "%s: larger than %d bytes", source_name, LOAD_MOST_BYTES);
	if (memchr(bytes, '\0', size))
		return error_mistake(err, "%s: contains a NUL byte; this is no text", source_name);
	line = find_directive(bytes, size);
	return line ? error_mistake(err, "%s:%d:1: directives are not read here", source_name, line) : 0;
}

int load_text(struct arena *arena, const char *source_name, const char *bytes, size_t size, struct node **root,
	      struct error *err)
{
	struct reader reader = { .arena = arena, .err = err, .source = arena_copy(arena, source_name) };
	const struct origin start = { .layer = LAYER_FILE, .source = reader.source, .line = 1, .column = 1 };
	int rc = check_bytes(source_name, bytes, size, err);

	if (!reader.source)
		return error_set(err, ENOMEM, "%s: read", source_name);
	if (rc == 0 && size)
		rc = parse(&reader, bytes, size);
	if (rc < 0)
		return rc;
	if (!reader.root) {
		reader.root = new_node(&reader, NODE_SCALAR, &start, &rc);
		if (!reader.root)
			return rc;
		reader.root->text = "";
	}
	*root = reader.root;
	return 0;
}

/* At most one byte more than is taken, so that a text that is too long is seen to be. */
static int read_whole(FILE *file, struct text *text)
{
	char piece[4096];
	size_t size;

	errno = 0;
	while (text->used <= LOAD_MOST_BYTES && (size = fread(piece, 1, sizeof(piece), file)) > 0)
		text_add_bytes(text, piece, size);
	if (ferror(file))
		return errno ? -errno : -EIO;
	return text->is_short ? -ENOMEM : 0;
}

int load_file(struct arena *arena, const char *path, struct node **root, struct error *err)
{
	auto_text struct text text = { 0 };
	const bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "re");
	int rc;

	if (!file)
		return error_set(err, errno, "open %s", path);
	rc = read_whole(file, &text);
	if (!is_stdin)
		fclose(file);
	if (rc < 0)
		return error_set(err, -rc, "read %s", path);
	return load_text(arena, is_stdin ? "stdin" : path, text.bytes ? text.bytes : "", text.used, root, err);
}
