/* SPDX-License-Identifier: MIT */
/* held: a copy of a verdict and its reply, for the time of its delay.  Pure. */
#ifndef CORE_FRONTEND_HELD_H
#define CORE_FRONTEND_HELD_H

#include "core/base/muxproto.h"

#include <milterproto.h>

struct held {
	enum mux_verdict verdict;
	struct mlt_reply reply; /* borrows from below */
	char code[4], dsn[12];
	char text[];
};

/* code and dsn of r are of their usual form or NULL.  NULL: no memory; free
 * with free(3). */
struct held *held_new(enum mux_verdict v, const struct mlt_reply *r);

#endif
