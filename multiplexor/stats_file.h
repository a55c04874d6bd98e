/* SPDX-License-Identifier: MIT */
/*
 * stats_file: lines appended to a file, or into a FIFO, without delaying
 * anybody: what cannot be written now waits in memory, up to a limit; beyond
 * it lines are dropped and counted.  Nothing logs.
 */
#ifndef MULTIPLEXOR_STATS_FILE_H
#define MULTIPLEXOR_STATS_FILE_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define STATS_FILE_FULL 4096  /* octets that are worth a write */
#define STATS_FILE_MAX  65536 /* octets that may wait */

struct stats_file {
	const char *path; /* borrowed */
	int fd;           /* -1: not open */
	struct buf waiting;
};

void stats_file_init(struct stats_file *f, const char *path);
/* Opens it, or opens it again (the file was moved away).  0 or -errno: then it
 * is closed, and lines are lost until the next time. */
int stats_file_open(struct stats_file *f);
/* false: there was no room for it. */
bool stats_file_add(struct stats_file *f, const char *line, size_t n);
/* Writes what waits.  0 (perhaps not all: a FIFO is full), or -errno; what is
 * not written waits on. */
int stats_file_write(struct stats_file *f);
void stats_file_close(struct stats_file *f); /* writes, closes, frees */

#endif
