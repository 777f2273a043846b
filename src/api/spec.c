/* SPDX-License-Identifier: Apache-2.0 */
/* The exported half about specs: setting, reading, and the words of a command line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/text.h"
#include "feature/feature.h"
#include "feature/preset.h"

int tell(struct immure_error *out, const struct error *err, int rc, int exit_code)
{
	if (!out)
		return rc;
	*out = (struct immure_error){ .errnum = -rc, .exit_code = exit_code };
	error_print(err, out->text, sizeof(out->text));
	if (err->id)
		strncpy(out->id, err->id, sizeof(out->id) - 1);
	return rc;
}

struct immure_spec *immure_spec_new(void)
{
	struct immure_spec *spec = calloc(1, sizeof(*spec));

	if (spec && spec_default(&spec->spec, NULL) < 0) {
		immure_spec_free(spec);
		return NULL;
	}
	return spec;
}

void immure_spec_free(struct immure_spec *spec)
{
	if (!spec)
		return;
	arena_free(&spec->spec.arena);
	arena_free(&spec->host.arena);
	free(spec);
}

static int refuse_key(const char *key, struct error *err)
{
	const char *near = find_nearest_key(key);

	if (near)
		return error_mistake(err, "there is no option \"%s\"; did you mean \"%s\"?", key, near);
	return error_mistake(err, "there is no option \"%s\"", key);
}

static int load(struct spec *spec, const char *path, struct error *err)
{
	if (!modules.load)
		return error_set(err, ENOTSUP, "reading %s: this build has no reader of policy files", path);
	return modules.load(spec, path, err);
}

static int load_preset(struct spec *spec, const char *name, struct error *err)
{
	if (spec->preset && strcmp(spec->preset, name) == 0)
		return 0;
	if (spec->preset)
		return error_mistake(err, "the preset is %s already; there can be one", spec->preset);
	return preset_load(spec, name, err);
}

/* "no-landlock" would be a flag's opposite. */
static int set_key(struct spec *spec, const char *key, const char *value, const struct origin *origin, struct error *err)
{
	const struct field *field = find_field(key);
	const struct field *opposite = !field && text_starts(key, "no-") ? find_field(key + 3) : NULL;
	int rc = 0;

	if (opposite && opposite->type == FIELD_FLAG && !value)
		return field_set(opposite, spec, "no", origin, err);
	if (!field)
		return refuse_key(key, err);
	if (!value && field->type != FIELD_FLAG)
		return error_mistake(err, "--%s wants a value: %s", key, field_metavar(field));
	if (value && strcmp(key, "policy") == 0)
		rc = load(spec, value, err);
	else if (value && strcmp(key, "preset") == 0)
		rc = load_preset(spec, value, err);
	return rc < 0 ? rc : field_set(field, spec, value ? value : "yes", origin, err);
}

int immure_spec_set(struct immure_spec *spec, const char *key, const char *value, const char *where, struct immure_error *out)
{
	struct origin origin = { .layer = LAYER_COMMAND };
	struct error err = { 0 };
	int rc;

	origin.source = where ? arena_copy(&spec->spec.arena, where) : arena_format(&spec->spec.arena, "--%s", key);
	if (!origin.source)
		rc = error_set(&err, ENOMEM, "setting %s", key);
	else
		rc = set_key(&spec->spec, key, value, &origin, &err);
	spec->is_resolved = false;
	return tell(out, &err, rc, 125);
}

const char *immure_spec_get(struct immure_spec *spec, const char *key)
{
	const struct field *field = find_field(key);

	return field ? field_print(field, &spec->spec, &spec->spec.arena) : NULL;
}

int immure_spec_load(struct immure_spec *spec, const char *path, struct immure_error *out)
{
	struct error err = { 0 };
	int rc = load(&spec->spec, path, &err);

	spec->is_resolved = false;
	return tell(out, &err, rc, 125);
}

/* One option as it stands in a command line. */
struct word {
	const struct field *field; /* NULL: no such key; then key says which */
	const char *key, *value;   /* value NULL: none was given */
	int used;                  /* words taken */
};

