/* SPDX-License-Identifier: Apache-2.0 */
/* A spec as bytes, and back: rows by their type, and the few members of the spec that no row sets. */
#include "feature/words.h"

#include <errno.h>
#include <string.h>

#include "base/parcel.h"
#include "feature/feature.h"
#include "filter/parcel.h"
#include "spec/mount_parcel.h"

enum record {
	RECORD_END, RECORD_VALUE, RECORD_MOUNT, RECORD_ORIGIN, RECORD_COMMAND, RECORD_CALLER, RECORD_FILTER, RECORD_PROFILE, RECORDS,
};

static const char magic[] = "immure spec";
static const char of_command[] = ""; /* the command has no row, but an origin */

static const size_t caller_texts[] = {
	offsetof(struct caller, cwd), offsetof(struct caller, logical_cwd), offsetof(struct caller, term), offsetof(struct caller, lang),
	offsetof(struct caller, runtime), offsetof(struct caller, stdout_path),
};
static const size_t caller_flags[] = {
	offsetof(struct caller, stdin_is_tty), offsetof(struct caller, stdout_is_tty), offsetof(struct caller, stderr_is_tty),
	offsetof(struct caller, stderr_is_stdout),
};

/* The first row that sets the member at OFFSET; NULL: none does. */
static const struct field *field_at(size_t offset)
{
	for (const struct feature *const *f = features; *f; f++)
		for (const struct field *row = (*f)->fields; row && row->key; row++)
			if (row->offset == offset)
				return row;
	return NULL;
}

/* ---- writing ---- */

struct writer {
	const struct spec *spec;
	const struct spec *defaults;
	const struct field *field;
	struct arena *arena;
	struct text *out;
	struct error *err;
};

static int add_value(void *argument, const char *text, const struct origin *origin)
{
	const struct writer *writer = argument;

	parcel_add_number(writer->out, RECORD_VALUE);
	parcel_add_text(writer->out, writer->field->key);
	parcel_add_origin(writer->out, origin);
	parcel_add_text(writer->out, text);
	return 0;
}

/* A value that is the default's and that nobody set is there already where it is read. */
static int write_field(struct writer *writer, const struct field *field)
{
	const bool is_default = spec_origin(writer->spec, field->offset)->layer == LAYER_DEFAULT;

	writer->field = field;
	if (field->type == FIELD_MOUNTS)
		return 0;
	if (is_default && !field_is_list(field) && strcmp(field_print(field, writer->spec, writer->arena),
							   field_print(field, writer->defaults, writer->arena)) == 0)
		return 0;
	return field_each(field, writer->spec, writer->arena, add_value, writer);
}

