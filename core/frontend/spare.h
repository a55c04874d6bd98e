/* SPDX-License-Identifier: MIT */
/*
 * spare: empty working directories that wait for the next messages
 * (choice:spare-directories).
 *
 * A directory waits under a name that no message can have.  It is taken only if
 * it is what a new one would be: empty, with the owner, group and mode that it
 * was made with.
 */
#ifndef CORE_FRONTEND_SPARE_H
#define CORE_FRONTEND_SPARE_H

#include <stdbool.h>
#include <sys/types.h>

#define SPARE_PREFIX ".spare-"
#define SPARE_MAX    64

/* How a directory looked when it was made; zeroed: nobody looked. */
struct spare_look {
	ino_t ino;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

struct spares {
	unsigned max; /* how many may wait; 0: none ever does */
	unsigned n;
	unsigned first; /* a ring: who has waited longest is taken first */
	struct spare {
		int fd;
		struct spare_look look;
	} v[SPARE_MAX];
};

/* Looks at a new directory, if it could become a spare one. */
void spare_look_at(const struct spares *s, int fd, struct spare_look *look);
/* The directory `name`, opened as fd, is done with.  true: it waits, and fd is
 * ours; false: it does not, and nothing was changed. */
bool spare_put(struct spares *s, int spool_fd, const char *name, int fd,
    const struct spare_look *look);
/* An empty directory that is called name now: its descriptor; -ENOENT: there is
 * none; -EEXIST: the name is taken. */
int spare_take(
    struct spares *s, int spool_fd, const char *name, struct spare_look *look);
/* Removes all that wait. */
void spare_remove_all(struct spares *s, int spool_fd);

#endif
