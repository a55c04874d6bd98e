/* SPDX-License-Identifier: MIT */
/*
 * request: the lines that ask a multiplexor (spec:mux-requests), without LF.
 * Pure.
 *
 * Every argument that may be empty has a substitute, for workers split at runs
 * of blanks.  ESMTP parameters that do not fit are left out, for they matter
 * least.  Result: how many were, or -1: no memory, or the line is too long even
 * so.
 */
#ifndef CORE_FRONTEND_REQUEST_H
#define CORE_FRONTEND_REQUEST_H

#include "core/base/buf.h"
#include "core/frontend/client.h"

#include <milterproto.h>

struct request_about {
	const struct client *client;
	const char *queue_id, *dir; /* "" = not known; dir: full path */
	size_t max;                 /* octets */
};

struct request_rcpt {
	struct mlt_bytes sender, first;      /* first recipient offered */
	struct mlt_bytes mailer, host, addr; /* "?" if empty */
};

int request_relayok(struct buf *b, const struct request_about *a);
int request_helook(struct buf *b, const struct request_about *a);
/* args[0] is the address, the others are ESMTP parameters. */
int request_senderok(struct buf *b, const struct request_about *a,
    const struct mlt_bytes *args, size_t n);
int request_recipok(struct buf *b, const struct request_about *a,
    const struct request_rcpt *r, const struct mlt_bytes *args, size_t n);
int request_scan(struct buf *b, const struct request_about *a);

#endif
