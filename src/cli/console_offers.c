/* SPDX-License-Identifier: Apache-2.0 */
/* What the console offers for the end of a line: from the rows of verbs and options, and jails and pods as they are at the moment. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/console.h"
#include "cli/options.h"

static void offer(struct offers *offers, const char *name)
{
	char **names;

	if (strncmp(name, offers->prefix, strlen(offers->prefix)) != 0)
		return;
	names = realloc(offers->names, (offers->count + 1) * sizeof(*names));
	if (names)
		offers->names = names;
	if (names && (names[offers->count] = strdup(name)) != NULL)
		offers->count++;
}

static void offer_verbs(struct offers *offers)
{
	for (const struct verb *verb = verbs; verb->name; verb++)
		offer(offers, verb->name);
}

static void offer_leaving(struct offers *offers)
{
	offer(offers, "exit");
	offer(offers, "quit");
}

static void offer_texts(struct offers *offers, int (*source)(unsigned index, struct immure_text *text))
{
	struct immure_text text;

	for (unsigned i = 0; source(i, &text) == 0; i++)
		offer(offers, text.name);
}

static void offer_topics(struct offers *offers)
{
	offer_texts(offers, immure_topic_at);
}

static void offer_presets(struct offers *offers)
{
	offer_texts(offers, immure_preset_at);
}

static void offer_profiles(struct offers *offers)
{
	offer_texts(offers, immure_profile_at);
}

static void offer_acts(struct offers *offers)
{
	for (const char *const *act = pod_acts; *act; act++)
		offer(offers, *act);
}

static int see_pod(void *argument, const struct immure_pod_info *info)
{
	offer(argument, info->name);
	return 0;
}

static void offer_pods(struct offers *offers)
{
	immure_pods(see_pod, offers, NULL);
}

static int see_jail(void *argument, const char *name, const char *state)
{
	(void)state;
	offer(argument, name);
	return 0;
}

static void offer_jails(struct offers *offers)
{
	immure_jail_names(see_jail, offers, NULL);
}

typedef void offering(struct offers *offers);

/* The words of a verb, by their place behind options. */
static const struct {
	const char *verb;
	unsigned place;
	offering *offer;
} arguments[] = {
	{ "help", 0, offer_verbs },     { "help", 0, offer_topics },      { "pod", 0, offer_acts }, { "pod", 1, offer_pods },
	{ "presets", 0, offer_presets }, { "profiles", 0, offer_profiles },
};

/* The values of an option. */
static const struct {
	const char *option;
	offering *offer;
} values[] = {
	{ "pod", offer_pods }, { "all-but", offer_jails }, { "preset", offer_presets }, { "seccomp", offer_profiles },
};

/* Where in the words of a verb the end of the line is. */
struct place {
	const struct verb *verb;
	int takes_run_options;
	int is_behind_options; /* "--", or a program's own words */
	unsigned words;        /* before it, that are no options */
	struct immure_option wanting; /* its value comes next; .key NULL: none does */
};

static int option_at(const struct place *place, unsigned index, struct immure_option *option)
{
	for (const struct verb_option *own = place->verb->options; own && own->name; own++)
		if (index-- == 0) {
			*option = (struct immure_option){ .key = own->name, .letter = own->letter, .metavar = own->metavar, .type = "" };
			return 0;
		}
	return place->takes_run_options ? immure_option_at(index, option) : -ENOENT;
}

static int find_option(const struct place *place, const char *name, size_t length, char letter, struct immure_option *option)
{
	for (unsigned i = 0; option_at(place, i, option) == 0; i++)
		if (letter ? option->letter == letter : strlen(option->key) == length && strncmp(option->key, name, length) == 0)
			return 1;
	return 0;
}