static int read_long(int argc, char *const argv[], struct spec *spec, struct word *word, struct error *err)
{
	const char *equals = strchr(argv[0], '=');

	word->key = equals ? arena_copy_bytes(&spec->arena, argv[0] + 2, (size_t)(equals - argv[0] - 2)) : argv[0] + 2;
	if (!word->key)
		return error_set(err, ENOMEM, "reading options");
	word->field = find_field(word->key);
	word->value = equals ? equals + 1 : NULL;
	word->used = 1;
	if (!equals && word->field && word->field->type != FIELD_FLAG) {
		if (argc < 2)
			return error_mistake(err, "--%s wants a value: %s", word->key, field_metavar(word->field));
		word->value = argv[1];
		word->used = 2;
	}
	return 0;
}

static int read_short(int argc, char *const argv[], struct word *word, struct error *err)
{
	word->field = find_field_by_letter(argv[0][1]);
	if (!word->field)
		return error_mistake(err, "there is no option \"-%c\"", argv[0][1]);
	word->key = word->field->key;
	word->value = argv[0][2] ? argv[0] + 2 : NULL;
	word->used = 1;
	if (word->field->type == FIELD_FLAG)
		return word->value ? error_mistake(err, "-%c takes no value; write -%c alone", argv[0][1], argv[0][1]) : 0;
	if (word->value)
		return 0;
	if (argc < 2)
		return error_mistake(err, "-%c wants a value: %s", argv[0][1], field_metavar(word->field));
	word->value = argv[1];
	word->used = 2;
	return 0;
}

static bool is_option(const char *text)
{
	return text[0] == '-' && text[1] && strcmp(text, "--") != 0;
}

static int read_word(int argc, char *const argv[], struct spec *spec, struct word *word, struct error *err)
{
	*word = (struct word){ 0 };
	return argv[0][1] == '-' ? read_long(argc, argv, spec, word, err) : read_short(argc, argv, word, err);
}

static bool is_key(const struct word *word, const char *key)
{
	return word->field && strcmp(word->field->key, key) == 0;
}

/* The preset of the command line is chosen before the files, whose own it replaces. */
enum pass { PASS_PRESET, PASS_WORDS };

static int act(struct spec *spec, const struct word *word, enum pass pass, struct error *err)
{
	struct origin origin = { .layer = LAYER_COMMAND };

	if ((pass == PASS_PRESET) != is_key(word, "preset"))
		return 0;
	origin.source = arena_format(&spec->arena, "--%s", word->key);
	if (!origin.source)
		return error_set(err, ENOMEM, "reading options");
	return set_key(spec, word->key, word->value, &origin, err);
}

static int read_pass(struct spec *spec, int argc, char *const argv[], enum pass pass, struct error *err)
{
	int at = 0;

	while (at < argc && is_option(argv[at])) {
		struct word word;
		int rc = read_word(argc - at, argv + at, spec, &word, err);

		if (rc == 0)
			rc = act(spec, &word, pass, err);
		if (rc < 0)
			return rc;
		at += word.used;
	}
	return at < argc && strcmp(argv[at], "--") == 0 ? at + 1 : at;
}

int immure_spec_arguments(struct immure_spec *spec, int argc, char *const argv[], struct immure_error *out)
{
	struct error err = { 0 };
	int rc = 0;

	for (enum pass pass = PASS_PRESET; rc >= 0 && pass <= PASS_WORDS; pass++)
		rc = read_pass(&spec->spec, argc, argv, pass, &err);
	spec->is_resolved = false;
	return tell(out, &err, rc, 125);
}

int immure_spec_command(struct immure_spec *spec, char *const argv[], struct immure_error *out)
{
	static const struct origin origin = { .layer = LAYER_COMMAND, .source = "the command line" };
	struct arena *arena = &spec->spec.arena;
	struct error err = { 0 };
	size_t count = 0;
	char **copy;

	if (!argv || !argv[0])
		return spec->spec.command ? 0 : tell(out, &err, error_mistake(&err, "there is no program to run"), 125);
	while (argv[count])
		count++;
	copy = arena_alloc(arena, (count + 1) * sizeof(*copy));
	for (size_t i = 0; copy && i < count; i++) {
		copy[i] = arena_copy(arena, argv[i]);
		if (!copy[i])
			copy = NULL;
	}
	if (!copy)
		return tell(out, &err, error_set(&err, ENOMEM, "remembering the command"), 125);
	if (!*copy[0])
		return tell(out, &err, error_mistake(&err, "the program's name is empty"), 127);
	spec->spec.command = copy;
	spec_set_origin(&spec->spec, offsetof(struct spec, command), &origin);
	return 0;
}

unsigned immure_word_distance(const char *left, const char *right)
{
	return text_distance(left, right);
}
