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

#include <ctype.h>
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

static long
age(msec since, msec now)
{
	return since == MSEC_NEVER ? -1 : (long)seconds(since, now);
}

void
report_slot(const struct report *r, unsigned slot, struct report_slot *s)
{
	struct report_worker w;
	struct pool_info i;
	bool dead, tracked;

	pool_info(r->pool, slot, &i);
	r->worker(r->arg, slot, &w);
	dead = i.state == POOL_DEAD;
	tracked = shown_state(&i) == POOL_BUSY && i.cls != MUX_OTHER;
	*s = (struct report_slot){
		.state = pool_state_name(shown_state(&i)),
		.command = tracked ? mux_class_name(i.cls) : "",
		.last = i.last == POOL_NO_CLASS
			    ? ""
			    : mux_class_name((enum mux_class)i.last),
		.pid = dead || w.pid <= 0 ? -1 : w.pid,
		.requests = i.requests,
		.scans = i.scans,
		.ago = seconds(i.since, r->now),
		.age = dead ? -1 : age(i.started, r->now),
		.first_req_age = dead ? -1 : age(i.first_req, r->now),
	};
	memcpy(s->tag, w.tag, sizeof(s->tag));
}

/* Whoever shows a report to people decodes it: a percent of the tag's own must
 * come back as itself, and not as the start of a line feed. */
static void
add_tag(struct buf *out, const char *tag)
{
	for (; *tag; tag++) {
		buf_addc(out, *tag);
		if (tag[0] == '%' && isxdigit((unsigned char)tag[1]) &&
		    isxdigit((unsigned char)tag[2]))
			buf_adds(out, "25");
	}
}

static void
worker_line(unsigned slot, const struct report_slot *s, struct buf *out)
{
	buf_addf(out, "%u %c", slot, s->state[0]);
	if (s->pid > 0)
		buf_addf(out, " %ld", s->pid);
	if (*s->command)
		buf_addf(out, " %s", s->command);
	if (*s->last)
		buf_addf(out, " last=%s", s->last);
	buf_addf(out, " ago=%" PRIu64, s->ago);
	if (*s->tag) {
		buf_adds(out, " (");
		add_tag(out, s->tag);
		buf_addc(out, ')');
	}
	buf_addc(out, '\n');
}

void
report_workers(const struct report *r, bool busy_only, struct buf *out)
{
	struct report_slot s;

	for (unsigned slot = 0; slot < r->slots; slot++) {
		report_slot(r, slot, &s);
		if (!busy_only || s.state[0] == 'B')
			worker_line(slot, &s, out);
	}
}

void
report_workerinfo(const struct report *r, long slot, struct buf *out)
{
	struct report_slot s;

	if (slot < 0 || slot >= (long)r->slots) {
		buf_adds(out, "error: Worker number out of range\n");
		return;
	}
	report_slot(r, (unsigned)slot, &s);
	buf_addf(out,
	    "Worker %ld\nState %s\nPID %ld\nNumRequests %u\nNumScans %u\n"
	    "Age %ld\nFirstReqAge %ld\nLastStateChangeAge %" PRIu64
	    "\nStatusTag ",
	    slot, s.state, s.pid, s.requests, s.scans, s.age, s.first_req_age,
	    s.ago);
	add_tag(out, s.tag);
	buf_addc(out, '\n');
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
report_printable(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] < 32 || p[i] > 126)
			p[i] = ' ';
}

void
report_status_tag(const char *line, size_t n, char tag[REPORT_TAG_MAX + 1])
{
	copy(tag, REPORT_TAG_MAX, line, n);
	n = pct_decode(tag, n < REPORT_TAG_MAX ? n : REPORT_TAG_MAX);
	report_printable(tag, n);
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
