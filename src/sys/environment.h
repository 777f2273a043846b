/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's environment. */
#ifndef IMMURE_SYS_ENVIRONMENT_H
#define IMMURE_SYS_ENVIRONMENT_H

/* The caller's variable NAME; NULL: unset. Valid until the environment changes. */
const char *sys_variable(const char *name);

/* All of them, NAME=VALUE each; NULL-terminated. */
const char *const *sys_variables(void);

/*
 * Overwrites the words and variables that the process was started with, which /proc/PID/cmdline shows to everybody
 * (the process is not asked whether it may be traced). For a child that needs them no more. proc(5)
 */
void sys_forget_arguments(void);

#endif
