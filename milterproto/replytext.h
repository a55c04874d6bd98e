/* SPDX-License-Identifier: MIT */
/*
 * replytext: the SMTP reply inside REPLYCODE.  spec:reply-text
 *
 * One grammar that every MTA accepts: what we send obeys it, and what a filter
 * sends to our MTA side must obey it.
 */
#ifndef MILTERPROTO_REPLYTEXT_H
#define MILTERPROTO_REPLYTEXT_H

#include "wire.h"

#pragma GCC visibility push(hidden)

/* Appends a REPLYCODE frame made of r (type MLT_REPLY_CODE) whose payload is
 * at most max octets.  0, NOMEM or ARG; nothing is added on failure. */
int mlt_put_code(struct mlt_buf **b, const struct mlt_reply *r, size_t max);
/* Is this, without its final NUL, a reply text that every MTA accepts? */
bool mlt_code_valid(struct mlt_bytes text);

#pragma GCC visibility pop
#endif