static int write_fields(struct writer *writer)
{
	for (const struct feature *const *f = features; *f; f++) {
		for (const struct field *row = (*f)->fields; row && row->key; row++) {
			int rc = write_field(writer, row);

			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int write_mounts(const struct writer *writer)
{
	char where[ORIGIN_TEXT];

	for (const struct mount *mount = writer->spec->mounts; mount; mount = mount->next) {
		if (!mount_is_whole(mount))
			return error_mistake(writer->err, "%s: it has not been looked up yet", origin_print(&mount->origin, where));
		parcel_add_number(writer->out, RECORD_MOUNT);
		parcel_add_mount(writer->out, mount);
	}
	return 0;
}

/* A list has one of its own as well: of the last that was said about it. */
static int write_origins(const struct writer *writer)
{
	for (unsigned i = 0; i < writer->spec->origin_count; i++) {
		const struct field_origin *at = &writer->spec->origins[i];
		const struct field *field = field_at(at->offset);

		if (at->origin.layer == LAYER_DEFAULT)
			continue;
		if (!field && at->offset != offsetof(struct spec, command))
			return error_mistake(writer->err, "an origin belongs to no option");
		parcel_add_number(writer->out, RECORD_ORIGIN);
		parcel_add_text(writer->out, field ? field->key : of_command);
		parcel_add_origin(writer->out, &at->origin);
	}
	return 0;
}

static void write_texts(struct text *out, const char *const *texts)
{
	size_t count = 0;

	while (texts && texts[count])
		count++;
	parcel_add_number(out, count);
	for (size_t i = 0; i < count; i++)
		parcel_add_text(out, texts[i]);
}

static void write_command(const struct writer *writer)
{
	if (!writer->spec->command)
		return;
	parcel_add_number(writer->out, RECORD_COMMAND);
	write_texts(writer->out, (const char *const *)writer->spec->command);
}

static void write_caller(const struct writer *writer)
{
	const char *caller = (const char *)&writer->spec->caller;

	parcel_add_number(writer->out, RECORD_CALLER);
	for (size_t i = 0; i < ARRAY_SIZE(caller_texts); i++)
		parcel_add_text(writer->out, *(const char *const *)(caller + caller_texts[i]));
	for (size_t i = 0; i < ARRAY_SIZE(caller_flags); i++)
		parcel_add_number(writer->out, *(const bool *)(caller + caller_flags[i]));
	parcel_add_number(writer->out, writer->spec->caller.umask);
	write_texts(writer->out, writer->spec->caller_environment);
}

static void write_filter(const struct writer *writer)
{
	if (writer->spec->custom_filter) {
		parcel_add_number(writer->out, RECORD_FILTER);
		parcel_add_filter(writer->out, writer->spec->custom_filter);
	}
	if (writer->spec->custom_profile) {
		parcel_add_number(writer->out, RECORD_PROFILE);
		parcel_add_profile(writer->out, writer->spec->custom_profile);
	}
}

static int check_size(const struct text *out, size_t start, struct error *err)
{
	int rc = 0;

	if (out->is_short)
		return error_set(err, ENOMEM, "writing down what was asked");
	if (out->used - start > WORDS_MOST) {
		rc = error_set(err, E2BIG, "what was asked takes %zu bytes, and at most %d can be handed over", out->used - start, WORDS_MOST);
		error_remedy(err, "E-WORDS-SIZE", "contents of files take most of it: --ro PATH:DST shows a file without a copy");
	}
	return rc;
}

static int write_records(struct writer *writer)
{
	int rc = write_fields(writer);

	if (rc == 0)
		rc = write_mounts(writer);
	if (rc == 0)
		rc = write_origins(writer);
	if (rc < 0)
		return rc;
	write_command(writer);
	write_caller(writer);
	write_filter(writer);
	parcel_add_number(writer->out, RECORD_END);
	return 0;
}

int spec_write_words(const struct spec *spec, struct text *out, struct error *err)
{
	struct spec defaults = { 0 };
	auto_arena struct arena arena = { 0 };
	struct writer writer = { .spec = spec, .defaults = &defaults, .arena = &arena, .out = out, .err = err };
	const size_t start = out->used;
	int rc;

	if (spec->compiled_filters)
		return error_mistake(err, "--seccomp-fd: a filter that was read from a descriptor is loaded by the process that read it");
	rc = spec_default(&defaults, err);

	parcel_add_text(out, magic);
	parcel_add_number(out, WORDS_VERSION);
	if (rc == 0)
		rc = write_records(&writer);
	arena_free(&defaults.arena);
	return rc < 0 ? rc : check_size(out, start, err);
}

/* ---- reading ---- */

struct reader {
	struct spec *spec;
	struct parcel from;
	struct mount **mounts; /* the end of the list */
	struct error *err;
};

static int read_value(struct reader *reader)
{
	const char *key = parcel_take_word(&reader->from);
	const struct origin origin = parcel_take_origin(&reader->from);
	const char *text = parcel_take_word(&reader->from);
	const struct field *field = find_field(key);

	if (reader->from.is_bad)
		return -EPROTO;
	if (!field || field->type == FIELD_MOUNTS)
		return error_mistake(reader->err, "there is no option \"%s\" here", key);
	return field_set(field, reader->spec, text, &origin, reader->err);
}

static int read_mount(struct reader *reader)
{
	struct mount *mount = parcel_take_mount(&reader->from, &reader->spec->arena);

	if (!mount || !mount_is_whole(mount))
		return -EPROTO;
	*reader->mounts = mount;
	reader->mounts = &mount->next;
	return 0;
}

static int read_origin(struct reader *reader)
{
	const char *key = parcel_take_word(&reader->from);
	const struct origin origin = parcel_take_origin(&reader->from);
	const struct field *field = find_field(key);

	if (reader->from.is_bad)
		return -EPROTO;
	if (!field && strcmp(key, of_command) != 0)
		return error_mistake(reader->err, "there is no option \"%s\" here", key);
	spec_set_origin(reader->spec, field ? field->offset : offsetof(struct spec, command), &origin);
	return 0;
}

/* NULL at the end, and there even where there is none; NULL: no memory, or too many. */
static const char **read_texts(struct reader *reader)
{
	const size_t count = parcel_take_count(&reader->from);
	const char **texts = arena_alloc(&reader->spec->arena, (count + 1) * sizeof(*texts));

	for (size_t i = 0; texts && i < count; i++)
		texts[i] = parcel_take_word(&reader->from);
	return texts;
}

static int read_command(struct reader *reader)
{
	reader->spec->command = (char **)read_texts(reader);
	return reader->spec->command && reader->spec->command[0] && *reader->spec->command[0] ? 0 : -EPROTO;
}

static int read_caller(struct reader *reader)
{
	char *caller = (char *)&reader->spec->caller;

	for (size_t i = 0; i < ARRAY_SIZE(caller_texts); i++)
		*(const char **)(caller + caller_texts[i]) = parcel_take_text(&reader->from);
	for (size_t i = 0; i < ARRAY_SIZE(caller_flags); i++)
		*(bool *)(caller + caller_flags[i]) = parcel_take_number(&reader->from, true);
	reader->spec->caller.umask = (unsigned)parcel_take_number(&reader->from, 0777);
	reader->spec->caller_environment = read_texts(reader);
	return reader->spec->caller.cwd && reader->spec->caller.cwd[0] != '/' ? -EPROTO : 0;
}

static int read_filter(struct reader *reader)
{
	reader->spec->custom_filter = parcel_take_filter(&reader->from, &reader->spec->arena);
	return reader->spec->custom_filter ? 0 : -EPROTO;
}

static int read_profile(struct reader *reader)
{
	reader->spec->custom_profile = parcel_take_profile(&reader->from, &reader->spec->arena);
	return reader->spec->custom_profile ? 0 : -EPROTO;
}

static int (*const readers[RECORDS])(struct reader *reader) = {
	[RECORD_VALUE] = read_value, [RECORD_MOUNT] = read_mount, [RECORD_ORIGIN] = read_origin, [RECORD_COMMAND] = read_command,
	[RECORD_CALLER] = read_caller, [RECORD_FILTER] = read_filter, [RECORD_PROFILE] = read_profile,
};

static int read_records(struct reader *reader)
{
	const char *first = parcel_take_word(&reader->from);
	const uint64_t version = parcel_take_number(&reader->from, UINT64_MAX);
	enum record record;
	int rc = 0;

	if (strcmp(first, magic) != 0 || version != WORDS_VERSION)
		return -EPROTO;
	while (rc == 0 && (record = (enum record)parcel_take_number(&reader->from, RECORDS - 1)) != RECORD_END)
		rc = readers[record](reader);
	if (rc < 0)
		return rc;
	return reader->from.is_bad || reader->from.at != reader->from.end ? -EPROTO : 0;
}

/* Lists come whole, with what the defaults would put into them. */
static void empty_lists(struct spec *spec)
{
	for (const struct feature *const *f = features; *f; f++)
		for (const struct field *row = (*f)->fields; row && row->key; row++)
			if (field_is_list(row))
				*(void **)((char *)spec + row->offset) = NULL;
}

static int tell_failure(int rc, struct error *err)
{
	if (rc == -EPROTO) /* nobody had words for it */
		rc = error_mistake(err, "these bytes are no spec, or another version's of immure");
	if (rc == -EINVAL)
		error_remedy(err, "E-WORDS", "the two processes are of different versions of immure: end the pod, and start it again");
	error_while(err, "reading what was handed over");
	return rc;
}

int spec_read_words(struct spec *spec, const void *bytes, size_t size, struct error *err)
{
	struct reader reader = { .spec = spec, .mounts = &spec->mounts, .err = err };
	char *copy = size > WORDS_MOST ? NULL : arena_copy_bytes(&spec->arena, bytes, size);
	int rc = copy ? spec_default(spec, err) : error_set(err, size > WORDS_MOST ? E2BIG : ENOMEM, "%zu bytes", size);

	if (rc == 0) {
		empty_lists(spec);
		reader.from = (struct parcel){ .at = copy, .end = copy + size };
		rc = read_records(&reader);
	}
	if (rc == 0) /* every path is absolute already, or it is refused */
		rc = spec_make_absolute(spec, NULL, err);
	if (rc == 0)
		return 0;
	arena_free(&spec->arena);
	*spec = (struct spec){ 0 };
	return tell_failure(rc, err);
}
