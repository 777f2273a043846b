/* SPDX-License-Identifier: Apache-2.0 */
/* Text in columns, and "did you mean". */
#include "cli/words.h"

#include <string.h>

#include "immure.h"

void print_wrapped(FILE *out, const char *text, int column, int indent)
{
	const char *gap = "";

	while (*text) {
		const int size = (int)strcspn(text, " ");

		if (*gap && column + 1 + size > PAGE_WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
			gap = "";
		}
		fprintf(out, "%s%.*s", gap, size, text);
		column += size + (int)strlen(gap);
		text += size;
		text += strspn(text, " ");
		gap = " ";
	}
	fputc('\n', out);
}

struct nearest nearest_to(const char *word)
{
	return (struct nearest){ .word = word, .distance = (unsigned)strlen(word) / 3 + 2 };
}

void nearest_offer(struct nearest *nearest, const char *name)
{
	const unsigned distance = immure_word_distance(nearest->word, name);

	if (distance >= nearest->distance)
		return;
	nearest->distance = distance;
	nearest->name = name;
}

int complain_unknown(const char *what, const struct nearest *nearest, const char *where_listed)
{
	fprintf(stderr, "immure: there is no %s \"%s\"", what, nearest->word);
	if (nearest->name)
		fprintf(stderr, "; did you mean \"%s\"?\n", nearest->name);
	else
		fprintf(stderr, "; %s lists them\n", where_listed);
	return 125;
}
