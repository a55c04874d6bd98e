/* SPDX-License-Identifier: MIT */
/*
 * filter: what the cases of `milter-check filter` share: the filter under test,
 * and what is known of it.
 */
#ifndef CLI_CHECK_FILTER_H
#define CLI_CHECK_FILTER_H

#include "cli/check/check.h"
#include "cli/check/link.h"

#include <milterproto.h>

struct filter_opts {
	struct check_opts check;
	const char *from, *to, *helo, *host, *ip;
	long grace_ms, reply_ms;
};

struct filter {
	struct filter_opts o;
	const char *socket;
};

static inline struct filter *
filter_of(const struct check_run *run)
{
	return run->role;
}

/* The profiles: those of MTAs first, the hostile one behind them. */
#define FILTER_MTAS    ((UINT32_C(1) << 10) - 1)
#define FILTER_HOSTILE (UINT32_C(1) << 10)

/* The tables of cases, one for each file filter_*.c. */
extern const struct check_case filter_negotiation_cases[];

#endif
