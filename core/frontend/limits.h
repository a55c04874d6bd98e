/* SPDX-License-Identifier: MIT */
/*
 * limits: what one message may use (spec:limits has the reasons).  0 is the
 * default named here, or no limit where none is.
 */
#ifndef CORE_FRONTEND_LIMITS_H
#define CORE_FRONTEND_LIMITS_H

#include "core/base/muxproto.h"

#include <stddef.h>

struct limits {
	long memory_bytes;  /* one that is larger goes to disk meanwhile */
	long message_bytes; /* INPUTMSG; none */
	long headers;       /* fields; none */
	long header_bytes;  /* names and values; none */
	long request_bytes; /* to the multiplexor */
	long results_bytes; /* RESULTS */
	long results_line;  /* of it, without LF */
	long delay_s;       /* that a check may ask for */
	long min_free_kb;   /* of the spool, for a new message; none */
};

#define LIMITS_MEMORY       65536
#define LIMITS_RESULTS      1048576
#define LIMITS_RESULTS_LINE 65535
#define LIMITS_DELAY_S      300

static inline size_t
limits_of(long given, size_t otherwise)
{
	return given > 0 ? (size_t)given : otherwise;
}

#endif
