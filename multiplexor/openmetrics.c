/* SPDX-License-Identifier: MIT */
/*
 * openmetrics: the metrics as text (openmetrics.h).
 *
 * Labels and values are all from our own tables: nothing of a request or a
 * worker gets in here, so there is nothing to escape.
 */
#include "openmetrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "mimedefang_"

static void
add_family(struct buf *out, const char *name, const char *type,
    const char *unit, const char *help)
{
	buf_addf(out, "# TYPE " PREFIX "%s %s\n", name, type);
	if (unit)
		buf_addf(out, "# UNIT " PREFIX "%s %s\n", name, unit);
	buf_addf(out, "# HELP " PREFIX "%s %s\n", name, help);
}

static void
add_counters(const struct metrics *m, struct buf *out)
{
	for (int i = 0; i < METRIC_N; i++) {
		const struct metric_row *row = &metric_rows[i];

		if (row->help)
			add_family(
			    out, row->family, "counter", NULL, row->help);
		buf_addf(out, PREFIX "%s_total", row->family);
		if (row->label)
			buf_addf(out, "{%s=\"%s\"}", row->label, row->value);
		buf_addf(out, " %" PRIu64 "\n", m->n[i]);
	}
}

static void
add_seconds(struct buf *out, uint64_t us)
{
	buf_addf(out, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
}

/* label: `kind="scan",` or "". */
static void
add_hist(
    const struct hist *h, const char *name, const char *label, struct buf *out)
{
	size_t n = strlen(label);
	uint64_t sum = 0;

	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		sum += h->n[i];
		buf_addf(out, PREFIX "%s_bucket{%sle=\"", name, label);
		if (i + 1 < HIST_BUCKETS)
			add_seconds(out, hist_bound(i));
		else
			buf_adds(out, "+Inf");
		buf_addf(out, "\"} %" PRIu64 "\n", sum);
	}
	for (int i = 0; i < 2; i++) {
		buf_addf(out, PREFIX "%s_%s", name, i ? "sum" : "count");
		if (n) /* without its comma */
			buf_addf(out, "{%.*s}", (int)n - 1, label);
		buf_addc(out, ' ');
		if (i)
			add_seconds(out, h->sum);
		else
			buf_addf(out, "%" PRIu64, h->count);
		buf_addc(out, '\n');
	}
}

static void
add_hists(const struct metrics *m, struct buf *out)
{
	char label[40];

	add_family(out, "request_seconds", "histogram", "seconds",
	    "time from giving a request to a worker to its answer");
	for (int k = 0; k < KIND_N; k++) {
		snprintf(label, sizeof(label), "kind=\"%s\",",
		    metrics_kind_name((enum request_kind)k));
		add_hist(&m->took[k], "request_seconds", label, out);
	}
	add_family(out, "queue_seconds", "histogram", "seconds",
	    "time that requests waited for a worker");
	add_hist(&m->waited, "queue_seconds", "", out);
}

static void
add_gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
	add_family(out, name, "gauge", NULL, help);
	buf_addf(out, PREFIX "%s %" PRIu64 "\n", name, value);
}

static void
add_gauges(const struct report *r, struct buf *out)
{
	struct pool_counts c;

	pool_count(r->pool, &c);
	add_family(out, "workers", "gauge", NULL, "worker slots by state");
	buf_addf(out,
	    PREFIX "workers{state=\"idle\"} %u\n" PREFIX
		   "workers{state=\"busy\"} %u\n" PREFIX
		   "workers{state=\"stopped\"} %u\n" PREFIX
		   "workers{state=\"killed\"} %u\n",
	    c.idle, c.busy, c.stopped, c.killed);
	add_gauge(out, "workers_old_generation",
	    "workers that a reread has still to replace", c.old);
	add_gauge(out, "worker_early_deaths",
	    "workers in a row that died without an answer; 2: a crash loop",
	    c.early);
	add_gauge(out, "queue_size", "requests that may wait", r->queue_max);
	add_gauge(out, "queue_length", "requests that wait now", c.queued);
	add_family(
	    out, "uptime_seconds", "gauge", "seconds", "time since the start");
	buf_addf(out, PREFIX "uptime_seconds %" PRIu64 "\n",
	    (r->now - r->started) / 1000);
	add_family(out, "scans", "counter", NULL, "messages scanned");
	buf_addf(out, PREFIX "scans_total %" PRIu64 "\n", c.msgs);
}

void
openmetrics(const struct metrics *m, const struct report *r, struct buf *out)
{
	add_gauges(r, out);
	add_counters(m, out);
	add_hists(m, out);
	buf_adds(out, "# EOF\n");
}