/* "--name", "-x", "-xyz": whether the word behind it is its value. */
static void pass_option(struct place *place, const char *word)
{
	struct immure_option option;

	place->wanting.key = NULL;
	if (word[1] == '-') {
		if (!strchr(word, '=') && find_option(place, word + 2, strlen(word + 2), 0, &option) && option.metavar)
			place->wanting = option;
		return;
	}
	for (const char *letter = word + 1; *letter; letter++)
		if (find_option(place, "", 0, *letter, &option) && option.metavar) {
			if (!letter[1])
				place->wanting = option;
			return;
		}
}

static int takes_a_program(const struct place *place)
{
	return strstr(place->verb->synopsis, "PROGRAM") != NULL;
}

static void pass_word(struct place *place, const char *word)
{
	if (place->wanting.key) {
		place->wanting.key = NULL;
	} else if (place->is_behind_options) {
		place->words++;
	} else if (strcmp(word, "--") == 0) {
		place->is_behind_options = 1;
	} else if (word[0] == '-' && word[1]) {
		pass_option(place, word);
	} else {
		place->words++;
		place->is_behind_options = takes_a_program(place);
		place->takes_run_options |= strcmp(place->verb->name, "pod") == 0 && strcmp(word, "create") == 0;
	}
}

static void offer_values(struct offers *offers, const struct immure_option *option)
{
	for (const char *const *choice = option->choices; choice && *choice; choice++)
		offer(offers, *choice);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (strcmp(values[i].option, option->key) == 0)
			values[i].offer(offers);
	offers->may_be_file = takes_file(option);
}

static void offer_options(struct offers *offers, const struct place *place)
{
	const char *value = strchr(offers->prefix, '=');
	struct immure_option option;
	char name[64];

	if (value && strncmp(offers->prefix, "--", 2) == 0) {
		if (find_option(place, offers->prefix + 2, (size_t)(value - offers->prefix) - 2, 0, &option)) {
			offers->prefix = value + 1;
			offer_values(offers, &option);
		}
		return;
	}
	offer(offers, "--help");
	for (unsigned i = 0; option_at(place, i, &option) == 0; i++) {
		snprintf(name, sizeof(name), "--%s", option.key);
		offer(offers, name);
	}
}

static void offer_arguments(struct offers *offers, const struct place *place)
{
	const struct verb *verb = place->verb;

	for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++)
		if (strcmp(arguments[i].verb, verb->name) == 0 && arguments[i].place == place->words)
			arguments[i].offer(offers);
	if (verb->names_jail && (place->words == 0 || verb->names_jail == ANY_JAILS || verb->names_file))
		offer_jails(offers);
	offers->may_be_file = verb->names_file;
}

static int compare(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static void sort(struct offers *offers)
{
	size_t kept = 0;

	if (offers->count)
		qsort(offers->names, offers->count, sizeof(*offers->names), compare);
	for (size_t i = 0; i < offers->count; i++) {
		if (kept && strcmp(offers->names[kept - 1], offers->names[i]) == 0)
			free(offers->names[i]);
		else
			offers->names[kept++] = offers->names[i];
	}
	offers->count = kept;
}

void offers_find(const struct line *line, struct offers *offers)
{
	const size_t before = line->count - (line->ends_inside ? 1 : 0);
	struct place place = { .verb = before ? verb_of_name(line->words[0]) : NULL };

	*offers = (struct offers){ .prefix = line->ends_inside ? line->words[before] : "" };
	if (!before) {
		offer_verbs(offers);
		offer_leaving(offers);
	} else if (place.verb) {
		place.takes_run_options = !place.verb->options && strstr(place.verb->synopsis, "OPTION...");
		for (size_t i = 1; i < before; i++)
			pass_word(&place, line->words[i]);
		if (place.wanting.key)
			offer_values(offers, &place.wanting);
		else if (offers->prefix[0] == '-' && !place.is_behind_options)
			offer_options(offers, &place);
		else
			offer_arguments(offers, &place);
	}
	sort(offers);
}

void offers_free(struct offers *offers)
{
	for (size_t i = 0; i < offers->count; i++)
		free(offers->names[i]);
	free(offers->names);
	*offers = (struct offers){ 0 };
}
