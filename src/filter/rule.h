/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/filter only: one rule as text, and whether it holds. */
#ifndef IMMURE_FILTER_RULE_H
#define IMMURE_FILTER_RULE_H

#include "filter/profile.h"

/* Reads "NAME" or "NAME(CONDITION, ...)" into RULE's name, numbers and conditions; the rest of RULE is kept. */
int rule_parse(struct arena *arena, const char *text, const struct origin *origin, struct filter_rule *rule,
	       struct error *err) MUST_CHECK;

/* Fills in the numbers that NAME has; false: no architecture here knows it. */
bool rule_find_call(struct filter_rule *rule, const char *name);

/* Whether every condition holds. */
bool rule_holds(const struct filter_rule *rule, const uint64_t args[FILTER_ARGS]);

/* The compare operator as written. */
const char *compare_text(enum filter_compare compare);

#endif
