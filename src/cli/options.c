/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a verb's own options by their table. */
#include "cli/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/words.h"

static int complain_usage(const struct verb *verb)
{
	fprintf(stderr, "immure: usage: immure %s\n", verb->synopsis);
	return 125;
}

static int complain_option(const struct verb *verb, const char *given)
{
	const char *name = given + strspn(given, "-");
	struct nearest nearest = nearest_to(name);

	for (const struct verb_option *option = verb->options; option && option->name; option++)
		nearest_offer(&nearest, option->name);
	fprintf(stderr, "immure: %s has no option \"%.*s\"", verb->name, (int)strcspn(given, "="), given);
	if (nearest.name)
		fprintf(stderr, "; did you mean \"--%s\"?\n", nearest.name);
	else
		fprintf(stderr, "; see immure help %s\n", verb->name);
	return 125;
}

static int choose(struct words *words, const struct verb *verb, const struct verb_option *option, const char *value)
{
	const unsigned row = (unsigned)(option - verb->options);

	if (words->value_count == VALUES_MOST) {
		fprintf(stderr, "immure: too many options; %d at most\n", VALUES_MOST);
		return 125;
	}
	words->chosen[row].value = value;
	words->chosen[row].count++;
	words->values[words->value_count] = value;
	words->value_of[words->value_count++] = row;
	return 0;
}

static int complain_value(const struct verb_option *option, int wants)
{
	fprintf(stderr, wants ? "immure: --%s wants a value: %s\n" : "immure: --%s takes no value\n", option->name, option->metavar);
	return 125;
}

/* NEXT: the word behind it, or NULL; *USED words were taken. */
static int read_long(const struct verb *verb, const char *word, const char *next, struct words *words, int *used)
{
	const size_t length = strcspn(word + 2, "=");
	const char *value = word[2 + length] ? word + 2 + length + 1 : NULL;
	const struct verb_option *option = verb->options;

	while (option && option->name && !(strlen(option->name) == length && strncmp(option->name, word + 2, length) == 0))
		option++;
	if (!option || !option->name)
		return complain_option(verb, word);
	if (!option->metavar)
		return value ? complain_value(option, 0) : choose(words, verb, option, "");
	if (!value) {
		if (!next)
			return complain_value(option, 1);
		*used = 2;
		value = next;
	}
	return choose(words, verb, option, value);
}

/* "-it", "-e X", "-eX" */
static int read_short(const struct verb *verb, const char *word, const char *next, struct words *words, int *used)
{
	for (const char *letter = word + 1; *letter; letter++) {
		const struct verb_option *option = verb->options;
		int rc;

		while (option && option->name && option->letter != *letter)
			option++;
		if (!option || !option->name)
			return complain_option(verb, word);
		if (!option->metavar) {
			rc = choose(words, verb, option, "");
			if (rc)
				return rc;
			continue;
		}
		if (!letter[1] && !next)
			return complain_value(option, 1);
		*used = letter[1] ? 1 : 2;
		return choose(words, verb, option, letter[1] ? letter + 1 : next);
	}
	return 0;
}

int take_words(const struct verb *verb, int argc, char *argv[], const struct bounds *bounds, struct words *words)
{
	int kept = 0;

	memset(words, 0, sizeof(*words));
	words->argv = argv;
	for (int at = 0; at < argc;) {
		char *word = argv[at];
		const char *next = at + 1 < argc ? argv[at + 1] : NULL;
		int used = 1, rc = 0;

		if (strcmp(word, "--") == 0 || (!bounds->may_follow && kept) || (word[0] == '-' && !word[1] && !bounds->may_follow)) {
			at += strcmp(word, "--") == 0 && (bounds->may_follow || !kept);
			while (at < argc)
				argv[kept++] = argv[at++];
			break;
		}
		if (word[0] != '-' || !word[1])
			argv[kept++] = word;
		else
			rc = word[1] == '-' ? read_long(verb, word, next, words, &used) : read_short(verb, word, next, words, &used);
		if (rc)
			return rc;
		at += used;
	}
	words->argc = kept;
	if (kept < bounds->least || (bounds->most >= 0 && kept > bounds->most))
		return complain_usage(verb);
	return 0;
}

long long read_number(const char *text, const char *option)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && errno == 0)
		return number;
	fprintf(stderr, "immure: %s: \"%s\" is no number\n", option, text);
	return -1;
}

long long read_milliseconds(const char *text, const char *option)
{
	static const struct {
		const char *unit;
		double factor;
	} units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
	char *end;
	const double number = strtod(text, &end);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (end != text && *text >= '0' && *text <= '9' && strcmp(end, units[i].unit) == 0 && number < 1e12)
			return (long long)(number * units[i].factor);
	fprintf(stderr, "immure: %s: \"%s\" is no time such as 500ms, 10s, 2m\n", option, text);
	return -1;
}
