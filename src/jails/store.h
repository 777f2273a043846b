/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files in a folder of the state's. Each is opened by the descriptor of its folder and never through a link; what is not a
 * plain file of the caller's own that nobody else may write is refused, -EPERM.
 *
 * Writing replaces: a reader sees the old file or the new one. Nothing is flushed to a disk: a machine that loses power loses its
 * jails too, and what is then cut short is a jail that is lost.
 */
#ifndef IMMURE_JAILS_STORE_H
#define IMMURE_JAILS_STORE_H

#include "base/text.h"

/* Of the name that a file has until it is whole, in front of its own; who reads folders takes no notice of such. */
#define STORE_UNFINISHED ".new-"

/* At most one process writes NAME at a time. On failure (-ENOSPC: the disk is full) the old file is as it was. */
int store_write(int folder, const char *name, const void *bytes, size_t size) MUST_CHECK;
/* Appends the whole file to OUT. -EFBIG: it has more than MOST bytes; -ENOENT. */
int store_read(int folder, const char *name, size_t most, struct text *out) MUST_CHECK;

/* A folder in FOLDER; refused like files. */
int store_open_folder(int folder, const char *name) MUST_CHECK;
/* -EEXIST: there is something already. */
int store_make_folder(int folder, const char *name) MUST_CHECK;

#endif
