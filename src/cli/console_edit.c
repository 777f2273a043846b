/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that somebody types, by libedit. While one is edited the terminal raises no signals: Ctrl-C is a key, which drops the line.
 * Signals from elsewhere are blocked and read beside the terminal, so nothing is done in a handler; what asks the console to end is the
 * end of its input.
 */
#include <errno.h>
#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "cli/cli.h"
#include "cli/console.h"

enum { LISTED_MOST = 200, COLUMNS_DEFAULT = 80 };

struct editor {
	struct console *console;
	EditLine *el;
	History *history;
	int folder;
	int is_dropped;    /* by Ctrl-C */
	char *text;        /* what was typed before, of lines that belong together; each ends with a newline. NULL: nothing */
};

static struct editor *editor_of(EditLine *el)
{
	struct editor *editor = NULL;

	el_get(el, EL_CLIENTDATA, &editor);
	return editor;
}

static char *prompt(EditLine *el)
{
	static char first[] = "immure> ", further[] = "> ";

	return editor_of(el)->text ? further : first;
}

/* The line is drawn anew where it stands. */
static void draw(EditLine *el)
{
	FILE *out = NULL;

	el_get(el, EL_GETFP, 1, &out);
	fputc('\r', out);
	el_set(el, EL_REFRESH);
}

/* 0: the console is asked to end. */
static int hear(struct editor *editor)
{
	const unsigned long long heard = console_hear(editor->console);

	if (heard & 1ULL << SIGCONT) { /* somebody else had the terminal meanwhile */
		el_set(editor->el, EL_PREP_TERM, 0);
		el_set(editor->el, EL_PREP_TERM, 1);
	}
	if (heard & 1ULL << SIGWINCH)
		el_resize(editor->el);
	if (heard & (1ULL << SIGCONT | 1ULL << SIGWINCH))
		draw(editor->el);
	return !editor->console->end_signal;
}

/* A letter from the terminal; 0: its end. What is no letter of the locale is left out. */
static int read_letter(EditLine *el, wchar_t *letter)
{
	struct editor *editor = editor_of(el);
	struct pollfd polled[] = { { .fd = 0, .events = POLLIN }, { .fd = editor->console->signals, .events = POLLIN } };
	mbstate_t state = { 0 };

	for (;;) {
		size_t size;
		char byte;

		if (poll(polled, 2, -1) < 0 && errno != EINTR)
			return -1;
		if (polled[1].revents && !hear(editor))
			return 0;
		if (!polled[0].revents)
			continue;
		if (read(0, &byte, 1) != 1)
			return 0;
		size = mbrtowc(letter, &byte, 1, &state);
		if (size == (size_t)-1)
			memset(&state, 0, sizeof(state));
		else if (size != (size_t)-2)
			return 1;
	}
}

/* The line is ended by the key that ends any, so that the cursor comes to stand below it. */
static unsigned char drop_line(EditLine *el, int key)
{
	const LineInfo *line = el_line(el);

	(void)key;
	editor_of(el)->is_dropped = 1;
	el_cursor(el, (int)(line->lastchar - line->cursor));
	el_insertstr(el, "^C");
	el_push(el, "\n");
	return CC_REFRESH;
}

static size_t common_length(const struct offers *offers)
{
	size_t length = strlen(offers->names[0]);

	for (size_t i = 1; i < offers->count; i++)
		while (strncmp(offers->names[0], offers->names[i], length) != 0)
			length--;
	return length;
}

static void list(EditLine *el, const struct offers *offers)
{
	const size_t shown = offers->count < LISTED_MOST ? offers->count : LISTED_MOST;
	int columns = COLUMNS_DEFAULT, width = 1, across;
	FILE *out = NULL;

	el_get(el, EL_GETFP, 1, &out);
	el_get(el, EL_GETTC, "co", &columns, NULL);
	for (size_t i = 0; i < shown; i++)
		if ((int)strlen(offers->names[i]) + 2 > width)
			width = (int)strlen(offers->names[i]) + 2;
	across = columns > width ? columns / width : 1;
	for (size_t i = 0; i < shown; i++)
		fprintf(out, "%s%-*s", i % (unsigned)across ? "" : "\n", width, offers->names[i]);
	if (shown < offers->count)
		fprintf(out, "\n... and %zu more", offers->count - shown);
	fputc('\n', out);
}

/* Names need no quotes; one that is open is closed behind the only name. */
static unsigned char insert(EditLine *el, const struct offers *offers, char open)
{
	const size_t typed = strlen(offers->prefix), length = common_length(offers);
	char *more = strndup(offers->names[0] + typed, length - typed);
	const char end[] = { open, '\0' };

	if (more && *more)
		el_insertstr(el, more);
	free(more);
	if (offers->count == 1) {
		el_insertstr(el, end);
		el_insertstr(el, " ");
	}
	if (offers->count == 1 || length > typed)
		return CC_REFRESH;
	list(el, offers);
	return CC_REDISPLAY;
}

