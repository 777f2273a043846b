/* SPDX-License-Identifier: Apache-2.0 */
/* For fuzz targets: plans for a fixed machine, so that nothing depends on the one at hand. */
#ifndef FUZZ_MACHINE_H
#define FUZZ_MACHINE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "immure.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static inline void must(int is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "fuzz: %s\n", what);
	abort();
}

/* A spec for that machine. Its facts are read from the sources' folder. */
static inline struct immure_spec *new_spec(void)
{
	struct immure_spec *spec = immure_spec_new();
	struct immure_error err;

	must(spec && immure_spec_host(spec, FUZZ_HOST, &err) == 0, "the facts of " FUZZ_HOST " are readable");
	return spec;
}

/* Whatever was understood is planned, or refused with words. */
static inline void plan(struct immure_spec *spec)
{
	static char *const command[] = { "/bin/true", NULL };
	struct immure_error err = { 0 };
	char *text = NULL;

	must(immure_spec_command(spec, command, &err) == 0, "a command is taken");
	if (immure_explain(spec, IMMURE_TEXT, &text, &err) == 0)
		must(strstr(text, "\nplan\n") != NULL, "an explanation has a plan");
	else
		must(err.errnum && err.text[0], "a refusal has words");
	free(text);
}

#endif
