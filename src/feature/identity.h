/* SPDX-License-Identifier: Apache-2.0 */
/* Who somebody is, asked by a spec: for the program of a jail, and for those who enter it later. */
#ifndef IMMURE_FEATURE_IDENTITY_H
#define IMMURE_FEATURE_IDENTITY_H

#include "feature/feature.h"

/* What --user and --group mean inside. -EINVAL: nobody is called so. */
int find_ids(const struct spec *spec, const struct host *host, uint32_t *uid, uint32_t *gid, struct error *err) MUST_CHECK;
/* What --groups means; -EINVAL: there is no such group. */
int check_group_names(const struct spec *spec, const struct host *host, struct error *err) MUST_CHECK;
/* *COUNT numbers, which were checked, in PLAN's arena. */
const uint32_t *group_numbers(struct plan *plan, const struct spec *spec, const struct host *host, size_t *count);
/* Of a step OP_CHECK_IDENTITY. */
const char *identity_words(struct plan *plan, const struct step *step);

#endif
