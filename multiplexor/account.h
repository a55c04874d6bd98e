/* SPDX-License-Identifier: MIT */
/*
 * account: the books of what happened: load history, metrics and statistics
 * lines.  Told by mux_ev, worker_ev and mux_log of each event, in the order in
 * which they happen.
 *
 * It keeps its own count of running and busy workers: the pool is ahead of the
 * events, since one input may decide several.
 */
#ifndef MULTIPLEXOR_ACCOUNT_H
#define MULTIPLEXOR_ACCOUNT_H

#include "load.h"
#include "metrics.h"
#include "pool.h"
#include "stats_file.h"

#include <stdbool.h>
#include <stdint.h>

struct mux;
struct request;

/* What a worker does. */
struct run {
	uint64_t req; /* 0: nothing */
	uint64_t from_us;
	enum mux_class cls;
	enum request_kind kind;
};

struct account {
	struct load *load;
	struct metrics metrics;
	struct stats_file file;
	bool file_fails;    /* and that was logged */
	int64_t start_wall; /* ms, when the monotonic clock showed start_mono */
	msec start_mono;
	msec last_start; /* of a worker */
	unsigned running, busy;
	struct run runs[]; /* by slot */
};

int account_new(struct mux *m); /* -ENOMEM */
void account_free(struct mux *m);

/* Opens the statistics file, or opens it again; a failure is logged. */
void account_open_file(const struct mux *m);
/* Writes what waits.  true: all is written, or all is lost. */
bool account_write_file(const struct mux *m);

/* Seconds since 1970 by a clock that is never set. */
int64_t account_sec(const struct mux *m);
void account_count(const struct mux *m, enum metric which);

/* ---- workers ---- */
void account_started(
    const struct mux *m, const struct pool_action *a, const char *reason);
void account_told(
    const struct mux *m, const struct pool_action *a, const char *reason);
void account_reaped(const struct mux *m, unsigned slot);

/* ---- requests ---- */
void account_waits(const struct mux *m, struct request *r);
void account_assigned(
    const struct mux *m, const struct pool_action *a, struct request *r);
/* The worker in the slot has done with its request; answered: or the request
 * is given up, and will not be tried again. */
void account_ended(const struct mux *m, unsigned slot, bool answered);
/* It gets an answer that is not a worker's. */
void account_failed(
    const struct mux *m, const struct pool_action *a, struct request *r);

#endif
