/* SPDX-License-Identifier: MIT */
/*
 * fifodir: a directory of our own for FIFOs.  Logs nothing.
 */
#ifndef MULTIPLEXOR_FIFODIR_H
#define MULTIPLEXOR_FIFODIR_H

/* Makes it below place, and removes those of daemons of ours that did not come
 * to do so.  The descriptor, by which it is locked, and a new *path; or
 * -errno.  Others may write in place if it is sticky. */
int fifodir_make(const char *place, char **path);
/* Removes it with all that is in it, closes fd, frees path. */
void fifodir_remove(int fd, char *path); /* -1 and NULL are fine */

#endif
