/* SPDX-License-Identifier: MIT */
/*
 * spool: one working directory below the spool directory for each message
 * (spec:spool-dir).
 *
 * Directories are opened once; all that is in them is reached by *at() calls
 * that follow no symbolic link (choice:no-follow).  The files that each message
 * writes stay open until it is done, if half of the descriptors are free.
 * Nobody above can do anything about a failure but give the message up, so
 * each failure is logged here, with `ctx` (the queue id), and is -1.
 */
#ifndef CORE_FRONTEND_SPOOL_H
#define CORE_FRONTEND_SPOOL_H

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/frontend/spare.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool {
	int fd;
	const char *path;           /* as configured; in requests and logs */
	bool group;                 /* 0750 and 0640 instead of 0700 and 0600 */
	bool keep_all, keep_failed; /* -d, -k */
	int keep_below;             /* files stay open up to this descriptor */
	unsigned killers_left;      /* directories of SPOOL_KILLER that are
				     * still kept without an option, so that
				     * the MTA's retries cannot fill the disk */
	/* what statvfs said, for a second */
	msec room_until;
	uint64_t free_bytes, free_files;
	struct spares spares; /* set its max after spool_open */
};

/* How a message ended, for who may want to look at it. */
enum spool_fate {
	SPOOL_DONE,
	SPOOL_FAILED, /* its filter failed: -k keeps it */
	SPOOL_KILLER, /* its workers died: kept; choice:retry-once */
};

#define SPOOL_PREFIX       "mdefang-"
#define SPOOL_KEPT         "KEPT" /* in a directory that is kept on purpose */
#define SPOOL_QUEUE_ID_MAX 64
#define SPOOL_NAME_MAX     (sizeof(SPOOL_PREFIX) - 1 + SPOOL_QUEUE_ID_MAX)

struct spool_dir {
	struct workdir w;
	bool unsure; /* a worker may still be at work in it when the message is
		      * done: no other message gets it */
	char name[SPOOL_NAME_MAX + 1];
};

/* path: absolute, borrowed.  0, or -1 with one line in err. */
int spool_open(struct spool *s, const char *path, char *err, size_t errlen);
void spool_close(struct spool *s);

/* Are there `reserve` octets and a few files left beside a message of `size`
 * octets?  If not, logged.  The file system is asked once a second. */
bool spool_has_room(struct spool *s, uint64_t reserve, uint64_t size, msec now,
    const char *ctx);

void spool_dir_init(struct spool_dir *d);
/* Decides on a name, touches no disk: of the queue id, or of `ident` if the id
 * is empty or unfit for a file name. */
void spool_dir_name(
    struct spool_dir *d, const char *queue_id, const char *ident);
/* Takes another name, made of ident, when there is one of that name already
 * (choice:name-taken).  0 or -1. */
__attribute__((warn_unused_result)) int spool_dir_create(
    struct spool *s, struct spool_dir *d, const char *ident, const char *ctx);

/* Appends to a file of the directory, which is created.  0 or -1. */
__attribute__((warn_unused_result)) int spool_append(const struct spool *s,
    struct spool_dir *d, const char *file, const void *p, size_t n,
    const char *ctx);

/* Is the file DO-NOT-DELETE-WORK-DIRS there? */
bool spool_is_marked(const struct spool *s);

/* Done with the directory: empties and removes it (or lets it wait for the next
 * message), unless an option or the file DO-NOT-DELETE-WORK-DIRS keeps it, or its
 * fate.  A kept one gets the file SPOOL_KEPT, so that no later start takes it for
 * a leftover.  d is as after spool_dir_init; legal when there is no directory. */
void spool_discard(struct spool *s, struct spool_dir *d, enum spool_fate fate,
    const char *ctx);

#endif