/* The line up to the cursor, with those before it. */
static char *text_before(EditLine *el)
{
	const LineInfo *line = el_line(el);
	const char *before = editor_of(el)->text ? editor_of(el)->text : "";
	char *text = NULL;

	return asprintf(&text, "%s%.*s", before, (int)(line->cursor - line->buffer), line->buffer) < 0 ? NULL : text;
}

static unsigned char complete(EditLine *el, int key)
{
	char *text = text_before(el);
	struct line line;
	struct offers offers = { 0 };
	unsigned char what = CC_REFRESH_BEEP;

	if (text && line_split(text, &line) == 0) {
		const char open = line.open == '\\' ? '\0' : line.open;

		offers_find(&line, &offers);
		if (offers.count)
			what = insert(el, &offers, open);
		else if (offers.may_be_file)
			what = _el_fn_complete(el, key);
		offers_free(&offers);
		line_free(&line);
	}
	free(text);
	return what;
}

static void remember(void *argument, const char *line)
{
	struct editor *editor = argument;
	HistEvent event;

	history(editor->history, &event, H_ENTER, line);
}

/* A line that begins with a blank is a secret; one that is typed again is there already. */
static void keep(struct editor *editor, const char *text)
{
	HistEvent event;

	if (*text == ' ' || !text[strspn(text, " \t\n")])
		return;
	if (history(editor->history, &event, H_ENTER, text) > 0)
		history_append(editor->folder, text);
}

/* What was typed, with what belongs to it and without the last newline. NULL: nothing more will be. */
static char *type(struct editor *editor)
{
	int size = 0;
	const char *line;
	char *text = NULL;

	el_set(editor->el, EL_PREP_TERM, 1); /* before the prompt: who sees it may type keys that a terminal would act on */
	line = el_gets(editor->el, &size);
	if (!line || size <= 0)
		return NULL;
	if (asprintf(&text, "%s%s", editor->text ? editor->text : "", line) < 0)
		return NULL;
	free(editor->text);
	editor->text = NULL;
	size = (int)strlen(text);
	if (size && text[size - 1] == '\n')
		text[size - 1] = '\0';
	return text;
}

static void take(struct editor *editor, char *text)
{
	const int is_dropped = editor->is_dropped;

	editor->is_dropped = 0;
	if (!is_dropped && console_take(editor->console, text, 0) > 0) {
		if (asprintf(&editor->text, "%s\n", text) < 0)
			editor->text = NULL;
	} else if (!is_dropped) {
		keep(editor, text);
	}
	free(text);
}

static void bind_keys(EditLine *el)
{
	static const char *const maps[] = { NULL, "-a" }; /* the second is that of vi's commands */

	el_set(el, EL_ADDFN, "immure-complete", "Completes the word", complete);
	el_set(el, EL_ADDFN, "immure-drop", "Drops the line", drop_line);
	el_set(el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	el_set(el, EL_BIND, "^I", "immure-complete", NULL);
	el_source(el, NULL); /* ~/.editrc: the user's own keys */
	for (size_t i = 0; i < 2; i++) {
		if (maps[i])
			el_set(el, EL_BIND, maps[i], "^C", "immure-drop", NULL);
		else
			el_set(el, EL_BIND, "^C", "immure-drop", NULL);
	}
	el_set(el, EL_SETTY, "-d", "-isig", NULL);
}

static int start(struct editor *editor)
{
	HistEvent event;

	editor->el = el_init("immure", stdin, stdout, stderr);
	editor->history = history_init();
	if (!editor->el || !editor->history)
		return -ENOMEM;
	history(editor->history, &event, H_SETSIZE, HISTORY_LINES);
	history(editor->history, &event, H_SETUNIQUE, 1);
	history_show(editor->folder, remember, editor);
	el_set(editor->el, EL_CLIENTDATA, editor);
	el_set(editor->el, EL_PROMPT, prompt);
	el_set(editor->el, EL_HIST, history, editor->history);
	el_set(editor->el, EL_EDITOR, "emacs");
	el_set(editor->el, EL_GETCFN, read_letter);
	bind_keys(editor->el);
	return 0;
}

int console_edit(struct console *console)
{
	struct editor editor = { .console = console, .folder = history_folder() };
	char *text;

	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "ANSI_X3.4-1968") == 0) /* no locale was set: terminals speak UTF-8 all the same */
		setlocale(LC_CTYPE, "C.UTF-8");
	if (start(&editor) < 0) {
		fprintf(stderr, "immure: console: no memory\n");
		return -1;
	}
	printf("immure %s; help lists the verbs, exit leaves\n", immure_version());
	sigprocmask(SIG_BLOCK, &console->listened, NULL);
	while (!console->is_over && !console->end_signal && (text = type(&editor)) != NULL)
		take(&editor, text);
	if (!console->is_over)
		putchar('\n');
	free(editor.text);
	history_trim(editor.folder);
	if (editor.folder >= 0)
		close(editor.folder);
	history_end(editor.history);
	el_end(editor.el);
	return 0;
}
