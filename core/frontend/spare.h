/* SPDX-License-Identifier: MIT */
/*
 * spare: working directories that wait for the next messages, with nothing in
 * them but emptied files (choice:spare-directories).
 *
 * A directory waits under a name that no message can have.  It is taken only if
 * it is what a new one would be: with the owner, group and mode that it was made
 * with, its files, too, and these empty.  It waits only if nobody else has a
 * file of it open and no file has another name, so that who reads one message
 * never finds another.
 */
#ifndef CORE_FRONTEND_SPARE_H
#define CORE_FRONTEND_SPARE_H

#include "core/frontend/workdir.h"

#include <stdbool.h>

#define SPARE_PREFIX ".spare-"
#define SPARE_MAX    64

struct spares {
	unsigned max; /* how many may wait; 0: none ever does */
	unsigned n;
	unsigned first; /* a ring: who has waited longest is taken first */
	struct workdir v[SPARE_MAX];
};

/* The directory `name` is done with.  true: it waits, and w is ours and as after
 * workdir_init; false: it does not, but its files may have been emptied. */
bool spare_put(
    struct spares *s, int spool_fd, const char *name, struct workdir *w);
/* A directory with empty files that is called name now.  0; -ENOENT: there is
 * none; -EEXIST: the name is taken. */
int spare_take(
    struct spares *s, int spool_fd, const char *name, struct workdir *w);
/* Removes a directory that waited in another process, and its emptied files.
 * false: it is still there, and so is what else is in it. */
bool spare_remove_old(int spool_fd, const char *name);
/* Removes all that wait. */
void spare_remove_all(struct spares *s, int spool_fd);

#endif
