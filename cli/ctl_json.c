/* SPDX-License-Identifier: MIT */
/*
 * ctl_json: reports as JSON (ctl_form.h, spec:control-json).
 *
 * Only a report that is whole becomes an object: whoever reads it with a
 * program does not look at it.
 */
#include "cli/ctl_form.h"
#include "cli/ctl_safe.h"
#include "core/base/pct.h"

#include <string.h>

static void
begin(const struct ctl_form_in *in, struct buf *out)
{
	char when[64] = "";
	struct tm tm;

	if (gmtime_r(&in->now, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	buf_addf(out, "{\"timestamp\":\"%s\",\"hostname\":", when);
	ctl_json_string(out, in->hostname, strlen(in->hostname));
}

static int
end(struct buf *out)
{
	buf_adds(out, "}\n");
	return 0;
}

static int
undo(struct buf *out, size_t start)
{
	buf_cut(out, start);
	return -1;
}

static void
add_key(struct buf *out, const char *key)
{
	buf_addf(out, ",\"%s\":", key);
}

/* null for what was not told. */
static void
add_str(struct buf *out, const char *key, struct ctl_str s)
{
	add_key(out, key);
	if (s.n)
		ctl_json_string(out, s.p, s.n);
	else
		buf_adds(out, "null");
}

static void
add_count(struct buf *out, const char *key, double v)
{
	add_key(out, key);
	if (v < 0)
		buf_adds(out, "null");
	else
		buf_addf(out, "%.0f", v);
}

static void
add_totals(struct buf *out, const struct ctl_totals *t)
{
	for (enum ctl_state s = 0; s < CTL_STATE_N; s++)
		buf_addf(out, ",\"%sworkers\":%.0f", ctl_state_word(s),
		    t->workers[s]);
	add_count(out, "msgs", t->msgs);
	add_count(out, "activations", t->activations);
	add_count(out, "queue_size", t->queue_size);
	add_count(out, "queued_requests", t->queued);
	add_count(out, "uptime", t->uptime);
}

/* The members that all windows have. */
static void
add_window(struct buf *out, const struct ctl_window *w)
{
	buf_addf(out,
	    "\"count\":%.0f,\"rate\":%.6f,\"ms\":%.6f,\"busyworkers\":%.6f",
	    w->count, ctl_rate(w), w->ms, w->busy);
}

int
ctl_json_status(const struct ctl_form_in *in, struct buf *out)
{
	struct ctl_status s;

	if (ctl_read_status(in->text, &s) < 0 || !s.whole)
		return -1;
	begin(in, out);
	add_totals(out, &s.t);
	buf_adds(out, ",\"workers\":[");
	for (size_t i = 0; i < s.letters.n; i++)
		buf_addf(out, "%s\"%s\"", i ? "," : "",
		    ctl_state_word(ctl_state(s.letters.p[i])));
	buf_addc(out, ']');
	return end(out);
}

int
ctl_json_workers(const struct ctl_form_in *in, struct buf *out)
{
	struct ctl_str text = in->text, line;
	size_t start = buf_len(out);
	const char *comma = "";
	struct ctl_worker w;

	begin(in, out);
	buf_adds(out, ",\"workers\":[");
	while (ctl_line(&text, &line)) {
		if (ctl_read_worker(line, &w) < 0)
			return undo(out, start);
		buf_addf(out, "%s{\"slot\":%.0f,\"state\":\"%s\"", comma,
		    w.slot, ctl_state_word(w.state));
		add_count(out, "pid", w.pid);
		add_str(out, "command", w.command);
		add_str(out, "last", w.last);
		add_count(out, "ago", w.ago);
		add_str(out, "tag", w.tag);
		buf_addc(out, '}');
		comma = ",";
	}
	buf_addc(out, ']');
	return end(out);
}

/* "Busy" -> "busy", as in the other reports. */
static void
add_state(struct buf *out, struct ctl_str value)
{
	enum ctl_state s = value.n ? ctl_state(*value.p) : CTL_STATE_N;

	if (s < CTL_STATE_N) {
		const char *word = ctl_state_word(s);

		value = (struct ctl_str){ word, strlen(word) };
	}
	add_str(out, "state", value);
}

/* Lines of a name, a blank and a value. */
int
ctl_json_workerinfo(const struct ctl_form_in *in, struct buf *out)
{
	static const struct {
		const char *name, *key;
		enum {
			NUMBER,
			TEXT,
			STATE
		} kind;
	} rows[] = {
		{ "Worker ", "slot", NUMBER },
		{ "State ", NULL, STATE },
		{ "PID ", "pid", NUMBER },
		{ "NumRequests ", "requests", NUMBER },
		{ "NumScans ", "scans", NUMBER },
		{ "Age ", "age", NUMBER },
		{ "FirstReqAge ", "first_request_age", NUMBER },
		{ "LastStateChangeAge ", "ago", NUMBER },
		{ "StatusTag ", "tag", TEXT },
	};
	struct ctl_str text = in->text, line;
	size_t start = buf_len(out);

	begin(in, out);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t skip = strlen(rows[i].name);

		if (!ctl_line(&text, &line) ||
		    !ctl_str_begins(line, rows[i].name))
			return undo(out, start);
		line.p += skip;
		line.n -= skip;
		if (rows[i].kind == STATE)
			add_state(out, line);
		else if (rows[i].kind == TEXT)
			add_str(out, rows[i].key, line);
		else
			add_count(out, rows[i].key, ctl_number(line));
	}
	return end(out);
}

static void
add_class(const struct ctl_form_in *in, struct buf *out)
{
	buf_addf(
	    out, ",\"command\":\"%s\",\"windows\":[", ctl_class_word(in->cls));
}

int
ctl_json_load(const struct ctl_form_in *in, struct buf *out)
{
	struct ctl_load l;

	if (ctl_read_load(in->text, &l) < 0)
		return -1;
	begin(in, out);
	add_totals(out, &l.t);
	add_class(in, out);
	for (size_t i = 0; i < CTL_WINDOWS; i++) {
		buf_addf(
		    out, "%s{\"seconds\":%.0f,", i ? "," : "", l.w[i].seconds);
		add_window(out, &l.w[i]);
		add_count(out, "activated", l.w[i].activated);
		add_count(out, "reaped", l.w[i].reaped);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
	return end(out);
}

int
ctl_json_hload(const struct ctl_form_in *in, struct buf *out)
{
	static const unsigned hours[CTL_WINDOWS] = { 1, 4, 12, 24 };
	struct ctl_load l;

	if (ctl_read_hload(in->text, &l) < 0)
		return -1;
	begin(in, out);
	add_class(in, out);
	for (size_t i = 0; i < CTL_WINDOWS; i++) {
		buf_addf(out, "%s{\"hours\":%u,\"seconds\":%.0f,", i ? "," : "",
		    hours[i], l.w[i].seconds);
		add_window(out, &l.w[i]);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
	return end(out);
}

int
ctl_json_load1(const struct ctl_form_in *in, struct buf *out)
{
	struct ctl_load1 l;

	if (ctl_read_load1(in->text, &l) < 0)
		return -1;
	begin(in, out);
	add_totals(out, &l.t);
	add_count(out, "seconds", l.seconds);
	buf_adds(out, ",\"commands\":{");
	for (enum ctl_class c = 0; c < CTL_CLASS_N; c++) {
		buf_addf(out, "%s\"%s\":{", c ? "," : "", ctl_class_word(c));
		add_window(out, &l.w[c]);
		add_count(out, "running", l.running[c]);
		buf_addc(out, '}');
	}
	buf_addc(out, '}');
	return end(out);
}

/* Lines "   K COUNT". */
int
ctl_json_histo(const struct ctl_form_in *in, struct buf *out)
{
	struct ctl_str text = in->text, line, word;
	size_t start = buf_len(out);
	const char *comma = "";

	begin(in, out);
	buf_adds(out, ",\"histo\":[");
	while (ctl_line(&text, &line)) {
		double v[2];

		for (size_t i = 0; i < 2; i++) {
			v[i] = ctl_word(&line, &word) ? ctl_number(word) : -1;
			if (v[i] < 0)
				return undo(out, start);
		}
		if (line.n)
			return undo(out, start);
		buf_addf(out, "%s{\"busyworkers\":%.0f,\"count\":%.0f}", comma,
		    v[0], v[1]);
		comma = ",";
	}
	if (!*comma)
		return undo(out, start);
	buf_addc(out, ']');
	return end(out);
}

/* Words NAME=NUMBER, as of `autoscale`. */
int
ctl_json_pairs(const struct ctl_form_in *in, struct buf *out)
{
	struct ctl_str text = in->text, line, word;
	size_t start = buf_len(out), n = 0;

	begin(in, out);
	if (!ctl_line(&text, &line))
		return undo(out, start);
	for (; ctl_word(&line, &word); n++) {
		const char *eq = memchr(word.p, '=', word.n);
		struct ctl_str value;

		if (!eq || eq == word.p)
			return undo(out, start);
		value.p = eq + 1;
		value.n = word.n - (size_t)(value.p - word.p);
		if (ctl_number(value) < 0)
			return undo(out, start);
		buf_addc(out, ',');
		ctl_json_string(out, word.p, (size_t)(eq - word.p));
		buf_addf(out, ":%.12g", ctl_number(value));
	}
	return n ? end(out) : undo(out, start);
}

int
ctl_json_number(const struct ctl_form_in *in, struct buf *out)
{
	struct ctl_str text = in->text, line;
	double v;

	if (!ctl_line(&text, &line) || (v = ctl_number(line)) < 0 || text.n)
		return -1;
	begin(in, out);
	add_count(out, in->key, v);
	return end(out);
}

int
ctl_json_text(const struct ctl_form_in *in, struct buf *out)
{
	struct buf text;
	size_t n;
	int rc = -1;

	buf_init(&text, 0);
	if (buf_add(&text, in->text.p, in->text.n) == 0) {
		n = in->text.n ? pct_decode(text.p, in->text.n) : 0;
		if (n && text.p[n - 1] == '\n')
			n--;
		begin(in, out);
		add_key(out, in->key);
		ctl_json_string(out, text.p, n);
		rc = end(out);
	}
	buf_fini(&text);
	return rc;
}
