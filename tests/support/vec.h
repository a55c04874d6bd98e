/* SPDX-License-Identifier: MIT */
/*
 * vec: reads golden conversations (tests/vectors/, format in its README.md) and
 * runs each against a session of milterproto, in many ways of cutting the
 * octets, all of which must give the same events and octets.
 *
 * Allocates nothing itself, so that failmalloc counts the session's
 * allocations only.
 */
#ifndef TESTS_SUPPORT_VEC_H
#define TESTS_SUPPORT_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <milterproto.h>

enum vec_how {
	VEC_WHOLE, /* each `>` line in one piece, before a guard page */
	VEC_BYTES, /* octet by octet */
	VEC_SPLIT, /* cut in two at every point */
	VEC_AHEAD, /* all that the peer will ever say at once */
	VEC_HOW_N
};

/* Runs all cases of a file in this way; prints what differs.  Number of cases,
 * or -1 if one failed or the file is malformed. */
int vec_run(const char *path, enum vec_how how);
/* As vec_run with VEC_WHOLE, but each allocation of each case fails once, and
 * the call that said NOMEM is repeated: nothing may differ.  Then it and all
 * later ones fail: the session must end cleanly. */
int vec_run_failing_malloc(const char *path);

/* ---- for vec*.c ------------------------------------------------------------- */

enum {
	VEC_QUEUE = 400000,
	VEC_LINE = 2048
};

struct vec {
	const char *path, *label; /* of the case, for messages */
	int line;
	bool is_mta, failed, gave_up; /* gave_up: NOMEM for good */
	bool retry;
	struct mlt_filter *f;
	struct mlt_mta *m;
	struct mlt_event ev;
	struct mlt_action act;
	int pending; /* result of the last next: 1, dead code, or 0 */
};
/* Feeds until an event or error is pending; false: there is none. */
bool vec_pull(struct vec *v);
void vec_fail(struct vec *v, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* One line of a file, behind its first character. */
void vec_session(struct vec *v, const char *args); /* @ session ... */
void vec_do(struct vec *v, const char *args);      /* ! ... */
/* The text of v->ev, v->act or of the error v->pending. */
const char *vec_text(const struct vec *v);
/* Octets written in hex, blanks allowed, "(78)*65535" repeats.  Octets, or -1.
 */
long vec_hex(unsigned char *to, size_t room, const char *hex);

#endif
