/* SPDX-License-Identifier: Apache-2.0 */
/* Any line of the console is split, or refused at a sign that is refused; and its words, quoted, are split into the same words again. */
#include "machine.h"

#include "cli/line.h"

/* 'it'\''s' */
static char *quote_all(const struct line *line, size_t length)
{
	char *text = malloc(4 * length + 4 * line->count + 1), *at = text;

	must(text != NULL, "there is memory");
	for (size_t i = 0; i < line->count; i++) {
		*at++ = '\'';
		for (const char *letter = line->words[i]; *letter; letter++) {
			if (*letter == '\'')
				at = stpcpy(at, "'\\'");
			*at++ = *letter;
		}
		at = stpcpy(at, "' ");
	}
	*at = '\0';
	return text;
}

static void must_be_the_same(const struct line *line, const char *quoted)
{
	struct line again;

	must(line_split(quoted, &again) == 0 && !again.open, "quoted words are whole");
	must(again.count == line->count, "there are as many");
	for (size_t i = 0; i < line->count; i++)
		must(strcmp(line->words[i], again.words[i]) == 0, "they are the same");
	line_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = strndup((const char *)bytes, size), *quoted;
	struct line line;
	int rc;

	must(text != NULL, "there is memory");
	rc = line_split(text, &line);
	if (rc < 0) {
		must(line.fault < strlen(text) && line_refusal(text[line.fault]) && !line.words, "a refusal names the sign");
	} else {
		quoted = quote_all(&line, strlen(text));
		must_be_the_same(&line, quoted);
		must(!line.words[line.count], "the words are ended");
		free(quoted);
		line_free(&line);
	}
	free(text);
	return 0;
}
