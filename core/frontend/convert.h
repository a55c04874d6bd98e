/* SPDX-License-Identifier: MIT */
/*
 * convert: what the MTA shows of a message -> the octets of INPUTMSG and
 * HEADERS (spec:spool-inputmsg, spec:spool-headers).  Pure.
 *
 * A failed buf is the only error and sticks there; check it at the end.
 */
#ifndef CORE_FRONTEND_CONVERT_H
#define CORE_FRONTEND_CONVERT_H

#include "core/base/buf.h"

#include <milterproto.h>
#include <stdbool.h>

/* Adds one header field to both.  true: it is suspicious (a CR that no LF
 * follows). */
bool convert_header(struct buf *inputmsg, struct buf *headers,
    struct mlt_bytes name, struct mlt_bytes value);

/* Adds s without its CR and LF. */
void convert_unfolded(struct buf *b, struct mlt_bytes s);

/* The body arrives in pieces; zero this before the first. */
struct convert_body {
	bool strip_cr;   /* drop bare CR (set by the caller) */
	bool suspicious; /* a bare CR or a NUL was seen */
	bool held_cr;    /* the last piece ended in a CR */
};
void convert_body(
    struct convert_body *c, struct buf *inputmsg, const char *p, size_t n);
void convert_body_end(struct convert_body *c, struct buf *inputmsg);

#endif
