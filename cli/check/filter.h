/* SPDX-License-Identifier: MIT */
/*
 * filter: what the cases of `milter-check filter` share: the filter under test
 * and what is known of it.
 *
 * filter.c has the command line, talk.c converses step by step, filter_judged.c
 * passes messages as MTAs do, and the filter_*.c beside them are the cases.
 */
#ifndef CLI_CHECK_FILTER_H
#define CLI_CHECK_FILTER_H

#include "cli/check/check.h"
#include "cli/check/link.h"

#include <milterproto.h>

struct filter_opts {
	struct check_opts check;
	const char *from, *to, *helo, *host, *ip, *body;
	struct opt_list headers;
	long grace_ms, reply_ms;
};

struct filter_judged; /* the sessions of one profile, filter_judged.h */

struct filter {
	struct filter_opts o;
	const char *socket;
	unsigned links;      /* opened by the case that runs */
	uint64_t slowest_us; /* answer that was seen */
	bool gone;           /* nobody listens, and nobody came back */
	bool passing;        /* a session that only shows that it is alive */
	struct filter_judged *judged;
	size_t judged_profile;
};

static inline struct filter *
filter_of(const struct check_run *run)
{
	return run->role;
}

static inline const char *
filter_body(const struct filter_opts *o)
{
	return o->body ? o->body : "One line.\r\n";
}

/* The profiles: those of MTAs first, the hostile one behind them. */
#define FILTER_MTAS    ((UINT32_C(1) << 10) - 1)
#define FILTER_HOSTILE (UINT32_C(1) << 10)

/* How long to wait for an answer that must come. */
msec filter_wait_ms(const struct filter *f);
/* Passes a whole session, of which no record is kept.  0, or -1: it did not
 * work, or one is being passed already. */
int filter_pass_session(struct filter *f);

/* The tables of cases, one for each file filter_*.c. */
extern const struct check_case filter_framing_cases[],
    filter_negotiation_cases[], filter_state_cases[], filter_input_cases[],
    filter_content_cases[], filter_edits_cases[], filter_replies_cases[],
    filter_sockets_cases[];

#endif
