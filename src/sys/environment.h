/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's environment. */
#ifndef IMMURE_SYS_ENVIRONMENT_H
#define IMMURE_SYS_ENVIRONMENT_H

/* The caller's variable NAME; NULL: unset. Valid until the environment changes. */
const char *sys_variable(const char *name);

#endif
