/* SPDX-License-Identifier: MIT */
/*
 * load: how much work there was (load.h).
 *
 * Both histories are rings.  An entry remembers of which second or hour it is,
 * so that one of the round before reads as empty.
 */
#include "load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define SECONDS 600
#define HOURS   24
#define TRACKED MUX_OTHER /* the classes below it */

struct sums {
	uint64_t n, busy, us;
};
struct second {
	int64_t at;
	struct sums of[TRACKED];
	uint64_t started, reaped; /* workers */
};
struct hour {
	int64_t at, first, last; /* hour; first and last second in it */
	struct sums sums;
};

struct load {
	struct second seconds[SECONDS];
	struct hour hours[TRACKED][HOURS];
	unsigned slots;
	uint64_t histo[]; /* slots */
};

int
load_new(struct load **out, unsigned slots)
{
	struct load *l;

	l = calloc(1, sizeof(*l) + slots * sizeof(l->histo[0]));
	if (!l)
		return -ENOMEM;
	l->slots = slots;
	*out = l;
	return 0;
}

void
load_free(struct load *l)
{
	free(l);
}

/* ---- what happened ---- */

static struct second *
second_at(struct load *l, int64_t sec)
{
	struct second *s = &l->seconds[sec % SECONDS];

	if (s->at != sec)
		*s = (struct second){ .at = sec };
	return s;
}

static void
add(struct sums *to, const struct sums *what)
{
	to->n += what->n;
	to->busy += what->busy;
	to->us += what->us;
}

void
load_done(
    struct load *l, enum mux_class cls, unsigned busy, uint64_t us, int64_t sec)
{
	const struct sums one = { 1, busy, us };
	int64_t at = sec / 3600;
	struct hour *h;

	if (cls >= TRACKED)
		return;
	add(&second_at(l, sec)->of[cls], &one);
	h = &l->hours[cls][at % HOURS];
	if (h->at != at)
		*h = (struct hour){ .at = at, .first = sec };
	h->last = sec;
	add(&h->sums, &one);
}

void
load_started(struct load *l, int64_t sec)
{
	second_at(l, sec)->started++;
}

void
load_reaped(struct load *l, int64_t sec)
{
	second_at(l, sec)->reaped++;
}

void
load_busy(struct load *l, unsigned busy)
{
	if (busy >= 1 && busy <= l->slots)
		l->histo[busy - 1]++;
}

/* ---- windows ---- */

/* All of the last `back` seconds, the current one among them. */
static void
window(const struct load *l, int64_t sec, int64_t back, struct second *sum)
{
	*sum = (struct second){ .at = sec };
	for (int i = 0; i < SECONDS; i++) {
		const struct second *s = &l->seconds[i];

		if (s->at <= sec - back || s->at > sec)
			continue;
		for (int c = 0; c < TRACKED; c++)
			add(&sum->of[c], &s->of[c]);
		sum->started += s->started;
		sum->reaped += s->reaped;
	}
}

/* The same for whole hours; first and last are 0 if there is nothing. */
static void
hours(const struct load *l, enum mux_class cls, int64_t now, int64_t back,
    struct hour *sum)
{
	*sum = (struct hour){ .at = now };
	for (int i = 0; i < HOURS; i++) {
		const struct hour *h = &l->hours[cls][i];

		if (h->at <= now - back || h->at > now || !h->sums.n)
			continue;
		if (!sum->sums.n || h->first < sum->first)
			sum->first = h->first;
		if (h->last > sum->last)
			sum->last = h->last;
		add(&sum->sums, &h->sums);
	}
}

static double
mean_busy(const struct sums *s, double if_none)
{
	return s->n ? (double)s->busy / (double)s->n : if_none;
}

static double
mean_ms(const struct sums *s)
{
	return s->n ? (double)s->us / 1000 / (double)s->n : 0;
}

/* ---- the reports ---- */

