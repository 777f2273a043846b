/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/spec only: how each type of field reads a word and prints itself. */
#ifndef IMMURE_SPEC_TYPE_H
#define IMMURE_SPEC_TYPE_H

#include "spec/field.h"

/* A word on its way into a member. */
struct value_text {
	const struct field *field;
	struct arena *arena;
	const struct origin *origin;
	const char *text;
};

/* Reads into MEMBER; on failure MEMBER is as before and ERR says what was wanted. */
typedef int (*value_reader)(const struct value_text *value, void *member, struct error *err);
/* As a user would write it: a member or, of a list, an item. NULL: unset, or not of this row. */
typedef const char *(*value_printer)(const struct field *field, const void *value, struct arena *arena);

/* Where the items of a list hold what all have. */
struct item_shape {
	size_t origin, next;
};

struct type_row {
	const char *name, *metavar;
	value_reader read;
	value_printer print;
	const struct item_shape *items; /* NULL: it holds one value */
};

/* scalar.c */
int read_flag(const struct value_text *value, void *member, struct error *err);
int read_count(const struct value_text *value, void *member, struct error *err);
int read_size(const struct value_text *value, void *member, struct error *err);
int read_duration(const struct value_text *value, void *member, struct error *err);
int read_share(const struct value_text *value, void *member, struct error *err);
int read_octal(const struct value_text *value, void *member, struct error *err);
int read_enum(const struct value_text *value, void *member, struct error *err);
int read_name(const struct value_text *value, void *member, struct error *err);
int read_namespace(const struct value_text *value, void *member, struct error *err);
const char *print_flag(const struct field *field, const void *member, struct arena *arena);
const char *print_count(const struct field *field, const void *member, struct arena *arena);
const char *print_size(const struct field *field, const void *member, struct arena *arena);
const char *print_duration(const struct field *field, const void *member, struct arena *arena);
const char *print_share(const struct field *field, const void *member, struct arena *arena);
const char *print_octal(const struct field *field, const void *member, struct arena *arena);
const char *print_enum(const struct field *field, const void *member, struct arena *arena);
const char *print_name(const struct field *field, const void *member, struct arena *arena);
const char *print_namespace(const struct field *field, const void *member, struct arena *arena);

/* list.c */
int read_string(const struct value_text *value, void *member, struct error *err);
int read_words(const struct value_text *value, void *member, struct error *err);
int read_id_map(const struct value_text *value, void *member, struct error *err);
int read_rlimit(const struct value_text *value, void *member, struct error *err);
int read_port(const struct value_text *value, void *member, struct error *err);
const char *print_string(const struct field *field, const void *item, struct arena *arena);
const char *print_id_map(const struct field *field, const void *item, struct arena *arena);
const char *print_rlimit(const struct field *field, const void *item, struct arena *arena);
const char *print_port(const struct field *field, const void *item, struct arena *arena);

/* mount.c */
int read_mount(const struct value_text *value, void *member, struct error *err);
const char *print_mount(const struct field *field, const void *item, struct arena *arena);
const char *mount_syntax(enum mount_kind kind);

/* The error of a value that is not of its type; WANTED says what would be. */
int refuse_value(const struct value_text *value, struct error *err, int rc, const char *wanted);
/* The error of exhausted memory. */
int refuse_memory(struct error *err);

#endif
