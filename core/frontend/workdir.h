/* SPDX-License-Identifier: MIT */
/*
 * workdir: an open working directory, and those of its files that each message
 * writes: INPUTMSG, HEADERS, COMMANDS (spec:spool-dir).
 */
#ifndef CORE_FRONTEND_WORKDIR_H
#define CORE_FRONTEND_WORKDIR_H

#include <stdbool.h>
#include <sys/types.h>

#define WORKDIR_FILES 3
extern const char *const workdir_names[WORKDIR_FILES]; /* in this order */

struct workdir {
	int fd;                   /* -1: there is none */
	int file[WORKDIR_FILES];  /* to append to; -1: not open */
	bool used[WORKDIR_FILES]; /* by this message */
	bool in_memory;           /* its file system is */
	/* how it looked when it was made; ino 0: nobody looked */
	ino_t ino;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

void workdir_init(struct workdir *w);
/* Looks at a new directory, so that it can be used again.  Without that it
 * never is. */
void workdir_look(struct workdir *w);
/* Which of them has this name; -1: it is none. */
int workdir_index(const char *name);
/* The file's descriptor, if it is open and no filter has replaced the file since
 * this message used it; -1. */
int workdir_use(struct workdir *w, int i);
/* Is there nothing in it but its open files, are they nowhere else (and empty),
 * and have all the owner, group and mode that they were made with? */
bool workdir_is_as_made(const struct workdir *w, bool empty);
/* Empties the files of a directory that is as made.  false: somebody has one
 * open, or it cannot be known; some may be empty now. */
bool workdir_empty_files(struct workdir *w);
/* Closes and removes them; or those only that are empty, whoever made them. */
void workdir_remove_files(struct workdir *w);
void workdir_remove_empty(const struct workdir *w);
/* Closes all.  w is as after workdir_init. */
void workdir_close(struct workdir *w);

#endif
