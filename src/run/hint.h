/* SPDX-License-Identifier: Apache-2.0 */
/* Remedies: one row for each lesson, keyed by op and errno. Each identifier has a paragraph in the manual. */
#ifndef IMMURE_RUN_HINT_H
#define IMMURE_RUN_HINT_H

#include "plan/plan.h"

struct hint {
	enum op op;
	int errnum;          /* 0: any */
	const char *subject; /* the step's subject must be this; NULL: any */
	const char *id, *text;
};

/* The most fitting row; NULL: nothing is known to help. */
const struct hint *hint_find(const struct step *step, int errnum);

#endif
