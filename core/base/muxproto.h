/* SPDX-License-Identifier: MIT */
/*
 * muxproto: the one-line requests and answers between front-end, multiplexor
 * and worker (docs/muxproto.md).  Pure.
 */
#ifndef CORE_BASE_MUXPROTO_H
#define CORE_BASE_MUXPROTO_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUX_REQUEST_MAX 4094 /* octets before the LF; spec:mux-limits */
#define MUX_ANSWER_MAX	4096 /* octets of a worker's answer with its LF */

/* Class of a request: what the pool schedules and counts by. */
enum mux_class {
	MUX_SCAN,
	MUX_RELAYOK,
	MUX_SENDEROK,
	MUX_RECIPOK,
	MUX_OTHER, /* helook, map, tick, custom */
	MUX_CLASS_N
};
enum mux_class mux_classify(const char *line, size_t n);
const char *mux_class_name(enum mux_class c); /* "scan"; "other" */

/* Building a request: the word, then arguments, each encoded; an empty one
 * gets the substitute.  0, or -1 (see buf). */
int mux_word(struct buf *b, const char *word);
int mux_arg(struct buf *b, const void *p, size_t n, const char *substitute);

/* The n-th word (0 = command) of a line, still encoded.  false: none. */
bool mux_nth(const char *line, size_t n, size_t nth, const char **p,
    size_t *len);

/* A check's answer, as the front-end recognises it (spec:mux-answers). */
enum mux_verdict {
	MUX_REJECT = 0,
	MUX_CONTINUE = 1,
	MUX_ACCEPT = 2,
	MUX_DISCARD = 3,
	MUX_TEMPFAIL = -1,
};
struct mux_answer {
	enum mux_verdict verdict;
	bool has_fields; /* text, code, dsn and delay were given */
	/* decoded in place, borrowed from the line; "" if missing */
	const char *text, *code, *dsn;
	size_t text_len;
	long delay_s;
};
/* line is modified.  0, or -1: not an answer that we know (an error text). */
int mux_parse_answer(char *line, size_t n, struct mux_answer *a);
/* "3\n" -> 3; -1 for anything else. */
long mux_parse_free(const char *line, size_t n);

#endif
