/* SPDX-License-Identifier: MIT */
/*
 * filter: the inside of struct mlt_filter, for filter.c (what the MTA says),
 * answer.c and modify.c (what we say) and the server, which keeps the session inside its
 * connection object so that an idle client is one block on the heap.
 */
#ifndef MILTERPROTO_FILTER_H
#define MILTERPROTO_FILTER_H

#include "state.h"

#pragma GCC visibility push(hidden)

enum mlt_await {
	AWAIT_NONE,  /* nothing to answer */
	AWAIT_REPLY, /* the MTA waits, and so do we */
	AWAIT_AUTO,  /* the MTA waits, we were told that nobody will answer:
		      * CONTINUE unless there is a verdict before _next */
	AWAIT_KEEP   /* the MTA does not wait; a verdict is kept */
};

enum mlt_repl {
	REPL_NONE,
	REPL_OPEN,
	REPL_CLOSED
}; /* REPLBODY sequence */

struct mlt_filter {
	struct mlt_input in;
	struct mlt_buf *out;
	struct mlt_buf *held; /* frame of a verdict that could not be sent */
	struct mlt_buf *macros;
	struct mlt_bytes *args; /* of MAIL and RCPT */
	const struct mlt_filter_opts *opts;
	uint32_t actions, protocol; /* agreed; offered while NEGOTIATE waits */
	uint32_t want;              /* MLT_PROT_ that the caller asked for */
	uint8_t version;
	uint8_t st;     /* enum mlt_st */
	uint8_t cm;     /* enum mlt_cm of the last event */
	uint8_t await;  /* enum mlt_await */
	uint8_t sticky; /* reply octet for ST_DECIDED, _DISCARD, _DONE */
	uint8_t repl;   /* enum mlt_repl */
	int8_t dead;    /* -(code - MLT_E_DEAD), 0 = alive */
	bool eof : 1;
	bool negotiating : 1; /* NEGOTIATE waits for mlt_filter_negotiate */
	bool eom_due : 1;     /* BODY event came from EOM's payload */
	bool skip_body : 1;
	bool owns_opts : 1;
};

/* opts is borrowed for the life of the session.  Allocates nothing. */
void mlt_filter_init(struct mlt_filter *f, const struct mlt_filter_opts *opts);
void mlt_filter_fini(struct mlt_filter *f);

/* Agrees on options with the offer that is in *f and answers.  0, NOMEM, ARG
 * (macro lists too long), OFFER. */
int mlt_filter_agree(struct mlt_filter *f, const struct mlt_options *o);
/* Answers for the caller: CONTINUE, or the verdict given before.  Nothing if
 * the MTA does not wait.  0 or NOMEM. */
int mlt_filter_continue(struct mlt_filter *f, enum mlt_cm cm);
int mlt_filter_again(struct mlt_filter *f, enum mlt_cm cm);
/* Payload limit in force for what the MTA sends. */
size_t mlt_filter_limit(const struct mlt_filter *f);
size_t mlt_filter_send_limit(const struct mlt_filter *f); /* what we send */

#pragma GCC visibility pop
#endif
