/* SPDX-License-Identifier: MIT */
/*
 * reply: a verdict with text, code and DSN -> what the MTA is told
 * (spec:reply-mapping).  Pure.
 */
#ifndef CORE_FRONTEND_REPLY_H
#define CORE_FRONTEND_REPLY_H

#include "core/base/buf.h"
#include "core/base/muxproto.h"

#include <milterproto.h>

/* A refusal with text.  A code or DSN that does not fit `type` (REJECT or
 * TEMPFAIL) and an empty text get defaults; text is made fit for SMTP in
 * `room`.  *r borrows from room and the arguments; NULL strings are fine.
 * 0, or -1: no memory. */
int reply_refusal(struct mlt_reply *r, enum mlt_reply_type type,
    const char *code, const char *dsn, struct mlt_bytes text, struct buf *room);

/* A check's answer: refusals that have fields as reply_refusal, all others
 * plain. */
int reply_answer(
    struct mlt_reply *r, const struct mux_answer *a, struct buf *room);

/* The plain reply of a verdict. */
enum mlt_reply_type reply_type(enum mux_verdict v);

#endif
