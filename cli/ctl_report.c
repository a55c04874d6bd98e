/* SPDX-License-Identifier: MIT */
/*
 * ctl_report: what a multiplexor's reports say (ctl_report.h).
 */
#include "cli/ctl_report.h"

#include <assert.h>
#include <string.h>

#define DIGITS_MAX 15

bool
ctl_str_begins(struct ctl_str s, const char *text)
{
	size_t n = strlen(text);

	return s.n >= n && memcmp(s.p, text, n) == 0;
}

/* Cuts *part off the front of *s, up to `end` or all; drops the end too. */
static void
cut(struct ctl_str *s, char end, struct ctl_str *part)
{
	const char *at = s->n ? memchr(s->p, end, s->n) : NULL;
	size_t n = at ? (size_t)(at - s->p) : s->n;

	*part = (struct ctl_str){ s->p, n };
	n += at != NULL;
	s->p += n;
	s->n -= n;
}

bool
ctl_line(struct ctl_str *text, struct ctl_str *line)
{
	if (text->n == 0)
		return false;
	cut(text, '\n', line);
	return true;
}

bool
ctl_word(struct ctl_str *line, struct ctl_str *word)
{
	while (line->n && *line->p == ' ') {
		line->p++;
		line->n--;
	}
	if (line->n == 0)
		return false;
	cut(line, ' ', word);
	return true;
}

double
ctl_number(struct ctl_str word)
{
	double v = 0, scale = 0;
	unsigned digits = 0, behind = 0;

	for (size_t i = 0; i < word.n; i++) {
		char c = word.p[i];

		if (c == '.' && scale == 0 && digits) {
			scale = 1;
			continue;
		}
		if (c < '0' || c > '9' || ++digits > DIGITS_MAX)
			return -1;
		v = v * 10 + (c - '0');
		scale *= 10;
		behind += scale > 0;
	}
	if (digits == 0 || (scale > 0 && behind == 0))
		return -1;
	return scale > 0 ? v / scale : v;
}

/* Exactly `want` numbers on one line, and nothing behind it.  0 or -1. */
static int
read_numbers(struct ctl_str text, double *v, size_t want)
{
	struct ctl_str line, word;
	size_t n = 0;

	if (!ctl_line(&text, &line) || text.n)
		return -1;
	for (; ctl_word(&line, &word); n++) {
		double x = ctl_number(word);

		if (n == want || x < 0)
			return -1;
		v[n] = x;
	}
	return n == want ? 0 : -1;
}

static const struct {
	char letter;
	const char *word;
} states[CTL_STATE_N] = {
	[CTL_BUSY] = { 'B', "busy" },
	[CTL_IDLE] = { 'I', "idle" },
	[CTL_STOPPED] = { 'S', "stopped" },
	[CTL_KILLED] = { 'K', "killed" },
};

enum ctl_state
ctl_state(char letter)
{
	enum ctl_state s = 0;

	while (s < CTL_STATE_N && states[s].letter != letter)
		s++;
	return s;
}

const char *
ctl_state_word(enum ctl_state s)
{
	assert(s < CTL_STATE_N);
	return states[s].word;
}

const char *
ctl_class_word(enum ctl_class c)
{
	static const char *const words[CTL_CLASS_N] = { "scan", "relayok",
		"senderok", "recipok" };

	assert(c < CTL_CLASS_N);
	return words[c];
}

int
ctl_read_status(struct ctl_str text, struct ctl_status *s)
{
	struct ctl_status r = { .whole = true };
	double *to[] = { &r.t.msgs, &r.t.activations, &r.t.queue_size,
		&r.t.queued, &r.t.uptime };
	struct ctl_str line, word;

	if (text.n == 0 || ctl_state(*text.p) == CTL_STATE_N)
		return -1;
	ctl_line(&text, &line);
	ctl_word(&line, &r.letters);
	for (size_t i = 0; i < r.letters.n; i++) {
		enum ctl_state state = ctl_state(r.letters.p[i]);

		if (state < CTL_STATE_N)
			r.t.workers[state]++;
		else
			r.whole = false;
	}
	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		double v = ctl_word(&line, &word) ? ctl_number(word) : -1;

		*to[i] = v < 0 ? 0 : v;
		r.whole = r.whole && v >= 0;
	}
	r.whole = r.whole && line.n == 0 && text.n == 0;
	*s = r;
	return 0;
}

