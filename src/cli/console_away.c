/* SPDX-License-Identifier: Apache-2.0 */
/* The full executable edits no lines: it would load the editor's libraries for each verb. The one beside it does. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/console.h"

int console_edit(struct console *console)
{
	char *argv[] = { "immure", "console", NULL };

	(void)console;
	run_beside("immure-console", argv);
	fprintf(stderr, "immure: console: without it, or in a build without libedit, lines cannot be typed; immure console FILE reads them\n");
	return -1;
}
