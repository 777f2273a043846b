/* SPDX-License-Identifier: Apache-2.0 */
/* An executable that nobody can write to any more. */
#ifndef IMMURE_SYS_SEAL_H
#define IMMURE_SYS_SEAL_H

#include "base/own.h"

/*
 * Where the file that this process executes is another's than root's, or can be written by others, executes a sealed copy of it in
 * memory, with ARGV, NULL-terminated, and the same environment. 0: it is root's alone, or such a copy already; -errno: it goes on as
 * it was. memfd_create(2), F_ADD_SEALS in fcntl(2)
 */
int sys_execute_sealed_copy(const char *const *argv) MUST_CHECK;

#endif
