/* SPDX-License-Identifier: MIT */
/*
 * apply: the changes of a message -> modifications on its milter session, in
 * the order of RESULTS, then our own (spec:scanned-by).
 */
#ifndef CORE_FRONTEND_APPLY_H
#define CORE_FRONTEND_APPLY_H

#include "core/frontend/limits.h"
#include "core/frontend/mail.h"
#include "core/frontend/results.h"

#include <milterproto.h>

/* The message and what we have to do with it ourselves; all borrowed. */
struct apply_to {
	struct mlt_filter *session; /* its end of message is pending */
	const struct mail *mail;
	const char *spool_path; /* for the log */
	const char *ctx;        /* likewise: the queue id */
	const char *scanned_by; /* "" = no such header */
	const char *my_ip;      /* "" = not known */
	const char *validation; /* name of the secret header, or NULL */
	const struct limits *limits;
};

/* Puts the changes of r on the session; when r refuses the message these are
 * quarantines only, and nothing of our own.  0.  -1: a change cannot be made
 * (logged): the message must be tempfailed, which makes void what was put
 * there (choice:refused-change). */
__attribute__((warn_unused_result)) int apply_results(
    const struct apply_to *to, const struct results *r);

#endif
