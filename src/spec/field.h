/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options are rows. A row says which member of the spec it sets and of what type; the type knows
 * how to read it from a word or a node, and how to print it. Command line, policy files, help,
 * manual, completion and schema all come from the rows.
 */
#ifndef IMMURE_SPEC_FIELD_H
#define IMMURE_SPEC_FIELD_H

#include "spec/node.h"
#include "spec/spec.h"

enum field_type {
	FIELD_FLAG,      /* bool */
	FIELD_COUNT,     /* uint64_t */
	FIELD_SIZE,      /* uint64_t, bytes */
	FIELD_DURATION,  /* uint64_t, nanoseconds */
	FIELD_SHARE,     /* uint64_t, thousandths */
	FIELD_OCTAL,     /* unsigned */
	FIELD_ENUM,      /* enum: index into choices */
	FIELD_NAME,      /* const char *: a word */
	FIELD_PATH,      /* const char *: a path on the host or in the jail */
	FIELD_STRINGS,   /* struct string_item *: given again, it appends; commas do not split */
	FIELD_WORDS,     /* struct string_item *: as STRINGS, but commas split */
	FIELD_MOUNTS,    /* struct mount *: appended in order; the row's kind says how */
	FIELD_ID_MAPS,   /* struct id_map *: INSIDE:OUTSIDE:COUNT */
	FIELD_RLIMITS,   /* struct rlimit_item *: NAME=SOFT[:HARD] */
	FIELD_PORTS,     /* struct port_item * */
	FIELD_NAMESPACE, /* struct namespace_choice */
	FIELD_TYPES,
};

struct field {
	const char *key;      /* "memory": --memory, and the key in files */
	char letter;          /* 'm': -m; 0: none */
	enum field_type type;
	size_t offset;        /* offsetof(struct spec, ...) */
	const char *metavar;  /* what follows it in help, where the type does not say enough; NULL: the type's */
	const char *help;     /* one sentence */
	const char *detail;   /* more, for the manual; NULL: nothing */
	const char *example;  /* a value; NULL: none */
	const char *fallback; /* the default, as a user would write it; NULL: unset */
	const char *since;    /* version */
	const char *const *choices; /* ENUM: names by value, NULL-terminated; WORDS: permitted words, or NULL */
	enum mount_kind kind; /* MOUNTS */
	bool is_optional;     /* MOUNTS: what is missing is left out */
	bool may_be_empty;    /* NAME: "" is a value */
	bool is_hidden_in_files; /* has no meaning in a policy file (--file, --result) */
};

/*
 * Reads TEXT into the field's member and remembers ORIGIN. A failure leaves the spec as it was. A value of a layer below
 * the one that set the member is judged and dropped; an item of a list goes behind those of its own layer and below.
 * So the outcome does not depend on the order in which layers are read.
 */
int field_set(const struct field *field, struct spec *spec, const char *text, const struct origin *origin,
	      struct error *err) MUST_CHECK;

/* The same from a node: a scalar, or for list types a list of them. */
int field_set_node(const struct field *field, struct spec *spec, const struct node *node, struct error *err) MUST_CHECK;

/* What follows the option in help: "SIZE", "PATH", ...; NULL for a flag. */
const char *field_metavar(const struct field *field);

/* "flag", "size", ...: as in include/immure.h. */
const char *field_type_name(const struct field *field);

/* The member as a user would write it; lists are joined with ", ". "" when unset. In ARENA. */
const char *field_print(const struct field *field, const struct spec *spec, struct arena *arena);

/* Calls VISIT with the value the member holds, or each item of its list, as field_set would read it; what is unset or of another row
 * with the same member is left out. An answer other than 0 ends it and is returned. The texts live in ARENA or in SPEC. */
typedef int (*field_visitor)(void *argument, const char *text, const struct origin *origin);
int field_each(const struct field *field, const struct spec *spec, struct arena *arena, field_visitor visit, void *argument) MUST_CHECK;

bool field_is_list(const struct field *field);

#endif
