/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of root the jail has, and what immure may put into it by itself. */
#ifndef IMMURE_FEATURE_ROOT_H
#define IMMURE_FEATURE_ROOT_H

#include "feature/feature.h"

/* The host's system directories and a small /etc: no --root was given. */
bool root_is_host_view(const struct spec *spec);
bool root_is_empty(const struct spec *spec);
/* --root DIR. */
bool root_is_directory(const struct spec *spec);

/* That DIR is there. It is asked before anything is looked for in it: a misspelt root has no users. */
int root_check(const struct spec *spec, const struct host *host, struct error *err);

/* Whether a default of immure's may stand on PATH: the root is immure's own or an overlay, or DIR has such a folder.
 * Otherwise it is left out, and the plan notes that and what it MEANS. */
bool root_has_place(struct plan *plan, const struct spec *spec, const struct host *host, const char *path, const char *means);

/* Options of a tmpfs that holds the Nth part of --tmp-size and --tmp-inodes. */
const char *root_tmpfs_options(struct plan *plan, const struct spec *spec, unsigned part, unsigned mode);

void root_plan(struct plan *plan, const struct spec *spec, const struct host *host);

#endif