#define WINDOWS 4

static void
add_snapshot(const struct report *r, struct buf *out)
{
	struct pool_counts c;

	pool_count(r->pool, &c);
	buf_addf(out, " %u %u %u %u %" PRIu64 " %" PRIu64 " %u %u %" PRIu64,
	    c.busy, c.idle, c.stopped, c.killed, c.msgs, c.activations,
	    r->queue_max, c.queued, (r->now - r->started) / 1000);
}

void
load_report(const struct load *l, enum mux_class cls, int64_t sec,
    const struct report *r, struct buf *out)
{
	static const int64_t backs[WINDOWS] = { 10, 60, 300, 600 };
	bool workers = cls == MUX_SCAN; /* only there, others know it so */
	struct second w[WINDOWS];

	for (int i = 0; i < WINDOWS; i++)
		window(l, sec, backs[i], &w[i]);
	for (int i = 0; i < WINDOWS; i++)
		buf_addf(out, "%s%" PRIu64, i ? " " : "", w[i].of[cls].n);
	for (int i = 0; i < WINDOWS; i++)
		buf_addf(out, " %f", mean_busy(&w[i].of[cls], 1));
	for (int i = 0; i < WINDOWS; i++)
		buf_addf(out, " %f", mean_ms(&w[i].of[cls]));
	for (int i = 0; i < WINDOWS; i++)
		buf_addf(out, " %" PRIu64, workers ? w[i].started : 0);
	for (int i = 0; i < WINDOWS; i++)
		buf_addf(out, " %" PRIu64, workers ? w[i].reaped : 0);
	add_snapshot(r, out);
	buf_addc(out, '\n');
}

void
load_report1(const struct load *l, long back, int64_t sec,
    const struct report *r, struct buf *out)
{
	unsigned running[MUX_CLASS_N] = { 0 };
	struct pool_info info;
	struct second w;

	if (back < 10 || back > SECONDS) {
		buf_adds(
		    out, "error: Invalid 'back' amount (must be 10-600)\n");
		return;
	}
	window(l, sec, back, &w);
	for (int c = 0; c < TRACKED; c++)
		buf_addf(out, "%s%" PRIu64 " %f %f", c ? " " : "", w.of[c].n,
		    mean_busy(&w.of[c], 0), mean_ms(&w.of[c]));
	add_snapshot(r, out);
	for (unsigned slot = 0; slot < r->slots; slot++) {
		pool_info(r->pool, slot, &info);
		if (info.req)
			running[info.cls]++;
	}
	buf_addf(out, " %ld %u %u %u %u\n", back, running[MUX_SCAN],
	    running[MUX_RELAYOK], running[MUX_SENDEROK], running[MUX_RECIPOK]);
}

void
load_report_hours(
    const struct load *l, enum mux_class cls, int64_t sec, struct buf *out)
{
	static const int64_t backs[WINDOWS] = { 1, 4, 12, 24 };
	struct hour w[WINDOWS];

	for (int i = 0; i < WINDOWS; i++)
		hours(l, cls, sec / 3600, backs[i], &w[i]);
	for (int i = 0; i < WINDOWS; i++)
		buf_addf(out, "%s%" PRIu64, i ? " " : "", w[i].sums.n);
	for (int i = 0; i < WINDOWS; i++)
		buf_addf(out, " %f", mean_busy(&w[i].sums, 0));
	for (int i = 0; i < WINDOWS; i++)
		buf_addf(out, " %f", mean_ms(&w[i].sums));
	for (int i = 0; i < WINDOWS; i++)
		buf_addf(out, " %" PRId64, w[i].last - w[i].first);
	buf_addc(out, '\n');
}

void
load_report_histo(const struct load *l, struct buf *out)
{
	for (unsigned i = 0; i < l->slots; i++)
		buf_addf(out, "%4u %" PRIu64 "\n", i + 1, l->histo[i]);
}
