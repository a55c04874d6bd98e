/* SPDX-License-Identifier: MIT */
/*
 * metrics: what the multiplexor counts, one row each, and how long requests
 * took, one histogram a kind.  Pure.
 *
 * `jsonstats` and `metrics` are made from these rows: a new one is there at
 * once.
 */
#ifndef MULTIPLEXOR_METRICS_H
#define MULTIPLEXOR_METRICS_H

#include "core/base/hist.h"

#include <stddef.h>
#include <stdint.h>

/* id, family, label, its value, help.  Rows of one family stand together. */
#define METRICS(X)                                                             \
	X(FAIL_NO_WORKER, "requests_failed", "reason", "no_worker",            \
	    "requests that no worker answered")                                \
	X(FAIL_START, "requests_failed", "reason", "start", NULL)              \
	X(FAIL_QUEUE, "requests_failed", "reason", "queue_timeout", NULL)      \
	X(FAIL_BUSY, "requests_failed", "reason", "busy_timeout", NULL)        \
	X(FAIL_TALK, "requests_failed", "reason", "talk", NULL)                \
	X(FAIL_DIED, "requests_failed", "reason", "worker_died", NULL)         \
	X(FAIL_DOMAIN, "requests_failed", "reason", "domain_limit", NULL)      \
	X(FAIL_STOP, "requests_failed", "reason", "stopping", NULL)            \
	X(QUEUED, "requests_queued", NULL, NULL, "requests that had to wait")  \
	X(RETRIED, "requests_retried", NULL, NULL,                             \
	    "requests given to another worker because the first one died")     \
	X(CANCELLED, "requests_cancelled", NULL, NULL,                         \
	    "requests whose client went away before the answer")               \
	X(START_MIN, "workers_started", "reason", "minimum",                   \
	    "workers started")                                                 \
	X(START_REQUEST, "workers_started", "reason", "request", NULL)         \
	X(START_OTHER, "workers_started", "reason", "other", NULL)             \
	X(START_FAILED, "worker_starts_failed", NULL, NULL,                    \
	    "workers that could not be started")                               \
	X(TOLD_REQUESTS, "workers_told_to_exit", "reason", "requests",         \
	    "workers told to exit")                                            \
	X(TOLD_LIFETIME, "workers_told_to_exit", "reason", "lifetime", NULL)   \
	X(TOLD_REREAD, "workers_told_to_exit", "reason", "reread", NULL)       \
	X(TOLD_IDLE, "workers_told_to_exit", "reason", "idle", NULL)           \
	X(TOLD_BUSY, "workers_told_to_exit", "reason", "busy_timeout", NULL)   \
	X(TOLD_TALK, "workers_told_to_exit", "reason", "talk", NULL)           \
	X(TOLD_OUTPUT, "workers_told_to_exit", "reason", "output", NULL)       \
	X(TOLD_STOP, "workers_told_to_exit", "reason", "stopping", NULL)       \
	X(TOLD_OTHER, "workers_told_to_exit", "reason", "other", NULL)         \
	X(LATE_TERM, "workers_overdue", "signal", "TERM",                      \
	    "workers that did not exit when told to, by what they got")        \
	X(LATE_KILL, "workers_overdue", "signal", "KILL", NULL)                \
	X(DIED_EXIT, "workers_died", "cause", "exit",                          \
	    "workers that ended though nobody had told them to")               \
	X(DIED_SIGNAL, "workers_died", "cause", "signal", NULL)                \
	X(DIED_MEMORY, "workers_died", "cause", "memory", NULL)                \
	X(REAPED, "workers_reaped", NULL, NULL, "workers that have ended")     \
	X(ALARMS, "worker_start_pauses", NULL, NULL,                           \
	    "pauses because workers died before they answered anything")       \
	X(REREADS, "rereads", NULL, NULL, "times that the filter was reread")  \
	X(TICKS_SKIPPED, "ticks_skipped", NULL, NULL,                          \
	    "ticks that found no worker")                                      \
	X(LINES_LOST, "statistics_lines_lost", NULL, NULL,                     \
	    "statistics lines that could not be written")

enum metric {
#define X(id, family, label, value, help) METRIC_##id,
	METRICS(X)
#undef X
	METRIC_N
};

struct metric_row {
	const char *family, *label, *value, *help; /* help: of the first */
};
extern const struct metric_row metric_rows[METRIC_N];

/* What a request is, finer than its class. */
enum request_kind {
	KIND_SCAN,
	KIND_RELAYOK,
	KIND_HELOOK,
	KIND_SENDEROK,
	KIND_RECIPOK,
	KIND_MAP,
	KIND_TICK,
	KIND_OTHER,
	KIND_N
};
enum request_kind metrics_kind(const char *line, size_t n);
const char *metrics_kind_name(enum request_kind k); /* "scan" */

/* All zero at first. */
struct metrics {
	uint64_t n[METRIC_N];
	struct hist took[KIND_N]; /* from the dispatch to the answer */
	struct hist waited;       /* in the queue */
};

#endif
