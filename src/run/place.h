/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/run only: where in the new tree a step acts. */
#ifndef IMMURE_RUN_PLACE_H
#define IMMURE_RUN_PLACE_H

#include "run/run.h"

/* A directory and a path below it that holds no link of anybody else's; an empty path is the directory itself. */
struct place {
	int directory;
	const char *path;
	unsigned flags;   /* AT_EMPTY_PATH, or AT_SYMLINK_NOFOLLOW */
	bool is_opened;   /* by us, and to be closed */
};

#define NO_PLACE { .directory = -1 }
#define auto_place __attribute__((cleanup(leave_place)))
void leave_place(struct place *place);

/* The place that STEP's subject names, which must exist. */
int find_place(const struct run *run, const struct step *step, struct place *place);
/* The same for what does not exist yet: the directory that will hold it, and its name. */
int find_parent(const struct run *run, const struct step *step, struct place *place);

/* Mounts the detached TREE on what PATH under DIRECTORY names. -ENOTDIR, -EISDIR: the one is a directory and the other is not. */
int attach(int tree, int directory, const char *path);

/* Makes the file of STEP at PLACE, with its content. FLAGS: of open(2), added. */
int fill_file(const struct step *step, const struct place *place, int flags);

/* Gives what PATH under DIRECTORY names to the jail's user, where set-up has an id of its own. */
int give_to_user(const struct run *run, const struct step *step, int directory, const char *path);

#endif
