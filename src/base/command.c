/* SPDX-License-Identifier: Apache-2.0 */
/* Splitting a command as a shell would, without what a shell would do with it. */
#include "base/command.h"

#include <errno.h>
#include <string.h>

struct splitter {
	const char *at;
	char *out;           /* what was read is never shorter than what is written */
	struct error *err;
};

static int refuse_character(const struct splitter *splitter)
{
	if (*splitter->at == '\n')
		return error_mistake(splitter->err, "the command has a second line; there is no shell to read it: write sh -c '...'");
	return error_mistake(splitter->err, "\"%c\" means something to a shell only, and there is none: write sh -c '...', or quote it", *splitter->at);
}

static int refuse_end(const struct splitter *splitter, char quote)
{
	return error_mistake(splitter->err, "the command ends behind an open %c", quote);
}

static int take_single(struct splitter *splitter)
{
	const size_t length = strcspn(splitter->at + 1, "'");

	if (!splitter->at[1 + length])
		return refuse_end(splitter, '\'');
	memcpy(splitter->out, splitter->at + 1, length);
	splitter->out += length;
	splitter->at += length + 2;
	return 0;
}

static int take_double(struct splitter *splitter)
{
	for (splitter->at++; *splitter->at && *splitter->at != '"'; splitter->at++) {
		if (strchr("$`", *splitter->at))
			return refuse_character(splitter);
		if (*splitter->at == '\\' && strchr("\"\\$`", splitter->at[1]) && splitter->at[1])
			splitter->at++;
		*splitter->out++ = *splitter->at;
	}
	if (!*splitter->at)
		return refuse_end(splitter, '"');
	splitter->at++;
	return 0;
}

static int take_plain(struct splitter *splitter)
{
	if (strchr("|&;<>()$`\n", *splitter->at))
		return refuse_character(splitter);
	if (*splitter->at == '\\' && !*++splitter->at)
		return refuse_end(splitter, '\\');
	*splitter->out++ = *splitter->at++;
	return 0;
}

static bool is_blank(char letter)
{
	return letter == ' ' || letter == '\t';
}

static int take_word(struct splitter *splitter)
{
	int rc = 0;

	while (rc == 0 && *splitter->at && !is_blank(*splitter->at))
		rc = *splitter->at == '\'' ? take_single(splitter) : *splitter->at == '"' ? take_double(splitter) : take_plain(splitter);
	*splitter->out++ = '\0';
	return rc;
}

int command_split(struct arena *arena, const char *text, char ***argv, struct error *err)
{
	const size_t length = strlen(text);
	char **words = arena_alloc(arena, (length / 2 + 2) * sizeof(*words));
	struct splitter splitter = { .at = text, .out = arena_alloc(arena, length + 2), .err = err };
	size_t count = 0;
	int rc = 0;

	if (!words || !splitter.out)
		return error_set(err, ENOMEM, "reading a command");
	while (rc == 0) {
		while (is_blank(*splitter.at))
			splitter.at++;
		if (!*splitter.at)
			break;
		words[count++] = splitter.out;
		rc = take_word(&splitter);
	}
	words[count] = NULL;
	if (rc == 0 && (!count || !*words[0]))
		rc = error_mistake(err, "the command names no program");
	if (rc == 0)
		*argv = words;
	return rc;
}
