/* SPDX-License-Identifier: MIT */
/*
 * jsonstats: the metrics and the workers as JSON (jsonstats.h).
 *
 * md-mx-ctrl and its like decode percents in what they print, so that a text
 * must hold none: one in a tag could become a quote or a line feed.
 */
#include "jsonstats.h"

#include <inttypes.h>

#ifndef MD_VERSION
#define MD_VERSION "0"
#endif

static void
add_string(struct buf *out, const char *s)
{
	buf_addc(out, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < 32 || c > 126 || c == '"' || c == '\\' || c == '%')
			buf_addf(out, "\\u%04x", c);
		else
			buf_addc(out, *s);
	}
	buf_addc(out, '"');
}

static void
add_hist(struct buf *out, const struct hist *h)
{
	static const unsigned percents[] = { 50, 90, 95, 99 };

	buf_addf(out, "{\"count\":%" PRIu64 ",\"mean_ms\":%.3f", h->count,
	    (double)hist_mean(h) / 1000);
	for (int i = 0; i < 4; i++)
		buf_addf(out, ",\"p%u_ms\":%.3f", percents[i],
		    (double)hist_percentile(h, percents[i]) / 1000);
	buf_addf(out, ",\"max_ms\":%.3f}", (double)h->max / 1000);
}

static void
add_pool(struct buf *out, const struct report *r)
{
	struct pool_counts c;

	pool_count(r->pool, &c);
	buf_addf(out,
	    "\"uptime\":%" PRIu64 ",\"scans\":%" PRIu64
	    ",\"activations\":%" PRIu64
	    ",\"workers\":{\"max\":%u,\"idle\":%u,\"busy\":%u,"
	    "\"stopped\":%u,\"killed\":%u,\"old_generation\":%u,"
	    "\"early_deaths\":%u}"
	    ",\"queue\":{\"size\":%u,\"length\":%u}",
	    (r->now - r->started) / 1000, c.msgs, c.activations, r->slots,
	    c.idle, c.busy, c.stopped, c.killed, c.old, c.early, r->queue_max,
	    c.queued);
}

/* A family with labels is an object of its own. */
static void
add_counters(struct buf *out, const struct metrics *m)
{
	bool open = false;

	for (int i = 0; i < METRIC_N; i++) {
		const struct metric_row *row = &metric_rows[i];

		if (row->help) {
			buf_addf(out, "%s%s\"%s\":%s", open ? "}" : "",
			    i ? "," : "", row->family, row->label ? "{" : "");
			open = row->label != NULL;
		}
		if (row->label)
			buf_addf(
			    out, "%s\"%s\":", row->help ? "" : ",", row->value);
		buf_addf(out, "%" PRIu64, m->n[i]);
	}
	buf_adds(out, open ? "}" : "");
}

static void
add_requests(struct buf *out, const struct metrics *m)
{
	buf_adds(out, "\"requests\":{");
	for (int k = 0; k < KIND_N; k++) {
		buf_addf(out, "%s\"%s\":", k ? "," : "",
		    metrics_kind_name((enum request_kind)k));
		add_hist(out, &m->took[k]);
	}
	buf_adds(out, "},\"queue_wait\":");
	add_hist(out, &m->waited);
}

void
jsonstats(const struct metrics *m, const struct report *r, struct buf *out)
{
	buf_adds(out, "{\"version\":");
	add_string(out, MD_VERSION);
	buf_addc(out, ',');
	add_pool(out, r);
	buf_adds(out, ",\"counters\":{");
	add_counters(out, m);
	buf_adds(out, "},");
	add_requests(out, m);
	buf_adds(out, ",\"worker_list\":[");
	for (unsigned slot = 0; slot < r->slots; slot++) {
		struct report_slot s;

		report_slot(r, slot, &s);
		buf_addf(out,
		    "%s{\"slot\":%u,\"state\":\"%s\",\"pid\":%ld,"
		    "\"command\":\"%s\",\"last\":\"%s\",\"ago\":%" PRIu64
		    ",\"requests\":%u,\"scans\":%u,\"age\":%ld,"
		    "\"first_request_age\":%ld,\"tag\":",
		    slot ? "," : "", slot, s.state, s.pid, s.command, s.last,
		    s.ago, s.requests, s.scans, s.age, s.first_req_age);
		add_string(out, s.tag);
		buf_addc(out, '}');
	}
	buf_adds(out, "]}\n");
}
