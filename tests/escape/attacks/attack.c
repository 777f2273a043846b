/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "attack.h"

static const struct attack *const families[] = { process_attacks, kernel_attacks, file_attacks, mount_attacks, channel_attacks };

static const struct attack *find(const char *name)
{
	for (unsigned i = 0; i < sizeof(families) / sizeof(*families); i++)
		for (const struct attack *row = families[i]; row->name; row++)
			if (strcmp(row->name, name) == 0)
				return row;
	return NULL;
}

int main(int argc, char **argv)
{
	const struct attack *attack = argc > 1 ? find(argv[1]) : NULL;
	int rc;

	if (!attack || argc - 2 < attack->wants) {
		fprintf(stderr, "attack: no such attack, or it wants more arguments\n");
		return 2;
	}
	rc = attack->body(argv + 2);
	printf(rc < 0 ? "REFUSED %s\n" : "THROUGH\n", strerrorname_np(-rc));
	return rc < 0;
}
