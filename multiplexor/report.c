/* SPDX-License-Identifier: MIT */
/*
 * report: what `status`, `workers` and `workerinfo` answer (report.h).
 *
 * Others parse these texts: field order, blanks and letters are fixed
 * (spec:mux-status, spec:mux-workers, spec:mux-workerinfo).
 */
#include "report.h"

#include "core/base/muxproto.h"
#include "core/base/pct.h"

#include <inttypes.h>
#include <string.h>

static enum pool_state
shown_state(const struct pool_info *i)
{
	/* being started for a request is as good as busy with it */
	return i->state == POOL_STARTING && i->req ? POOL_BUSY : i->state;
}

static char
letter(const struct pool_info *i)
{
	return pool_state_name(shown_state(i))[0];
}

static uint64_t
seconds(msec from, msec to)
{
	return (to - from) / 1000;
}

void
report_status(const struct report *r, struct buf *out)
{
	struct pool_counts c;
	struct pool_info i;

	for (unsigned slot = 0; slot < r->slots; slot++) {
		pool_info(r->pool, slot, &i);
		buf_addc(out, letter(&i));
	}
	pool_count(r->pool, &c);
	buf_addf(out, " %" PRIu64 " %" PRIu64 " %u %u %" PRIu64 "\n", c.msgs,
	    c.activations, r->queue_max, c.queued, seconds(r->started, r->now));
}

static void
worker_line(const struct report *r, unsigned slot, const struct pool_info *i,
    struct buf *out)
{
	struct report_worker w;

	r->worker(r->arg, slot, &w);
	buf_addf(out, "%u %c", slot, letter(i));
	if (i->state != POOL_DEAD && w.pid > 0)
		buf_addf(out, " %ld", w.pid);
	if (shown_state(i) == POOL_BUSY && i->cls != MUX_OTHER)
		buf_addf(out, " %s", mux_class_name(i->cls));
	if (i->last != POOL_NO_CLASS)
		buf_addf(
		    out, " last=%s", mux_class_name((enum mux_class)i->last));
	buf_addf(out, " ago=%" PRIu64, seconds(i->since, r->now));
	if (w.tag[0])
		buf_addf(out, " (%s)", w.tag);
	buf_addc(out, '\n');
}

void
report_workers(const struct report *r, bool busy_only, struct buf *out)
{
	struct pool_info i;

	for (unsigned slot = 0; slot < r->slots; slot++) {
		pool_info(r->pool, slot, &i);
		if (!busy_only || shown_state(&i) == POOL_BUSY)
			worker_line(r, slot, &i, out);
	}
}

static long
age(msec since, msec now)
{
	return since == MSEC_NEVER ? -1 : (long)seconds(since, now);
}

void
report_workerinfo(const struct report *r, long slot, struct buf *out)
{
	struct report_worker w;
	struct pool_info i;
	bool dead;

	if (slot < 0 || slot >= (long)r->slots) {
		buf_adds(out, "error: Worker number out of range\n");
		return;
	}
	pool_info(r->pool, (unsigned)slot, &i);
	r->worker(r->arg, (unsigned)slot, &w);
	dead = i.state == POOL_DEAD;
	buf_addf(out,
	    "Worker %ld\nState %s\nPID %ld\nNumRequests %u\nNumScans %u\n"
	    "Age %ld\nFirstReqAge %ld\nLastStateChangeAge %ld\nStatusTag %s\n",
	    slot, pool_state_name(shown_state(&i)), dead ? -1 : w.pid,
	    i.requests, i.scans, dead ? -1 : age(i.started, r->now),
	    dead ? -1 : age(i.first_req, r->now), age(i.since, r->now), w.tag);
}

/* ---- texts from requests ---- */

static void
copy(char *to, size_t max, const char *p, size_t n)
{
	if (n > max)
		n = max;
	memcpy(to, p, n);
	to[n] = '\0';
}

void
report_status_tag(const char *line, size_t n, char tag[REPORT_TAG_MAX + 1])
{
	copy(tag, REPORT_TAG_MAX, line, n);
	n = pct_decode(tag, n < REPORT_TAG_MAX ? n : REPORT_TAG_MAX);
	for (size_t i = 0; i < n; i++)
		if (tag[i] < 32 || tag[i] > 126)
			tag[i] = ' ';
	tag[n] = '\0';
}

void
report_request_tag(const char *line, size_t n, char tag[REPORT_TAG_MAX + 1])
{
	const char *second;
	size_t len;

	if (mux_nth(line, n, 1, &second, &len))
		n = (size_t)(second - line) + len;
	report_status_tag(line, n, tag);
}

void
report_qid(const char *line, size_t n, char qid[REPORT_QID_MAX + 1])
{
	static const size_t at[MUX_CLASS_N] = {
		[MUX_SCAN] = 1,
		[MUX_SENDEROK] = 6,
		[MUX_RECIPOK] = 8,
	};
	size_t nth = at[mux_classify(line, n)], len;
	const char *p;

	qid[0] = '\0';
	if (nth && mux_nth(line, n, nth, &p, &len))
		copy(qid, REPORT_QID_MAX, p, len);
}

uint64_t
report_domain(const char *line, size_t n, const char **p, size_t *len)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
	const char *word, *at;
	size_t w;

	if (mux_classify(line, n) != MUX_RECIPOK ||
	    !mux_nth(line, n, 1, &word, &w))
		return 0;
	at = memrchr(word, '@', w);
	if (!at)
		return 0;
	*p = at + 1;
	*len = (size_t)(word + w - *p);
	if (*len && (*p)[*len - 1] == '>')
		--*len;
	for (size_t i = 0; i < *len; i++) {
		unsigned char c = (unsigned char)(*p)[i];

		h = (h ^ (c >= 'A' && c <= 'Z' ? c | 0x20u : c)) *
		    0x100000001b3u;
	}
	return h ? h : 1;
}
