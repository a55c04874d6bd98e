/* SPDX-License-Identifier: MIT */
/*
 * autoscale: whether there shall be more workers or less, by how many were busy
 * of late.  Pure; it is asked at regular intervals and makes one step at most.
 * spec:mux-autoscale
 */
#ifndef MULTIPLEXOR_AUTOSCALE_H
#define MULTIPLEXOR_AUTOSCALE_H

#include "core/base/buf.h"
#include "core/base/clock.h"

/* interval in seconds, the others in percent of workers that are busy. */
struct autoscale_opts {
	unsigned interval, out, in;
};

struct autoscale {
	struct autoscale_opts o;
	double ema;   /* of busy / running; starts at 0 */
	msec last_in; /* MSEC_NEVER: never yet */
};

enum scale {
	SCALE_STAY,
	SCALE_OUT, /* start some */
	SCALE_IN   /* stop idle ones, if there are any; then autoscale_in */
};

struct scale_facts {
	unsigned busy, running, min, max;
	msec last_start; /* of any worker; MSEC_NEVER: none yet */
	msec now;
};

void autoscale_init(struct autoscale *a, const struct autoscale_opts *o);
enum scale autoscale_check(struct autoscale *a, const struct scale_facts *f);
void autoscale_in(struct autoscale *a, msec now); /* it was done */
/* What `autoscale` answers. */
void autoscale_report(const struct autoscale *a, bool enabled, struct buf *out);
/* "Autoscaling enabled: ..." for the log. */
void autoscale_start_line(const struct autoscale *a, struct buf *out);

#endif
