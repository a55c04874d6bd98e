/* SPDX-License-Identifier: MIT */
/*
 * ticks: when the filter's tick function is due.  Pure.
 *
 * Each type has a timer of its own.  It is set anew when the tick is over, or
 * could not be run, so that one type never overlaps itself.  Of those that are
 * due at once the one that was skipped most often is first: where there is one
 * worker for all, each has its turn.  spec:mux-ticks
 */
#ifndef MULTIPLEXOR_TICKS_H
#define MULTIPLEXOR_TICKS_H

#include "core/base/clock.h"

#define TICKS_MAX 30

struct ticks {
	unsigned n;
	msec period;                 /* 0: there are none */
	msec due[TICKS_MAX];         /* MSEC_NEVER: it runs */
	unsigned skipped[TICKS_MAX]; /* times in a row */
};

/* n: 1 to TICKS_MAX types, numbered from 0, all due a period from now. */
void ticks_init(struct ticks *t, unsigned n, msec period, msec now);
/* A type that is due, which counts as running from here on; -1: none. */
int ticks_next(struct ticks *t, msec now);
void ticks_done(struct ticks *t, unsigned type, msec now);
void ticks_skipped(struct ticks *t, unsigned type, msec now);
msec ticks_deadline(const struct ticks *t); /* MSEC_NEVER: none */

#endif
