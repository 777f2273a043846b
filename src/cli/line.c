/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotes, backslashes and comments are those of sh(1), chapter 2.2 of POSIX. What a shell would expand, redirect or connect is refused
 * instead of being passed on as it stands: who writes it means something else.
 */
#include "cli/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	char sign;
	const char *refusal;
} signs[] = {
	{ '|', "there are no pipes" },         { '&', "nothing runs in the background; run -d starts what stays" },
	{ ';', "each line is one verb" },      { '<', "nothing is redirected" },
	{ '>', "nothing is redirected" },      { '(', "nothing is grouped" },
	{ ')', "nothing is grouped" },         { '$', "nothing is expanded" },
	{ '`', "nothing is expanded" },
};

const char *line_refusal(char sign)
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (signs[i].sign == sign)
			return signs[i].refusal;
	return NULL;
}

static int is_blank(char letter)
{
	return letter == ' ' || letter == '\t' || letter == '\n';
}

static const char *take_single(const char *at, char **out, char *open)
{
	const size_t length = strcspn(at, "'");

	memcpy(*out, at, length);
	*out += length;
	*open = at[length] ? 0 : '\'';
	return at + length + (at[length] != '\0');
}

static const char *take_double(const char *at, char **out, char *open)
{
	for (; *at && !strchr("\"$`", *at); at++) {
		if (*at == '\\' && at[1] && strchr("$`\"\\\n", at[1]) && *++at == '\n')
			continue;
		*(*out)++ = *at;
	}
	*open = *at ? 0 : '"';
	return at + (*at == '"'); /* what a shell would expand is left, to be refused */
}

static const char *take_backslash(const char *at, char **out, char *open)
{
	*open = *at ? 0 : '\\';
	if (*at && *at != '\n')
		*(*out)++ = *at;
	return at + (*at != '\0');
}

/* Up to what ends the word, or to a sign that is refused. */
static const char *take_word(const char *at, char **out, char *open)
{
	while (*at && !is_blank(*at) && !line_refusal(*at)) {
		const char first = *at++;

		if (first == '\'')
			at = take_single(at, out, open);
		else if (first == '"')
			at = take_double(at, out, open);
		else if (first == '\\')
			at = take_backslash(at, out, open);
		else
			*(*out)++ = first;
	}
	return at;
}

/* Blanks, comments, and ends of lines that a backslash takes away. */
static const char *skip(const char *at)
{
	for (;;) {
		if (is_blank(*at))
			at++;
		else if (at[0] == '\\' && at[1] == '\n')
			at += 2;
		else if (*at == '#')
			at += strcspn(at, "\n");
		else
			return at;
	}
}

int line_split(const char *text, struct line *line)
{
	const size_t length = strlen(text), most = length / 2 + 2; /* between two words there is a blank at least */
	char **words = calloc(1, most * sizeof(*words) + length + 1), *out = (char *)(words + most);
	const char *at;

	*line = (struct line){ .words = words };
	if (!words)
		return -ENOMEM;
	for (at = skip(text); *at && !line_refusal(*at); at = skip(at)) {
		words[line->count++] = out;
		at = take_word(at, &out, &line->open);
		*out++ = '\0';
		line->ends_inside = !*at;
	}
	if (!*at)
		return 0;
	line_free(line);
	line->fault = (size_t)(at - text);
	return -EINVAL;
}

void line_free(struct line *line)
{
	free(line->words);
	*line = (struct line){ 0 };
}
