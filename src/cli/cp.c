/* SPDX-License-Identifier: Apache-2.0 */
/* immure cp: files and folders out of a jail that stays, and into it. */
#include <stdio.h>
#include <string.h>

#include "cli/options.h"

/* "web:/path": the path, and the name before it. NULL: it is a path of the host's. */
static const char *split(const char *word, char *name, size_t room)
{
	const size_t length = strcspn(word, ":/");

	if (word[length] != ':' || !length || length >= room)
		return NULL;
	memcpy(name, word, length);
	name[length] = '\0';
	return word + length + 1;
}

int cli_cp(int argc, char *argv[])
{
	struct words words;
	char name[128];
	const char *from, *to;
	struct immure_jail *jail = NULL;
	struct immure_error err;
	int rc = take_words(verb_of_name("cp"), argc, argv, &(struct bounds){ 2, 2, 1 }, &words);

	if (rc)
		return rc;
	for (int i = 0; i < 2; i++)
		for (size_t end = strlen(words.argv[i]); end > 1 && words.argv[i][end - 1] == '/' && words.argv[i][end - 2] != ':'; end--)
			words.argv[i][end - 1] = '\0';
	from = split(words.argv[0], name, sizeof(name));
	to = split(words.argv[1], name, sizeof(name));
	if (!from == !to) {
		fprintf(stderr, "immure: cp: one of the two is JAIL:PATH, and one a path of the host's (./a:b for one with a colon)\n");
		return 125;
	}
	if (immure_jail_open(name, &jail, &err) < 0 ||
	    immure_jail_copy(jail, to != NULL, to ? to : from, to ? words.argv[0] : words.argv[1], &err) < 0)
		rc = complain(&err);
	immure_jail_close(jail);
	return rc;
}