/* BUSY IDLE STOPPED KILLED MSGS ACTIVATIONS QSIZE QUEUED UPTIME */
static void
take_totals(const double *v, struct ctl_totals *t)
{
	for (size_t i = 0; i < CTL_STATE_N; i++)
		t->workers[i] = v[i];
	t->msgs = v[4];
	t->activations = v[5];
	t->queue_size = v[6];
	t->queued = v[7];
	t->uptime = v[8];
}

/* spec:mux-load  five groups of four windows, then the totals */
int
ctl_read_load(struct ctl_str text, struct ctl_load *l)
{
	static const double seconds[CTL_WINDOWS] = { 10, 60, 300, 600 };
	double v[29];

	if (read_numbers(text, v, 29) < 0)
		return -1;
	for (size_t i = 0; i < CTL_WINDOWS; i++)
		l->w[i] = (struct ctl_window){ .seconds = seconds[i],
			.count = v[i],
			.busy = v[4 + i],
			.ms = v[8 + i],
			.activated = v[12 + i],
			.reaped = v[16 + i] };
	take_totals(v + 20, &l->t);
	return 0;
}

/* spec:mux-hload */
int
ctl_read_hload(struct ctl_str text, struct ctl_load *l)
{
	double v[16];

	if (read_numbers(text, v, 16) < 0)
		return -1;
	*l = (struct ctl_load){ 0 };
	for (size_t i = 0; i < CTL_WINDOWS; i++)
		l->w[i] = (struct ctl_window){ .count = v[i],
			.busy = v[4 + i],
			.ms = v[8 + i],
			.seconds = v[12 + i] };
	return 0;
}

/* spec:mux-load1 */
int
ctl_read_load1(struct ctl_str text, struct ctl_load1 *l)
{
	double v[26];

	if (read_numbers(text, v, 26) < 0)
		return -1;
	*l = (struct ctl_load1){ .seconds = v[21] };
	for (size_t i = 0; i < CTL_CLASS_N; i++) {
		l->w[i] = (struct ctl_window){ .seconds = v[21],
			.count = v[3 * i],
			.busy = v[3 * i + 1],
			.ms = v[3 * i + 2] };
		l->running[i] = v[22 + i];
	}
	take_totals(v + 12, &l->t);
	return 0;
}

double
ctl_rate(const struct ctl_window *w)
{
	return w->seconds > 0 ? w->count / w->seconds : 0;
}

/* spec:mux-workers  SLOT LETTER[ PID][ CLASS][ last=CLASS] ago=SECONDS[ (TAG)] */
int
ctl_read_worker(struct ctl_str line, struct ctl_worker *w)
{
	struct ctl_worker r = { .pid = -1, .ago = -1 };
	struct ctl_str word;

	if (!ctl_word(&line, &word) || (r.slot = ctl_number(word)) < 0)
		return -1;
	if (!ctl_word(&line, &word) || word.n != 1 ||
	    (r.state = ctl_state(*word.p)) == CTL_STATE_N)
		return -1;
	while (line.n && *line.p != '(' && ctl_word(&line, &word)) {
		if (ctl_str_begins(word, "last="))
			r.last = (struct ctl_str){ word.p + 5, word.n - 5 };
		else if (ctl_str_begins(word, "ago="))
			r.ago = ctl_number(
			    (struct ctl_str){ word.p + 4, word.n - 4 });
		else if (r.pid < 0 && ctl_number(word) >= 0)
			r.pid = ctl_number(word);
		else
			r.command = word;
	}
	if (line.n >= 2 && line.p[line.n - 1] == ')')
		r.tag = (struct ctl_str){ line.p + 1, line.n - 2 };
	*w = r;
	return 0;
}
