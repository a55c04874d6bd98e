/* SPDX-License-Identifier: MIT */
/*
 * stats: the lines of the statistics file and of statistics in syslog.  Pure;
 * stats_file writes them.  spec:mux-statistics
 */
#ifndef MULTIPLEXOR_STATS_H
#define MULTIPLEXOR_STATS_H

#include "core/base/buf.h"

#include <stdint.h>
#include <time.h>

enum stats_what {
	STATS_START_WORKER, /* reason */
	STATS_KILL_WORKER,  /* requests, age, reason */
	STATS_REAP_WORKER,
	STATS_START_FILTER,
	STATS_END_FILTER, /* requests */
	STATS_N
};

struct stats_event {
	enum stats_what what;
	unsigned worker, running, busy; /* the counts after it */
	unsigned requests;              /* of the worker */
	long age;                       /* seconds */
	const char *reason;             /* any octets: escaped here */
	int64_t wall_ms;                /* since 1970 */
};

/* A line of the file, with its LF; date: wall_ms in local time. */
void stats_file_line(
    const struct stats_event *e, const struct tm *date, struct buf *out);
/* The text of a log line. */
void stats_log_line(const struct stats_event *e, struct buf *out);

#endif
