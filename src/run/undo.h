/* SPDX-License-Identifier: Apache-2.0 */
/* What steps left on the host is undone, last first. */
#ifndef IMMURE_RUN_UNDO_H
#define IMMURE_RUN_UNDO_H

#include "run/run.h"

/* Undoes the launcher's steps up to and including the one at hand. Init is dead by now. */
void undo_steps(struct run *run);

#endif
