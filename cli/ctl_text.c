/* SPDX-License-Identifier: MIT */
/*
 * ctl_text: reports for people and for existing monitors (ctl_form.h).
 */
#include "cli/ctl_form.h"
#include "cli/ctl_safe.h"
#include "core/base/pct.h"

#include <stdio.h>
#include <string.h>

#define WORKER_BAR 25
#define QUEUE_BAR  20

static int
add_text(const struct ctl_form_in *in, struct buf *out, bool decode)
{
	size_t n = in->text.n, start = buf_len(out);

	buf_add(out, in->text.p, n);
	if (decode && n && !out->failed) {
		n = pct_decode(out->p + out->off + start, n);
		buf_cut(out, start + n);
	}
	if (n && buf_data(out)[buf_len(out) - 1] != '\n')
		buf_addc(out, '\n');
	return 0;
}

int
ctl_text_raw(const struct ctl_form_in *in, struct buf *out)
{
	return add_text(in, out, false);
}

int
ctl_text_decoded(const struct ctl_form_in *in, struct buf *out)
{
	return add_text(in, out, true);
}

/* ---- status ---- */

/* "busy"; what a multiplexor of another make may say is shown with its letter. */
static void
add_state(struct buf *out, char letter)
{
	enum ctl_state s = ctl_state(letter);

	if (s < CTL_STATE_N) {
		buf_adds(out, ctl_state_word(s));
		return;
	}
	buf_adds(out, "unknown state '");
	ctl_safe(out, &letter, 1, true);
	buf_addc(out, '\'');
}

int
ctl_text_status(const struct ctl_form_in *in, struct buf *out)
{
	struct ctl_status s;

	if (ctl_read_status(in->text, &s) < 0)
		return -1;
	buf_addf(out, "Max workers: %zu\n", s.letters.n);
	for (size_t i = 0; i < s.letters.n; i++) {
		buf_addf(out, "Worker %zu: ", i);
		add_state(out, s.letters.p[i]);
		buf_addc(out, '\n');
	}
	return 0;
}

/* One character for each of `all`, or `longest` of them. */
static void
add_bar(struct buf *out, double part, double all, char filled, unsigned longest)
{
	unsigned width = all < longest ? (unsigned)all : longest;

	for (unsigned i = 0; i < width; i++)
		buf_addc(out, i * all < part * width ? filled : '.');
}

int
ctl_text_bar(const struct ctl_form_in *in, struct buf *out)
{
	struct ctl_status s;
	double busy;

	if (ctl_read_status(in->text, &s) < 0)
		return -1;
	busy = s.t.workers[CTL_BUSY];
	buf_addf(out, "%3.0f/%zu ", busy, s.letters.n);
	add_bar(out, busy, (double)s.letters.n, 'B', WORKER_BAR);
	if (s.t.queue_size > 0) {
		buf_addf(out, "  %3.0f/%.0f ", s.t.queued, s.t.queue_size);
		add_bar(out, s.t.queued, s.t.queue_size, 'Q', QUEUE_BAR);
	}
	buf_addf(out, " %.0f\n", s.t.msgs);
	return 0;
}

/* {"timestamp": "Sun Nov 22 11:40:21 2026","hostname": "mx1", */
static void
begin_monitor_json(const struct ctl_form_in *in, struct buf *out)
{
	char when[64] = "";
	struct tm tm;

	if (localtime_r(&in->now, &tm))
		strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y", &tm);
	buf_addf(out, "{\"timestamp\": \"%s\",\"hostname\": ", when);
	ctl_json_string(out, in->hostname, strlen(in->hostname));
	buf_addc(out, ',');
}

int
ctl_text_jsonstatus(const struct ctl_form_in *in, struct buf *out)
{
	struct ctl_status s;

	if (ctl_read_status(in->text, &s) < 0)
		return -1;
	begin_monitor_json(in, out);
	for (size_t i = 0; i < s.letters.n; i++) {
		enum ctl_state state = ctl_state(s.letters.p[i]);

		buf_addf(out, "%s\"Worker%zu\": \"%s\"", i ? "," : "", i,
		    state < CTL_STATE_N ? ctl_state_word(state) : "unknown");
	}
	buf_addc(out, '}');
	return 0;
}

/* ---- load ---- */

