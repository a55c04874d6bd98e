/* SPDX-License-Identifier: MIT */
/*
 * autoscale: whether there shall be a worker more or less, by how many were
 * busy of late.  Pure; it is asked every AUTOSCALE_MS and makes one step at
 * most.  spec:mux-autoscale
 */
#ifndef MULTIPLEXOR_AUTOSCALE_H
#define MULTIPLEXOR_AUTOSCALE_H

#include "core/base/buf.h"
#include "core/base/clock.h"

#define AUTOSCALE_MS 15000

struct autoscale {
	double ema;   /* of busy / running; starts at 0 */
	msec last_in; /* MSEC_NEVER: never yet */
};

enum scale {
	SCALE_STAY,
	SCALE_OUT, /* start one */
	SCALE_IN   /* stop an idle one, if there is any; then autoscale_in */
};

struct scale_facts {
	unsigned busy, running, min, max;
	msec last_start; /* of any worker; MSEC_NEVER: none yet */
	msec now;
};

void autoscale_init(struct autoscale *a);
enum scale autoscale_check(struct autoscale *a, const struct scale_facts *f);
void autoscale_in(struct autoscale *a, msec now); /* one was stopped */
/* What `autoscale` answers; NULL: it is off. */
void autoscale_report(const struct autoscale *a, struct buf *out);
/* "Autoscaling enabled: ..." for the log. */
void autoscale_start_line(struct buf *out);

#endif
