/* SPDX-License-Identifier: MIT */
/*
 * load_plan: all octets that one connection of `load` says, made once.
 *
 * A session of struct mlt_play says what the MTA would say to a filter that has
 * negotiated so and lets everything pass; what it says is cut into steps, each
 * up to the next answer.  The load then only writes and waits.  Pure.
 */
#ifndef CLI_CHECK_LOAD_PLAN_H
#define CLI_CHECK_LOAD_PLAN_H

#include "cli/check/client.h"
#include "core/base/buf.h"

/* What leaves in one go; then, if `answered`, one answer must come. */
struct load_step {
	size_t out, out_n; /* octets of the plan */
	size_t id, n_ids;  /* places of the queue id in them */
	uint8_t stage;     /* the last command in it, 'O' 'C' 'H' ... */
	bool answered;
};

/* Steps [from, to).  After a verdict before the end of the message comes
 * ABORT, unless NEXT begins with it; after one for the client, BYE. */
enum load_part {
	LOAD_GREETING, /* negotiation, CONNECT, HELO */
	LOAD_FIRST,    /* the first message */
	LOAD_NEXT,     /* one behind another on the same connection */
	LOAD_QUIT,
	LOAD_ABORT,
	LOAD_BYE,
	LOAD_PARTS
};

struct load_plan {
	struct buf octets;
	struct load_step *steps;
	size_t n_steps, cap_steps;
	size_t from[LOAD_PARTS], to[LOAD_PARTS];
	size_t *ids; /* places of queue ids in the octets */
	size_t n_ids, cap_ids;
	bool one_message; /* this MTA makes a connection for each */
	bool next_aborts;
	struct mlt_bytes optneg;    /* the filter's answer, to be given again */
	uint32_t actions, protocol; /* agreed */
};

/* optneg is what the filter answered to this client's negotiation, a whole
 * frame, borrowed for the life of the plan.  apart: each packet leaves by
 * itself.  The client has two messages.  0, or -1 with one line in err. */
int load_plan_make(struct load_plan *plan, const struct client *c,
    struct mlt_bytes optneg, bool apart, char *err, size_t errlen);
void load_plan_fini(struct load_plan *plan);

#endif