static const struct {
	const char *unit, *kind;
} units[CTL_CLASS_N] = {
	[CTL_SCAN] = { "Msgs", "Scan" },
	[CTL_RELAYOK] = { "Conn", "Conn" },
	[CTL_SENDEROK] = { "MAIL", "MAIL" },
	[CTL_RECIPOK] = { "RCPT", "RCPT" },
};

static void
add_load(const struct ctl_form_in *in, const struct ctl_load *l,
    const char *const *labels, struct buf *out)
{
	char rate[32], mean[32];

	snprintf(rate, sizeof(rate), "%s/Sec", units[in->cls].unit);
	snprintf(mean, sizeof(mean), "Avg ms/%s", units[in->cls].kind);
	buf_addf(out, "%6s %17s %15s %15s %s\n", "Load", units[in->cls].unit,
	    rate, mean, "  Avg Busy Workers");
	for (size_t i = 0; i < CTL_WINDOWS; i++)
		buf_addf(out, "%6s %15.0f %15.2f %15.1f %15.2f\n", labels[i],
		    l->w[i].count, ctl_rate(&l->w[i]), l->w[i].ms,
		    l->w[i].busy);
}

int
ctl_text_load(const struct ctl_form_in *in, struct buf *out)
{
	static const char *const labels[CTL_WINDOWS] = { "10 Sec", "1 Min",
		"5 Min", "10 Min" };
	struct ctl_load l;

	if (ctl_read_load(in->text, &l) < 0)
		return -1;
	add_load(in, &l, labels, out);
	return 0;
}

int
ctl_text_hload(const struct ctl_form_in *in, struct buf *out)
{
	static const char *const labels[CTL_WINDOWS] = { " 1h", " 4h", "12h",
		"24h" };
	struct ctl_load l;

	if (ctl_read_hload(in->text, &l) < 0)
		return -1;
	add_load(in, &l, labels, out);
	return 0;
}

int
ctl_text_load1(const struct ctl_form_in *in, struct buf *out)
{
	static const char *const labels[CTL_CLASS_N] = { "Scan", "Relayok",
		"Senderok", "Recipok" };
	struct ctl_load1 l;

	if (ctl_read_load1(in->text, &l) < 0)
		return -1;
	buf_addf(out, "Statistics for last %.0f seconds:\n", l.seconds);
	buf_addf(out, "%10s %15s %15s %15s %15s\n", "Cmd", "Num", "Num/s",
	    "AvgWorkers", "AvgMS");
	for (size_t i = 0; i < CTL_CLASS_N; i++)
		buf_addf(out, "%10s %15.0f %15.1f %15.1f %15.1f\n", labels[i],
		    l.w[i].count, ctl_rate(&l.w[i]), l.w[i].busy, l.w[i].ms);
	buf_addf(out,
	    "\nCurrent Snapshot:\n"
	    "Workers: busy=%.0f idle=%.0f stopped=%.0f killed=%.0f\n"
	    "Cmds:   scan=%.0f relayok=%.0f senderok=%.0f recipok=%.0f\n"
	    "Queue:  size=%.0f queued=%.0f\n",
	    l.t.workers[CTL_BUSY], l.t.workers[CTL_IDLE],
	    l.t.workers[CTL_STOPPED], l.t.workers[CTL_KILLED],
	    l.running[CTL_SCAN], l.running[CTL_RELAYOK],
	    l.running[CTL_SENDEROK], l.running[CTL_RECIPOK], l.t.queue_size,
	    l.t.queued);
	return 0;
}

int
ctl_text_jsonload1(const struct ctl_form_in *in, struct buf *out)
{
	struct ctl_load1 l;

	if (ctl_read_load1(in->text, &l) < 0)
		return -1;
	begin_monitor_json(in, out);
	buf_addf(out,
	    "\"busyworkers\":%.0f, \"idleworkers\":%.0f, "
	    "\"stoppedworkers\":%.0f, \"killedworkers\":%.0f,"
	    "\"scan\":%.0f, \"relayok\":%.0f, \"senderok\":%.0f, "
	    "\"recipok\":%.0f,\"queue_size\":%.0f, \"queued_requests\":%.0f}\n",
	    l.t.workers[CTL_BUSY], l.t.workers[CTL_IDLE],
	    l.t.workers[CTL_STOPPED], l.t.workers[CTL_KILLED],
	    l.w[CTL_SCAN].count, l.w[CTL_RELAYOK].count,
	    l.w[CTL_SENDEROK].count, l.w[CTL_RECIPOK].count, l.t.queue_size,
	    l.t.queued);
	return 0;
}
