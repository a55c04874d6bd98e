/* SPDX-License-Identifier: MIT */
/*
 * muxpipe: many requests on one connection between our front-end and our
 * multiplexor, answered in any order (spec:mux-pipeline).  Pure.
 */
#ifndef CORE_BASE_MUXPIPE_H
#define CORE_BASE_MUXPIPE_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The question, without its LF.  Whoever does not know this mode takes it for
 * a worker's number that is none, and says so without using a worker. */
#define MUXPIPE_ASK "workerinfo pipeline-1"

/* What is in front of a request on such a connection: 20 digits, a blank. */
#define MUXPIPE_HEAD_MAX 21

struct muxpipe_limits {
	unsigned in_flight; /* requests without an answer, at least 1 */
	unsigned idle_s;    /* without any the multiplexor closes; 0 = never */
};
/* The answer to the question, with its LF.  0, or -1 (see buf). */
int muxpipe_add_greeting(struct buf *b, const struct muxpipe_limits *l);
/* line without LF.  0; -1: it is none.  Words that we do not know are passed
 * over, so that later versions may say more. */
int muxpipe_parse_greeting(
    const char *line, size_t n, struct muxpipe_limits *l);

/* ---- front-end to multiplexor; id is not 0 ---- */
int muxpipe_add_request(struct buf *b, uint64_t id, const char *line, size_t n);
int muxpipe_add_cancel(struct buf *b, uint64_t id);

struct muxpipe_request {
	uint64_t id;
	bool cancel;
	const char *line; /* borrowed; NULL if cancel */
	size_t n;
};
/* One line without its LF.  0; -1: malformed, nothing behind it counts. */
int muxpipe_parse_request(
    const char *line, size_t n, struct muxpipe_request *r);

/* ---- multiplexor to front-end ---- */
/* p NULL: there will be none. */
int muxpipe_add_answer(struct buf *b, uint64_t id, const char *p, size_t n);

struct muxpipe_answer {
	uint64_t id;
	bool none;   /* the multiplexor has no answer to it */
	size_t at;   /* where it begins, */
	size_t n;    /* its length, */
	size_t used; /* and where the next one begins */
};
/* The first answer in n octets.  1; 0: it is not complete; -1: malformed, or
 * longer than max. */
int muxpipe_next_answer(
    const char *p, size_t n, size_t max, struct muxpipe_answer *a);

#endif
