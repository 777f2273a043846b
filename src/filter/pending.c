/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in until the compiled profiles land: permits everything. */
#include "filter/filter.h"

static const struct sock_filter permit[] = { { 0x06, 0, 0, 0x7fff0000 } };
static const struct filter pending = { .name = "default", .program = permit, .count = 1 };

const struct filter *filter_find(const char *name)
{
	(void)name;
	return &pending;
}

uint32_t filter_return(enum filter_action action, uint16_t errnum)
{
	(void)action;
	return 0x50000u | errnum;
}

void filter_retarget(const struct filter *filter, uint32_t denied, struct sock_filter *copy)
{
	(void)denied;
	copy[0] = filter->program[0];
}
