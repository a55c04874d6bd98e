/* SPDX-License-Identifier: MIT */
/* autoscale: whether there shall be a worker more or less (autoscale.h). */
#include "autoscale.h"

/* spec:mux-autoscale; the reports show them */
#define ALPHA    0.25
#define OUT_COOL 5 /* seconds */
#define IN_COOL  30

void
autoscale_init(struct autoscale *a, const struct autoscale_opts *o)
{
	*a = (struct autoscale){ .o = *o, .last_in = MSEC_NEVER };
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
	if (a->ema * 100 > a->o.out && f->running < f->max &&
	    past(f->last_start, OUT_COOL, f->now))
		return SCALE_OUT;
	if (a->ema * 100 < a->o.in && f->running > f->min &&
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
autoscale_report(const struct autoscale *a, bool enabled, struct buf *out)
{
	buf_addf(out,
	    "enabled=%d interval=%u ema_busy=%.4f scale_out=%.2f "
	    "scale_in=%.2f out_cool=%d in_cool=%d ema_alpha=%.4f\n",
	    enabled, a->o.interval, a->ema, a->o.out / 100.0, a->o.in / 100.0,
	    OUT_COOL, IN_COOL, ALPHA);
}

void
autoscale_start_line(const struct autoscale *a, struct buf *out)
{
	buf_addf(out,
	    "Autoscaling enabled: interval=%us scale_out=%u%% scale_in=%u%%",
	    a->o.interval, a->o.out, a->o.in);
}
