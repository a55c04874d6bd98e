/* SPDX-License-Identifier: MIT */
/* autoscale: whether there shall be a worker more or less (autoscale.h). */
#include "autoscale.h"

/* spec:mux-autoscale; the reports show them */
#define ALPHA     0.25
#define OUT_ABOVE 0.80
#define IN_BELOW  0.30
#define OUT_COOL  5 /* seconds */
#define IN_COOL   30

void
autoscale_init(struct autoscale *a)
{
	*a = (struct autoscale){ .last_in = MSEC_NEVER };
}

/* More than so many seconds ago, or never. */
static bool
past(msec at, unsigned seconds, msec now)
{
	return at == MSEC_NEVER || now - at > (msec)seconds * 1000;
}

enum scale
autoscale_check(struct autoscale *a, const struct scale_facts *f)
{
	double ratio = f->running ? (double)f->busy / f->running : 0;

	a->ema = (1 - ALPHA) * a->ema + ALPHA * ratio;
	if (a->ema > OUT_ABOVE && f->running < f->max &&
	    past(f->last_start, OUT_COOL, f->now))
		return SCALE_OUT;
	if (a->ema < IN_BELOW && f->running > f->min &&
	    past(f->last_start, IN_COOL, f->now) &&
	    past(a->last_in, IN_COOL, f->now))
		return SCALE_IN;
	return SCALE_STAY;
}

void
autoscale_in(struct autoscale *a, msec now)
{
	a->last_in = now;
}

void
autoscale_report(const struct autoscale *a, struct buf *out)
{
	buf_addf(out,
	    "enabled=%d interval=%d ema_busy=%.4f scale_out=%.2f "
	    "scale_in=%.2f out_cool=%d in_cool=%d ema_alpha=%.4f\n",
	    a != NULL, AUTOSCALE_MS / 1000, a ? a->ema : 0, OUT_ABOVE, IN_BELOW,
	    OUT_COOL, IN_COOL, ALPHA);
}

void
autoscale_start_line(struct buf *out)
{
	buf_addf(out,
	    "Autoscaling enabled: interval=%ds scale_out=%.0f%% "
	    "scale_in=%.0f%%",
	    AUTOSCALE_MS / 1000, OUT_ABOVE * 100, IN_BELOW * 100);
}
