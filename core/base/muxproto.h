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
#define MUX_ANSWER_MAX  4096 /* octets of a worker's answer with its LF */

/* The multiplexor's answer when the request's workers died. */
#define MUX_NO_RESPONSE "ERR No response from worker\n"
/* The beginning of that when a worker took too long. */
#define MUX_TIMED_OUT "ERR Filter timed out"

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

/* Building a request: the word, then arguments, each encoded.  An empty one
 * gets the substitute, since workers split at runs of white space; without a
 * substitute it is left out.  0, or -1 (see buf).  Limit the buf to
 * MUX_REQUEST_MAX, and the request is never longer. */
int mux_word(struct buf *b, const char *word);
int mux_arg(struct buf *b, const void *p, size_t n, const char *substitute);

/* The nth word (0 = command) of a line, split as workers do at runs of white
 * space, still encoded; *p is borrowed from line.  false: there is none. */
bool mux_nth(
    const char *line, size_t n, size_t nth, const char **p, size_t *len);

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
	/* decoded in place, borrowed from the line; "" if missing; only text
	 * may hold octets that its user must check, NUL among them */
	const char *text, *code, *dsn;
	size_t text_len;
	long delay_s; /* >= 0 */
};
/* line has n octets and then a NUL, and is modified.  0, or -1: not an answer
 * that we know (an error text, without CR and LF now); *a is as it was. */
int mux_parse_answer(char *line, size_t n, struct mux_answer *a);
/* "3\n" -> 3; -1 for anything else, and for more than nine digits. */
long mux_parse_free(const char *line, size_t n);

#endif
